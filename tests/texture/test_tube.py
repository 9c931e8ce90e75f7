"""Cloth around both legs where no picture shows it."""

from __future__ import annotations

import numpy as np

from vitruvian.texture.tube import Tube, goes_around

SIZE, RINGS, COLUMNS = 200, 10, 40
TUBE = Tube(7, RINGS, COLUMNS, (0.0, 0.5, 1.0, 1.0))
GREY = 90


def painted(seen: slice) -> tuple[np.ndarray, np.ndarray]:
    """An atlas whose tube has stripes across, and colours around, in a part of its columns, and the
    trust of its vertices."""
    texture = np.full((SIZE, SIZE, 3), GREY, np.uint8)
    columns = np.arange(SIZE)
    shown = np.zeros(SIZE, bool)
    shown[seen] = True
    rows = np.arange(SIZE // 2)[:, None] // 10 % 2
    texture[: SIZE // 2, shown, 0] = 250 * rows
    texture[: SIZE // 2, shown, 1] = columns[shown]
    trust = np.zeros(TUBE.first + 2 * RINGS * COLUMNS)
    at = SIZE - SIZE * np.arange(COLUMNS) // COLUMNS  # the vertices run from right to left
    ring = shown[at % SIZE] & shown[at - 1]
    trust[TUBE.first : TUBE.first + RINGS * COLUMNS] = np.tile(ring, RINGS)
    return texture, trust


def test_what_is_seen_of_a_ring_goes_on_around() -> None:
    texture, trust = painted(slice(40, 140))
    out = goes_around(texture, TUBE, trust)
    inner = slice(50, 130)
    np.testing.assert_array_equal(out[: SIZE // 2, inner], texture[: SIZE // 2, inner])
    np.testing.assert_array_equal(out[SIZE // 2 :], texture[SIZE // 2 :])  # the body's own
    rows = np.arange(5, SIZE // 2, 10)
    stripes = 250 * (rows // 10 % 2)
    assert (out[rows, :, 0] == stripes[:, None]).all()  # all around, at their heights
    beside = out[rows[0], 141:160, 1].astype(int)
    assert (np.diff(beside) <= 0).all()  # a mirror image
    assert beside[0] > 125


def test_a_ring_of_which_nothing_is_seen_is_as_the_next_one() -> None:
    texture, trust = painted(slice(40, 140))
    rings = trust[TUBE.first : TUBE.first + RINGS * COLUMNS].reshape(RINGS, COLUMNS)
    rings[6:] = 0
    texture[70:100] = GREY
    out = goes_around(texture, TUBE, trust)
    assert (out[90, 50:130, 1] == texture[40, 50:130, 1]).all()


def test_nothing_seen_is_left_as_it_is() -> None:
    texture, trust = painted(slice(40, 140))
    np.testing.assert_array_equal(goes_around(texture, TUBE, 0 * trust), texture)
