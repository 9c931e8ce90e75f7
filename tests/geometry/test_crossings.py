"""Rays against shapes whose crossings are known."""

import numpy as np
import pytest

from vitruvian.geometry.crossings import ray_crossings

# A rectangle before the camera, seen from outside, and the same farther away, seen from inside.
# Its diagonal meets no pixel's centre.
CORNERS = np.array([[2.0, 2], [6, 2], [6, 5], [2, 5]])
LOOKS_HERE = np.array([[0, 2, 1], [0, 3, 2]])


def crossings(most: int = 8):
    points = np.concatenate([CORNERS, CORNERS])
    depth = np.repeat([2.0, 3.0], 4)
    faces = np.concatenate([LOOKS_HERE[:, ::-1] + 4, LOOKS_HERE])
    return ray_crossings(points, depth, faces, np.array([1, 1, 0, 0]), 8, 7, most)


def test_a_ray_enters_in_front_and_leaves_behind():
    found = crossings()
    inside = np.zeros((7, 8), bool)
    inside[2:5, 2:6] = True
    np.testing.assert_array_equal(found.count, 2 * inside)
    first = found.start[3, 4]
    # In the order of the faces: the far one comes first.
    assert found.depth[first : first + 2] == pytest.approx([3, 2])
    assert found.sign[first : first + 2].tolist() == [-1, 1]
    assert found.part[first : first + 2].tolist() == [1, 0]
    assert len(found.depth) == found.count.sum()


def test_no_more_than_wanted_are_kept():
    found = crossings(most=1)
    assert found.count.max() == 1
    assert set(found.part.tolist()) == {1}
