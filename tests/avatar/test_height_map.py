"""Long skirts have room to walk, from front to back."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.avatar.height_map import ANGLES, with_room_to_walk

AROUND = (np.arange(ANGLES) / ANGLES * 2 - 1) * np.pi


def length(ring: np.ndarray) -> float:
    points = ring[:, None] * np.stack([np.cos(AROUND), np.sin(AROUND)], -1)
    return float(np.linalg.norm(np.roll(points, -1, 0) - points, axis=1).sum())


def narrow(hem: float) -> tuple[np.ndarray, np.ndarray]:
    """Levels, and distances of a tube 90 cm around."""
    levels = np.linspace(-0.2, hem, 30)
    return levels, np.full((30, ANGLES), 0.9 / (2 * np.pi))


def test_a_long_one_is_wide_enough_at_its_hem_and_as_wide_as_the_picture_shows() -> None:
    levels, before = narrow(1.9)
    after = with_room_to_walk(levels, AROUND, before, 1.7)
    assert length(after[-1]) == pytest.approx(1.2, abs=0.02)
    aside = np.abs(np.sin(AROUND)) < 1e-9
    np.testing.assert_allclose(after[:, aside], before[:, aside])
    deep = after[:, ANGLES // 4]
    assert (np.diff(deep) >= 0).all()
    assert deep[levels < 0] == pytest.approx(before[0, 0])
    small = with_room_to_walk(levels, AROUND, before, 1.2)
    assert length(small[-1]) == pytest.approx(length(before[-1]))


def test_short_and_wide_ones_stay() -> None:
    levels, short = narrow(0.7)
    np.testing.assert_array_equal(with_room_to_walk(levels, AROUND, short, 1.7), short)
    levels, wide = narrow(1.9)
    np.testing.assert_array_equal(with_room_to_walk(levels, AROUND, 2 * wide, 1.7), 2 * wide)
