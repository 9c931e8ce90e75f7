"""The smooth field against the same problem written out as a matrix."""

from __future__ import annotations

import numpy as np

from vitruvian.avatar.field import smooth_field
from vitruvian.geometry.adjacency import neighbors_of_edges

EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2], [3, 4]], np.int32)
COUNT = 6  # the last is joined to nothing


def test_it_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(0)
    around = neighbors_of_edges(EDGES, COUNT)
    of_edge = rng.uniform(0.5, 2, len(EDGES))
    own = np.repeat(np.arange(COUNT), np.diff(around.first))
    number = {frozenset(edge): n for n, edge in enumerate(EDGES.tolist())}
    stiffness = np.array(
        [of_edge[number[frozenset((a, b))]] for a, b in zip(own, around.members, strict=True)]
    )
    normals = rng.normal(size=(COUNT, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    targets, weights = rng.normal(size=(COUNT, 3)), rng.uniform(0, 2, (COUNT, 2))
    weights[1] = 0
    rows, wanted = [], []
    for v in range(COUNT):
        row = np.zeros((4, COUNT, 3))
        row[0, v] = np.sqrt(weights[v, 0]) * normals[v]
        row[1:, v] = np.sqrt(weights[v, 1]) * np.eye(3)
        rows += list(row.reshape(4, -1))
        wanted += list(row.reshape(4, -1) @ np.tile(targets[v], COUNT))
    for (a, b), s in zip(EDGES, of_edge, strict=True):
        row = np.zeros((3, COUNT, 3))
        row[:, a], row[:, b] = np.sqrt(s) * np.eye(3), -np.sqrt(s) * np.eye(3)
        rows += list(row.reshape(3, -1))
        wanted += [0.0] * 3
    expected = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0].reshape(-1, 3)
    start = np.zeros((COUNT, 3))
    found = smooth_field(targets, normals, weights, around, stiffness, start, iterations=60)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_what_is_known_nowhere_stays_where_it_began() -> None:
    around = neighbors_of_edges(EDGES, COUNT)
    zero, start = np.zeros((COUNT, 3)), np.full((COUNT, 3), 0.5)
    found = smooth_field(
        zero, zero, np.zeros((COUNT, 2)), around, np.ones(len(around.members)), start
    )
    np.testing.assert_allclose(found, start, atol=1e-6)
