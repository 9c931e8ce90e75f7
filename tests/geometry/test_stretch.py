"""Areas and pieces of meshes; stretch is tested with ``lab.evaluation.metrics.skinning``."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.stretch import count_pieces, face_areas


def test_areas() -> None:
    vertices = np.array([[0, 0, 0], [2, 0, 0], [0, 3, 0]], np.float32)
    np.testing.assert_allclose(face_areas(vertices, np.array([[0, 1, 2]])), [3])


def test_pieces_hang_together_by_faces_that_hold() -> None:
    faces = np.array([[0, 1, 2], [2, 1, 3], [3, 1, 4], [5, 6, 7]], np.int32)
    areas = np.ones(4)
    assert count_pieces(faces, areas, least_share=0.1) == 2
    held = np.array([True, False, True, True])
    # The first and the third face share vertex 1.
    assert count_pieces(faces, areas, used=held, least_share=0.1) == 2
    chain = np.array([[0, 1, 2], [2, 3, 4], [4, 5, 6]], np.int32)
    broken = np.array([True, False, True])
    assert count_pieces(chain, areas[:3], used=broken, least_share=0.1) == 2
    assert count_pieces(chain, np.array([1, 1, 0.01]), used=broken, least_share=0.1) == 1
    assert count_pieces(faces[:0], areas[:0], least_share=0.1) == 0
