"""Several cameras: who is who between them, and one motion from all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fit_people import CAMERA, estimate_of, photograph, random_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.video.crossing import meeting, people_of
from vitruvian.video.eyes import Eyes
from vitruvian.video.floor import find_floor, landmarks_of, upright_of
from vitruvian.video.shape import kind_of_tracks, shape_of
from vitruvian.video.together import solve_tracks
from vitruvian.video.tracking import Sighting, Track

RATE, FRAMES = 10.0, 4


def beside(yaw: float) -> np.ndarray:
    """``camera_from_reference`` of a camera that looks at a place in front from another side."""
    matrix, middle = np.eye(4), np.array([0.2, 0.1, 3.4])
    matrix[:3, :3] = matrix_from_axis_angle(np.array([0, yaw, 0]))
    matrix[:3, 3] = middle - matrix[:3, :3] @ middle
    return matrix


EYES = Eyes((CAMERA,) * 3, (None, beside(1.3), beside(-1.2)))


def track(which: int, seed: int, at: tuple[float, float, float], frames=range(FRAMES)) -> Track:
    """What a camera sees of somebody who glides to the right by 3 cm a frame."""
    betas, rotations, _ = random_body(seed)
    matrix = EYES.matrix(which)
    turned = rotations.copy()
    turned[0] = matrix[:3, :3] @ rotations[0]
    sightings = []
    for number in frames:
        place = matrix[:3, :3] @ (np.array(at) + [0.03 * number, 0, 0]) + matrix[:3, 3]
        figure, _ = photograph(betas, turned, place, noise_px=2, seed=number)
        sightings.append(Sighting(number, number / RATE, figure))
    return Track(seed, sightings)


HERE, THERE = (0.2, 0.1, 3.4), (-0.5, 0.1, 4.2)


@pytest.fixture(scope="module")
def views():
    """Two people; the second camera loses the first, who is of a new track afterwards."""
    return [
        [track(0, 3, HERE), track(0, 5, THERE)],
        [track(1, 5, THERE), track(1, 3, HERE, range(3))],
        [track(2, 3, HERE)],
    ]


def test_rays_meet_where_the_points_are():
    points = np.random.default_rng(0).normal(size=(7, 3)) * 0.3 + HERE
    rays = []
    for which in range(3):
        matrix = EYES.matrix(which)
        seen = points @ matrix[:3, :3].T + matrix[:3, 3]
        rays.append(seen / seen[:, 2:])
    np.testing.assert_allclose(
        meeting(rays, [EYES.matrix(which) for which in range(3)]), points, atol=1e-6
    )


def test_tracks_of_one_person_find_each_other(views):
    first, second = people_of(views, EYES)
    assert [len(one.sightings) for one in first] == [4, 3, 4]
    assert [len(one.sightings) for one in second] == [4, 4, 0]
    assert [one.id for one in (*first, *second)] == [1, 1, 1, 2, 2, 2]
    box = first[1].sightings[0].figure.box
    np.testing.assert_array_equal(box, views[1][1].sightings[0].figure.box)


def test_who_is_seen_by_one_camera_alone_is_left_out(views):
    assert people_of([[views[0][0]], [views[1][0]], []], EYES) == []


def test_somebody_is_a_child_in_all_frames_or_in_none():
    betas, rotations, place = random_body(3)
    own = track(0, 3, HERE)
    groups = [(0.05, 0.1, 0.05, 0.5, 0.3)] * 3 + [(0.1, 0.5, 0.1, 0.2, 0.1)]
    sightings = []
    for one, chances in zip(own.sightings, groups, strict=True):
        estimate = estimate_of(betas, rotations, place, groups=np.array(chances))
        sightings.append(replace(one, figure=replace(one.figure, estimate=estimate)))
    assert kind_of_tracks([Track(1, sightings)]).child > 0.8
    alone = Eyes((CAMERA,))
    assert body_model().stature(shape_of(body_model(), [Track(1, sightings)], alone)) < 1.4
    grown = [Track(1, sightings[3:])]
    assert body_model().stature(shape_of(body_model(), grown, alone)) > 1.5


def test_three_cameras_see_size_and_motion(views):
    model = body_model()
    betas, _, _ = random_body(3)
    people = people_of([views[0][:1], views[1][1:], views[2]], EYES)
    found = shape_of(model, people[0], EYES)
    assert model.stature(found) == pytest.approx(model.stature(betas), abs=0.02)
    frames = [(number, number / RATE) for number in range(FRAMES)]
    found = solve_tracks(model, people, frames, EYES, {}, lambda *_: None)
    (solved,), floor = found.tracks, found.floor
    across = np.diff(solved.motion.translation, axis=0)
    np.testing.assert_allclose(across.mean(0), [0.03, 0, 0], atol=0.01)
    assert np.linalg.norm(solved.motion.translation[0] - HERE) < 0.05
    axes = np.array([[0, -1.0, 0.02], [0, 0, 1], [1, 0, 0]])
    stands, axis = [np.ones((FRAMES, 2, 2), bool)], upright_of(model, [solved.motion])
    axes = axes / np.linalg.norm(axes[0])
    held, _ = find_floor(model, [solved.motion], stands, axis, axes=axes)
    assert held.up @ axes[0] > np.cos(np.deg2rad(1.2))
    assert landmarks_of(model, solved.motion).shape == (FRAMES, 33, 3)
    assert floor.up[1] < -0.9
