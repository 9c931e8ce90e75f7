"""A skirt's shape that goes on below its hem ends where the backdrop shows across it."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.avatar.covered_hem import covered_hem
from vitruvian.avatar.outline import Window
from vitruvian.texture.carried import Carried
from vitruvian.types.camera import Camera

CAMERA = Camera.centered(500, 200, 400)
LEVELS = np.linspace(-0.2, 1.4, 33)
ANGLES = np.linspace(-np.pi, np.pi, 40, endpoint=False)
DISTANCE_M = 0.2 + 0.05 * LEVELS[:, None]
POINTS = np.stack(
    [
        DISTANCE_M * np.cos(ANGLES),
        np.broadcast_to(0.45 * LEVELS[:, None] - 0.3, (len(LEVELS), len(ANGLES))),
        3 + 0.3 * DISTANCE_M * np.sin(ANGLES),
    ],
    -1,
)


def row_of(level: float) -> int:
    return int(CAMERA.project(np.array([0, 0.45 * level - 0.3, 2.95]))[1])


def window(hem: float, legs: int = 12, arms: np.ndarray | None = None) -> Window:
    """Somebody as wide as the shape down to a hem, with legs of some pixels' width below."""
    rows, columns = np.mgrid[: CAMERA.height, : CAMERA.width]
    mask = np.abs(columns - 100) < 60
    beside = np.abs(np.abs(columns - 100) - 18) < legs / 2
    mask = np.where(rows < row_of(hem), mask, beside)
    arms = np.zeros(mask.shape, bool) if arms is None else arms
    return Window(CAMERA, slice(0, 400), slice(0, 200), mask, arms)


@pytest.mark.parametrize("hem", [0.85, 1.0, 1.2])
def test_it_ends_where_only_legs_are_below(hem: float) -> None:
    assert covered_hem(window(hem), POINTS, LEVELS) == pytest.approx(hem, abs=0.06)


def test_it_goes_on_where_the_person_covers_it() -> None:
    assert covered_hem(window(1.6), POINTS, LEVELS) == LEVELS[-1]


def test_arms_and_bags_before_it_tell_nothing() -> None:
    everywhere = np.ones((CAMERA.height, CAMERA.width), bool)
    assert covered_hem(window(1.0, arms=everywhere), POINTS, LEVELS) == LEVELS[-1]
    bag = Carried(255 * everywhere.astype(np.uint8), CAMERA)
    assert covered_hem(window(1.0), POINTS, LEVELS, bag) == LEVELS[-1]


def test_an_outline_that_is_narrower_all_along_tells_nothing() -> None:
    assert covered_hem(window(-0.5), POINTS, LEVELS) == LEVELS[-1]
