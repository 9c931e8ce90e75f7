"""The floor among points behind people, and the length of a path that it tells."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.video.ground import floor_of, ground_unit
from vitruvian.video.pathscale import path_unit

UP = matrix_from_axis_angle(np.array([0.15, 0, 0.1])) @ np.array([0.0, -1, 0])
GUESS = np.array([0.0, -1, 0])


def room(floor: int, wall: int, noise: float = 0.004) -> np.ndarray:
    """Points of a floor 1.2 below the camera and of a wall, and a few of things on the floor."""
    rng = np.random.default_rng(3)
    along = np.cross(UP, [1.0, 0, 0])
    along /= np.linalg.norm(along)
    across = np.cross(along, UP)

    def at(places: np.ndarray) -> np.ndarray:
        return places @ np.stack([across, along, UP])

    return np.concatenate(
        [
            at(rng.uniform([-3, 2, -1.2], [3, 7, -1.2], (floor, 3))),
            at(rng.uniform([-3, 7, -1.2], [3, 7, 2], (wall, 3))),
            at(rng.uniform([-3, 2, -1.2], [3, 6, 0], (40, 3))),
        ]
    ) + rng.normal(0, noise, (floor + wall + 40, 3))


@pytest.mark.parametrize("off", [0.0, -0.75])
def test_the_floor_is_found_below_a_wall(off):
    found = floor_of(room(150, 400), matrix_from_axis_angle(np.array([off, 0, 0])) @ GUESS)
    assert found is not None
    normal, level = found
    assert np.rad2deg(np.arccos(normal @ UP)) < 0.5
    assert level == pytest.approx(-1.2, abs=0.02)


def test_there_is_no_floor_among_few_points_or_walls():
    assert floor_of(room(10, 400), GUESS) is None
    assert floor_of(room(150, 400)[:10], GUESS) is None
    assert floor_of(room(0, 400), GUESS) is None
    assert floor_of(room(150, 0), np.array([1.0, 0, 0])) is None


def test_feet_on_the_floor_tell_the_unit():
    rng = np.random.default_rng(5)
    path = np.cumsum(rng.normal(0, 0.02, (30, 3)), axis=0)
    ground = rng.uniform(-2, 2, (30, 2, 3)) + [0, 0, 4]
    ground -= ((ground @ UP) + 1.2)[..., None] * UP  # on the floor, in the path's unit
    ground[:, 1] += rng.uniform(0, 0.3, (30, 1)) * UP  # the other foot is up
    lowest = 2.5 * (ground - path[:, None])
    assert ground_unit((UP, -1.2), [lowest], [path]) == pytest.approx(2.5)
    stray = lowest * rng.uniform(0.4, 2, (30, 1, 1))
    assert ground_unit((UP, -1.2), [stray], [path]) is None


def test_the_floor_decides_where_runners_hardly_stand():
    times = np.arange(40) / 30
    path = np.stack([times, 0 * times, 0 * times], axis=1)
    # Most of the time feet fly by at 2 m/s; in three frames they stand.
    soles = np.zeros((40, 2, 2, 3))
    soles[..., 0] = (-3.0 * times + 2.0 * times)[:, None, None]
    soles[18:22, ..., 0] = soles[18, ..., 0] - 3.0 * (times[18:22] - times[18])[:, None, None]
    soles[22:] += soles[21, ..., :1] - soles[22, ..., :1] - [0.03, 0, 0]
    assert path_unit([soles], [times], [path]) == pytest.approx(1.0, rel=0.1)
    assert path_unit([soles], [times], [path], 2.8) == pytest.approx(3.0, rel=0.05)
