"""Nearest points of surfaces, for a one-time registration: plain NumPy, in pieces."""

from __future__ import annotations

import numpy as np

_PAIRS_AT_ONCE = 4_000_000


def nearest_points(points: np.ndarray, others: np.ndarray, count: int = 1) -> np.ndarray:
    """Indices (N, count) of the ``others`` (M, D) nearest to ``points`` (N, D)."""
    others = np.asarray(others, np.float32)
    squares = (others * others).sum(1)
    out = np.empty((len(points), count), np.int64)
    step = max(_PAIRS_AT_ONCE // max(len(others), 1), 1)
    for start in range(0, len(points), step):
        piece = np.asarray(points[start : start + step], np.float32)
        far = squares - 2 * piece @ others.T
        if count == 1:
            out[start : start + step, 0] = far.argmin(1)
        else:
            out[start : start + step] = np.argpartition(far, count - 1, axis=1)[:, :count]
    return out


def closest_on_faces(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The closest point of some faces to each point.

    Args:
        points: (N, 3).
        vertices, faces: (V, 3) and (F, 3).
        candidates: (N, C) indices of faces to look at, for each point its own.

    Returns:
        Faces (N,), barycentric weights (N, 3), distances (N,).
    """
    best = np.full(len(points), np.inf)
    which, weights = np.zeros(len(points), np.int64), np.zeros((len(points), 3))
    for column in candidates.T:
        bary = closest_weights(points, vertices[faces[column]])
        place = np.einsum("nk,nkc->nc", bary, vertices[faces[column]])
        far = np.linalg.norm(place - points, axis=1)
        nearer = far < best
        best[nearer], which[nearer], weights[nearer] = far[nearer], column[nearer], bary[nearer]
    return which, weights, best


def closest_weights(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Barycentric weights (N, 3) of the points of triangles (N, 3, 3) closest to ``points``.

    The foot of the perpendicular where it is inside, else the best point of the three edges.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    uw, vw = (u * w).sum(1), (v * w).sum(1)
    area = np.maximum(uu * vv - uv * uv, 1e-20)
    s, t = (vv * uw - uv * vw) / area, (uu * vw - uv * uw) / area
    out = np.stack([1 - s - t, s, t], axis=1)
    outside = (out < 0).any(1)
    best = np.full(len(points), np.inf)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, along = triangles[:, first], triangles[:, second] - triangles[:, first]
        share = ((points - start) * along).sum(1) / np.maximum((along * along).sum(1), 1e-20)
        share = np.clip(share, 0, 1)
        far = np.linalg.norm(start + share[:, None] * along - points, axis=1)
        chosen = outside & (far < best)
        best[chosen] = far[chosen]
        out[chosen] = 0
        out[chosen, first], out[chosen, second] = 1 - share[chosen], share[chosen]
    return out
