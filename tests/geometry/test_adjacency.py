"""Who is whose neighbour."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.adjacency import Neighbors, neighbors_of_closed, neighbors_of_edges

TETRAHEDRON = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


def lists(found: Neighbors) -> list[list[int]]:
    pairs = zip(found.first[:-1], found.first[1:], strict=True)
    return [sorted(found.members[start:end].tolist()) for start, end in pairs]


def test_neighbours_are_listed_on_both_sides_of_an_edge():
    found = neighbors_of_edges(np.array([[0, 2], [1, 2], [2, 4]]), 5)
    assert lists(found) == [[2], [2], [0, 1, 4], [], [2]]


def test_a_closed_mesh_lists_every_neighbour_once():
    found = neighbors_of_closed(TETRAHEDRON, 5)
    assert lists(found) == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], []]


def test_no_edges_leave_nobody_with_neighbours():
    assert lists(neighbors_of_edges(np.zeros((0, 2)), 3)) == [[], [], []]
