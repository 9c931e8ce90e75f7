"""Halving edges of a closed surface leaves it closed and where it was."""

from __future__ import annotations

import numpy as np
import pytest

from surface_people import is_closed_manifold, sphere
from vitruvian.geometry.subdivision import edge_lengths, split_edges


@pytest.mark.parametrize("least", [0.0, 0.02, 0.045, 0.06])
def test_a_closed_surface_stays_closed(least: float) -> None:
    mesh = sphere(0.5, (0, 0, 3), rings=24)
    _, length = edge_lengths(mesh.vertices, mesh.faces)
    halved = length > least
    faces, pairs = split_edges(mesh.faces, halved, len(mesh.vertices))
    assert is_closed_manifold(faces)
    assert len(pairs) == halved.sum() // 2  # each edge has two faces
    vertices = np.concatenate([mesh.vertices, mesh.vertices[pairs].mean(1)])
    assert len(np.unique(faces)) == len(vertices)

    def volume(points: np.ndarray, triangles: np.ndarray) -> float:
        a, b, c = points[triangles].transpose(1, 0, 2).astype(float)
        return float(np.einsum("fc,fc->", a, np.cross(b, c)) / 6)

    assert volume(vertices, faces) == pytest.approx(volume(mesh.vertices, mesh.faces), rel=1e-5)
    if least == 0:
        assert len(faces) == 4 * len(mesh.faces)


def test_lengths_are_those_of_the_edges() -> None:
    vertices = np.array([[0, 0, 0], [3, 0, 0], [0, 4, 0]], float)
    ends, length = edge_lengths(vertices, np.array([[0, 1, 2]]))
    np.testing.assert_array_equal(ends[0], [[0, 1], [1, 2], [2, 0]])
    np.testing.assert_allclose(length[0], [3, 5, 4])
