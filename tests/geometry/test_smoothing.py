"""Vertices drawn to their neighbours."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.smoothing import drawn_to_neighbors

# A double pyramid: four corners around, one above, one below.
POINTS = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
FACES = np.array(
    [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [1, 0, 5], [2, 1, 5], [3, 2, 5], [0, 3, 5]]
)


def test_a_step_goes_a_share_of_the_way_to_the_neighbours_middle():
    points = POINTS + np.array([[0, 0, 0]] * 4 + [[0, 0, 3], [0, 0, 0]], np.float32)
    share = np.array([0, 0, 0, 0, 0.25, 0])
    out = drawn_to_neighbors(points, FACES, share)
    np.testing.assert_allclose(out[4], [0, 0, 3])  # from 4 to the middle at 0
    np.testing.assert_array_equal(np.delete(out, 4, 0), np.delete(points, 4, 0))
    assert points[4, 2] == 4


def test_all_go_at_once_and_there_and_back_differs_little():
    half = np.full(len(POINTS), 0.5)
    out = drawn_to_neighbors(POINTS, FACES, half)
    np.testing.assert_allclose(out, 0.5 * POINTS, atol=1e-6)
    np.testing.assert_allclose(drawn_to_neighbors(POINTS, FACES, half, -2 * half), POINTS)


def test_no_step_leaves_all_in_place():
    np.testing.assert_array_equal(drawn_to_neighbors(POINTS, FACES), POINTS)
