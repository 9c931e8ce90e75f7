"""How far a surface is drawn out from one pose to another, and whether it falls apart."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.pieces import pieces_of

TORN = 2.5  # times the length before; cloth hardly stretches to half as much again


@kernel("void(float32[:,::1],float32[:,::1],int32[:,::1],float32[::1])")
def _stretch(before: np.ndarray, after: np.ndarray, faces: np.ndarray, out: np.ndarray) -> None:
    """The root of the larger eigenvalue of G⁻¹H, where G and H are the Gram matrices of two sides
    of each triangle."""
    g, h = np.empty(3), np.empty(3)
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        g[:] = 0
        h[:] = 0
        for c in range(3):
            u, v = float(before[j, c]) - before[i, c], float(before[k, c]) - before[i, c]
            g[0] += u * u
            g[1] += u * v
            g[2] += v * v
            u, v = float(after[j, c]) - after[i, c], float(after[k, c]) - after[i, c]
            h[0] += u * u
            h[1] += u * v
            h[2] += v * v
        determinant = max(g[0] * g[2] - g[1] * g[1], 1e-16)
        trace = (g[2] * h[0] - 2 * g[1] * h[1] + g[0] * h[2]) / determinant
        product = max(h[0] * h[2] - h[1] * h[1], 0.0) / determinant
        root = np.sqrt(max(trace * trace / 4 - product, 0.0))
        out[t] = np.sqrt(max(trace / 2 + root, 0.0))


def largest_stretch(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) float32, the largest singular value of the map from each triangle before to that after.

    Args:
        before, after: (V, 3).
        faces: (F, 3).
    """
    out = np.empty(len(faces), np.float32)
    _stretch(
        np.ascontiguousarray(before, np.float32),
        np.ascontiguousarray(after, np.float32),
        np.ascontiguousarray(faces, np.int32),
        out,
    )
    return out


def face_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) areas of the faces (F, 3)."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)


def areas_around(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V,) the area of the faces (F, 3) around each vertex, relative to the usual one."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    around = np.bincount(faces.ravel(), np.repeat(area, 3), len(vertices))
    return np.asarray(around / np.median(around))


def count_pieces(
    faces: np.ndarray, areas: np.ndarray, *, used: np.ndarray | None = None, least_share: float
) -> int:
    """How many pieces of at least a share of the whole area there are.

    Args:
        faces: (F, 3).
        areas: (F,) of the faces.
        used: (F,) bool, faces that hold; by default all.
        least_share: of the area of all faces.
    """
    if len(faces) == 0:
        return 0
    used = np.ones(len(faces), bool) if used is None else used
    piece = pieces_of(faces, int(faces.max()) + 1, used)
    area = np.bincount(piece[faces[used, 0]], areas[used], len(piece))
    return int(np.count_nonzero(area > least_share * areas.sum()))
