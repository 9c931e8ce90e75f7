"""Training examples of the body-estimate network: observed and transplanted people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch (extra: train)")

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.training import body_estimate_data
from vitruvian.lab.training.body_estimate_data import (
    ObservedSource,
    People,
    group_posterior,
    part_states,
    posed_landmarks,
    transplanted,
    whole_state,
)
from vitruvian.types import estimate
from vitruvian.types.camera import Camera

pytestmark = pytest.mark.train

CAMERA = Camera(900.0, 320, 320, (150.0, 170.0), "given")


def standing(count: int, seed: int = 0) -> People:
    """People who were observed without any error."""
    rng = np.random.default_rng(seed)
    model = body_model()
    betas = np.empty((count, model.shape_count))
    for k in range(count):
        prior = model.shape_prior("men" if k % 2 else "women")
        betas[k] = prior.mean + np.linalg.solve(prior.whitening, rng.normal(0, 0.7, len(betas[k])))
    rotations = np.tile(np.eye(3), (count, len(model.parents), 1, 1))
    upright = matrix_from_axis_angle(np.array([np.pi, 0, 0]))
    for one in rotations:
        one[0] = upright @ matrix_from_axis_angle(np.array([0, rng.uniform(-1, 1), 0]))
        one[model.active[1:]] = matrix_from_axis_angle(rng.normal(0, 0.2, (21, 3)))
    root = np.array([0.1, 0.0, 6.0]) + rng.normal(0, 0.1, (count, 3))
    keypoints = posed_landmarks(betas, rotations, root)
    pixels = CAMERA.project(keypoints)
    return People(
        features=rng.random((count, 2, 8)).astype(np.float16),
        points=pixels,
        visibility=np.ones((count, 33)),
        world=keypoints,
        disagreement=np.zeros(count),
        focal_px=np.full(count, np.nan),
        size=320,
        true_points=pixels,
        keypoints=keypoints,
        rotations=rotations[:, model.active],
        betas=betas,
        stature=np.array([model.stature(one) for one in betas]),
        root=root,
        camera=np.tile([900.0, 150.0, 170.0], (count, 1)),
        parts=np.zeros((count, 5), int),
        whole=np.zeros(count, int),
    )


def test_landmarks_of_many_bodies_are_those_of_each() -> None:
    model = body_model()
    rng = np.random.default_rng(4)
    betas = rng.normal(size=(3, 10))
    rotations = matrix_from_axis_angle(rng.normal(0, 0.4, (3, len(model.parents), 3)))
    root = rng.normal(size=(3, 3))
    full = np.concatenate([betas, np.zeros((3, model.shape_count - 10))], 1)
    together = posed_landmarks(full, rotations, root)
    for k in range(3):
        alone, _ = model.evaluate(
            model.keypoints(), betas[k], rotations[k], root[k], model.active, jacobian=False
        )
        assert np.allclose(together[k], alone, atol=1e-9)


def test_targets_are_in_the_frame_of_the_inputs() -> None:
    """Without errors, the metric landmarks that go in are the targets but for their size."""
    some = standing(4)
    made = some.examples()
    for side in (0, 1):
        inputs = made["landmarks"][:, side, :99].reshape(4, 33, 3)
        targets = made["keypoints"][:, side]
        factor = (inputs * targets).sum((1, 2)) / (inputs**2).sum((1, 2))
        # The inputs are not turned to the ray, the targets are: a few degrees here.
        assert np.abs(inputs * factor[:, None, None] - targets).max() < 0.06
    # The body posed by the targets has the targets as its landmarks.
    model = body_model()
    rotations = np.tile(np.eye(3), (4, len(model.parents), 1, 1))
    for side in (0,):
        rotations[:, model.active] = made["rotations"][:, side]
        posed = posed_landmarks(some.betas, rotations, np.zeros((4, 3)))
        about = posed - posed[:, [23, 24]].mean(1, keepdims=True)
        assert np.allclose(
            about / some.stature[:, None, None], made["keypoints"][:, side], atol=1e-5
        )
    assert np.allclose(np.exp(made["stature"][:, 0]), some.stature, rtol=1e-5)


def test_transplants_of_exact_hosts_are_exact() -> None:
    hosts = standing(5)
    made = transplanted(hosts, 12, seed=1)
    inputs = made["landmarks"][:, 0, :99].reshape(12, 33, 3)
    targets = made["keypoints"][:, 0]
    factor = (inputs * targets).sum((1, 2)) / (inputs**2).sum((1, 2))
    assert np.abs(inputs * factor[:, None, None] - targets).max() < 0.08
    # They are other people in other poses.
    assert np.exp(made["stature"][:, 0]).std() > 0.05
    assert made["features"].shape == (12, 2, 0)
    # ... that face about where their hosts face.
    facing = made["rotations"][:, 0, 0, :, 2]
    assert np.median(facing[:, 2]) < -0.4


def test_transplants_carry_their_hosts_errors() -> None:
    hosts = standing(1)
    wrong = hosts.world.copy()
    wrong[:, 15, 2] += 0.4  # the left wrist too far away
    made = transplanted(replace(hosts, world=wrong), 6, seed=2)
    plain = transplanted(hosts, 6, seed=2)
    shift = (made["landmarks"] - plain["landmarks"])[:, 0, :99].reshape(6, 33, 3)
    assert (shift[:, 15, 2] > 0.05).all()
    assert np.abs(shift[:, [11, 12, 25, 26], 2]).max() < 0.06
    assert np.allclose(made["keypoints"], plain["keypoints"])


def test_groups_are_told_by_shape() -> None:
    model = body_model()
    means = np.stack([model.shape_prior(group).mean for group in estimate.GROUPS])
    assert (group_posterior(means).argmax(1) == np.arange(5)).all()


def test_parts_are_cut_or_hidden() -> None:
    points = np.full((33, 2), 100.0)
    seen: Any = SimpleNamespace(
        true_keypoints=points, true_covered=np.zeros(33, bool), true_top=np.array([100.0, 50]),
        true_covered_share=0.0, size=320,
    )  # fmt: skip
    assert (part_states(seen) == 0).all()
    assert whole_state(seen, part_states(seen)) == 0
    below = points.copy()
    below[29:, 1] = 400  # both feet
    seen.true_keypoints = below
    seen.true_covered[[19, 17]] = True  # one hand
    assert part_states(seen).tolist() == [0, 0, 2, 0, 1]
    assert whole_state(seen, part_states(seen)) == 1
    seen.true_keypoints, seen.true_top = points, np.array([100.0, -4])
    assert part_states(seen)[0] == 1


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than two files of observations"):
        ObservedSource(tmp_path, 0)
    assert body_estimate_data.HELD_BACK > 1
