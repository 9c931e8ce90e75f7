"""A closed tube of two sides from a grid of points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def grid_normals(points: np.ndarray) -> np.ndarray:
    """Unit normals (R, A, 3) outwards of a tube (R, A, 3), rows from the top."""
    around = np.roll(points, -1, 1) - np.roll(points, 1, 1)
    down = np.gradient(points, axis=0)
    normals = np.cross(around, -down)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    outward = (normals * (points - points.mean(1, keepdims=True))).sum() > 0
    return np.asarray(normals if outward else -normals)


@lru_cache(maxsize=32)
def topology(rows: int, angles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces of both sides, closed at hem and waist, and their texture coordinates."""
    count = rows * angles
    r = np.repeat(np.arange(rows - 1), angles)
    a = np.tile(np.arange(angles), rows - 1)
    b = (a + 1) % angles
    corners = np.stack([r * angles + a, r * angles + b, (r + 1) * angles + b, (r + 1) * angles + a])
    wide = angles + 1
    flat = np.stack([r * wide + a, r * wide + a + 1, (r + 1) * wide + a + 1, (r + 1) * wide + a])
    quads, uv_quads = [], []
    # Seen from outside, angles grow to the left, and rows downwards.
    quads.append(corners)
    uv_quads.append(flat)
    quads.append(corners[[0, 3, 2, 1]] + count)
    uv_quads.append(flat[[0, 3, 2, 1]])
    a = np.arange(angles)
    b = (a + 1) % angles
    last = (rows - 1) * angles
    quads.append(np.stack([last + a, last + b, last + b + count, last + a + count]))
    low = (rows - 1) * wide
    uv_quads.append(np.stack([low + a, low + a + 1, low + a + 1, low + a]))
    quads.append(np.stack([b, a, a + count, b + count]))
    uv_quads.append(np.stack([a + 1, a, a, a + 1]))
    quad = np.concatenate(quads, 1).T
    uv_quad = np.concatenate(uv_quads, 1).T
    faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]).astype(np.int32)
    uv_faces = np.concatenate([uv_quad[:, [0, 1, 2]], uv_quad[:, [0, 2, 3]]]).astype(np.int32)
    v, u = np.meshgrid(
        1 - np.arange(rows) / (rows - 1), 1 - np.arange(wide) / angles, indexing="ij"
    )
    uvs = np.stack([u.ravel(), v.ravel()], 1).astype(np.float32)
    return faces, uvs, uv_faces
