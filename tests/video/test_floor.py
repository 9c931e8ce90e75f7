"""The floor under feet that stand."""

from __future__ import annotations

import numpy as np
import pytest

from fit_people import random_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix
from vitruvian.types.motion import Motion
from vitruvian.video.floor import _plane, find_floor, upright_of


def test_a_axis_floor_is_found_under_feet_of_which_some_are_held_up():
    rng = np.random.default_rng(0)
    flat = rng.uniform([-1, 2], [1, 5], (200, 2))
    tilt = np.deg2rad(3)
    up = np.array([0.0, -np.cos(tilt), np.sin(tilt)])
    points = np.stack([flat[:, 0], np.zeros(200), flat[:, 1]], axis=1)
    points[:, 1] = (-1.1 - points @ up) / up[1]
    points += 0.005 * rng.normal(size=points.shape)
    points[:50] += 0.2 * up
    normal, level = _plane(points, np.array([0.0, -1, 0]))
    assert np.rad2deg(np.arccos(normal @ up)) < 1.0
    assert level == pytest.approx(-1.1, abs=0.03)


def test_who_stands_stands_on_the_floor_that_is_found():
    model = body_model()
    betas = random_body(3)[0]
    pose = np.zeros((6, len(model.parents), 3))
    turn = np.diag([1.0, -1, -1])
    pose[:, 0] = axis_angle_from_matrix(turn)
    place = np.tile([0.1, 0.0, 4.0], (6, 1))
    motion = Motion(np.arange(6) / 25, pose, place, betas, model.joint_names)
    axis = upright_of(model, [motion])
    floor, (touching,) = find_floor(model, [motion], [np.ones((6, 2, 2), bool)], axis)
    vertices = model.forward(betas, pose[0], place[0]).vertices
    assert floor.up @ [0, -1, 0] > np.cos(np.deg2rad(2))
    assert floor.level == pytest.approx(float((vertices @ floor.up).min()), abs=0.02)
    assert touching.all()
    _, (none,) = find_floor(model, [motion], [np.zeros((6, 2, 2), bool)], axis)
    assert not none.any()
