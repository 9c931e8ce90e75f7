"""Which vertices faces join to one piece."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel


@kernel("void(int32[:,::1],boolean[::1],int32[::1])")
def _join(faces: np.ndarray, used: np.ndarray, piece: np.ndarray) -> None:
    """Union-find over the corners of used faces: ``piece`` ends as each vertex's root."""
    for v in range(len(piece)):
        piece[v] = v
    for t in range(faces.shape[0]):
        if not used[t]:
            continue
        for c in range(1, 3):
            a, b = faces[t, 0], faces[t, c]
            while piece[a] != a:
                piece[a] = piece[piece[a]]
                a = piece[a]
            while piece[b] != b:
                piece[b] = piece[piece[b]]
                b = piece[b]
            piece[max(a, b)] = min(a, b)
    for v in range(len(piece)):
        piece[v] = piece[piece[v]]


def pieces_of(faces: np.ndarray, count: int, used: np.ndarray | None = None) -> np.ndarray:
    """The piece (V,) int32 that each of ``count`` vertices is of: the number of its first vertex.

    Args:
        faces: (F, 3).
        count: of the vertices.
        used: (F,) bool, faces that join; by default all.
    """
    piece = np.empty(count, np.int32)
    used = np.ones(len(faces), bool) if used is None else np.ascontiguousarray(used)
    _join(np.ascontiguousarray(faces, np.int32), used, piece)
    return piece
