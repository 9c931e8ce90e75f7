"""Cameras that travel: their path from points behind the people, its length from standing feet."""

from __future__ import annotations

import numpy as np
import pytest
from test_contacts import walking

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.camera import Camera
from vitruvian.types.keypoints import FEET
from vitruvian.video.bundle import Bundle, Seen, adjust, intersect
from vitruvian.video.eyes import Eyes
from vitruvian.video.pathscale import path_unit
from vitruvian.video.sights import Sight
from vitruvian.video.together import solve_tracks
from vitruvian.video.tracking import Sighting, Track
from vitruvian.video.travelling import path_of
from vitruvian.video.turning import Turning

SMALL = Camera.centered(520, 640, 360)
FRAMES = 40


def journey(count: int = FRAMES, far: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (F, 3, 3) from the first camera to each, and places (F, 3), around what is seen."""
    share = np.linspace(0, 1, count)
    turns = matrix_from_axis_angle(np.stack([0.03 * np.sin(7 * share), -0.5 * share, 0 * share], 1))
    return turns, far * np.stack([-share, 0.05 * np.sin(9 * share), 0.2 * share], axis=1)


def sights_of(turns, places, *, noise_px: float = 0.3, wrong: float = 0.05) -> list[Sight]:
    """What a camera sees of a room; some features stray, and each is lost after a while."""
    rng = np.random.default_rng(4)
    points = np.concatenate(
        [
            rng.uniform([-9, -2, 6], [9, 2, 7], (700, 3)),
            rng.uniform([-6, 1.4, 3], [6, 1.5, 7], (300, 3)),
        ]
    )
    begins = rng.uniform(-20, len(turns), len(points))
    strays = rng.normal(0, 2.0, (len(points), 2)) * (rng.random((len(points), 1)) < wrong)
    out = []
    for number, (turn, place) in enumerate(zip(turns, places, strict=True)):
        before = (points - place) @ turn.T
        pixels = SMALL.project(before) - 0.5 + strays * (number - begins[:, None])
        inside = (before[:, 2] > 0.5) & (pixels > 0).all(1) & (pixels < [640, 360]).all(1)
        there = np.flatnonzero(inside & (begins <= number) & (number < begins + 20))
        seen = pixels[there] + rng.normal(0, noise_px, (len(there), 2))
        out.append(Sight(number, number / 30, there, seen.astype(np.float32)))
    return out


def test_a_path_is_found_but_for_its_unit():
    turns, places = journey()
    path = path_of(SMALL, sights_of(turns, places))
    assert path is not None
    found = np.stack([path.rotations[n] for n in range(FRAMES)])
    away = axis_angle_from_matrix(found @ turns.transpose(0, 2, 1))
    assert np.rad2deg(np.linalg.norm(away, axis=1)).max() < 0.5
    where = np.stack([path.places[n] for n in range(FRAMES)])
    unit = float((where * places).sum() / (where**2).sum())
    assert 3 < unit < 9  # about the distance of what is seen
    assert np.abs(unit * where - places).max() < 0.06


def test_no_path_where_a_camera_turns_or_everything_strays():
    turns, places = journey()
    assert path_of(SMALL, sights_of(turns, 0 * places)) is None
    assert path_of(SMALL, sights_of(turns, places, wrong=1.0)) is None
    assert path_of(SMALL, sights_of(turns, places)[:1]) is None


def test_points_and_cameras_are_adjusted_together():
    rng = np.random.default_rng(0)
    turns, places = journey(6)
    points = rng.uniform([-2, -1, 4], [2, 1, 6], (50, 3))
    true = Bundle(turns, -np.einsum("kij,kj->ki", turns, places), points)
    np.testing.assert_allclose(true.places, places, atol=1e-12)
    cameras, rows = (grid.ravel() for grid in np.mgrid[:6, :50])
    before = true.before(Seen(cameras, rows, np.zeros((300, 2))))
    seen = Seen(cameras, rows, before[:, :2] / before[:, 2:])
    met, spread = intersect(true, seen)
    np.testing.assert_allclose(met, points, atol=1e-5)
    assert (spread > 0.05).all()
    moved = Bundle(
        matrix_from_axis_angle(rng.normal(0, 0.02, (6, 3))) @ turns,
        true.shifts + rng.normal(0, 0.05, (6, 3)),
        points + rng.normal(0, 0.1, points.shape),
    )
    free = np.array([False, *[True] * 5])
    held = Bundle(moved.rotations.copy(), moved.shifts.copy(), moved.points)
    held.rotations[0], held.shifts[0] = true.rotations[0], true.shifts[0]
    found = adjust(held, seen, 1e-3, free, 30)
    assert found.away(seen).max() < 1e-3 < held.away(seen).max()
    np.testing.assert_array_equal(found.rotations[0], true.rotations[0])
    scale = np.linalg.norm(true.places[-1]) / np.linalg.norm(found.places[-1])
    np.testing.assert_allclose(scale * found.places, places, atol=2e-3)


def test_standing_feet_tell_the_unit_of_a_path():
    soles, times, _ = walking()
    # The camera goes beside the walker, whom it sees on the spot.
    path = np.stack([1.2 * times, 0.02 * np.sin(6 * times), 0 * times], axis=1)
    seen = soles - path[:, None, None]
    assert path_unit([seen], [times], [path / 4.0]) == pytest.approx(4.0, rel=0.05)
    assert path_unit([seen], [times], [path / 900]) is None


def test_whoever_stands_before_a_travelling_camera_stays():
    betas, rotations, place = random_body(3)
    count = 9
    angles = np.linspace(0, 0.5, count)
    eyes_at = np.stack([2 * np.sin(angles), 0 * angles, 3 - 3 * np.cos(angles)], axis=1)
    turns = matrix_from_axis_angle(np.stack([0 * angles, angles * 0.7, 0 * angles], axis=1))
    frames = [(number, number / 10) for number in range(count)]
    sightings = []
    for (number, time_s), turn, seat in zip(frames, turns, eyes_at, strict=True):
        turned = rotations.copy()
        turned[0] = turn @ rotations[0]
        figure, _ = photograph(betas, turned, turn @ (place - seat), noise_px=1, seed=number)
        sightings.append(Sighting(number, time_s, figure))
    model = body_model()
    marks, _ = model.evaluate(
        model.keypoints(), betas, rotations, place, model.active, jacobian=False
    )
    tilted = matrix_from_axis_angle(np.array([0.1, 0, 0.1])) @ [0.0, -1, 0]
    floor = np.random.default_rng(0).uniform([-3, -1, 1], [3, 1, 6], (200, 3))
    floor += ((marks[FEET] @ tilted).min() - 0.04 - floor @ tilted)[:, None] * tilted
    path = Turning(
        dict(enumerate(turns)), True, places=dict(enumerate(eyes_at / 5)), points=floor / 5
    )
    eyes = Eyes((CAMERA,), turning=path)
    solved = solve_tracks(model, [[Track(1, sightings)]], frames, eyes, {}, lambda *_: None)
    (one,) = solved.tracks
    assert solved.floor.up @ tilted > np.cos(np.deg2rad(1))
    assert np.ptp(one.motion.translation, axis=0).max() < 0.04
    assert one.still[:-1].mean() > 0.9
    turning = solved.eyes.turning
    assert turning is not None
    assert turning.places is not None
    assert turning.places[count - 1] == pytest.approx(eyes_at[-1], abs=0.15)
    seats = solved.eyes.seats(range(count))
    np.testing.assert_allclose(seats, np.stack(list(turning.places.values())), atol=1e-9)
