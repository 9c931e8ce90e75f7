"""Drawing a mesh's vertices towards their neighbours."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel


@kernel("void(float32[:,::1],int32[:,::1],float32[::1])")
def _step(vertices: np.ndarray, faces: np.ndarray, share: np.ndarray) -> None:
    total = np.zeros((len(vertices), 3), np.float32)
    count = np.zeros(len(vertices), np.float32)
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            if share[a] != 0:  # of a closed mesh, every edge comes once from either end
                count[a] += 1
                for c in range(3):
                    total[a, c] += vertices[b, c]
    for v in range(len(vertices)):
        if count[v] > 0:
            for c in range(3):
                vertices[v, c] += share[v] * (total[v, c] / count[v] - vertices[v, c])


def drawn_to_neighbors(vertices: np.ndarray, faces: np.ndarray, *shares: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) float32 after steps towards the middle of their neighbours, all at once.

    Steps of positive and negative shares in turn smooth without shrinking (Taubin, "A signal
    processing approach to fair surface design", 1995).

    Args:
        vertices: (V, 3), any frame and unit.
        faces: (F, 3), all that meet at every vertex that moves.
        shares: (V,) for each step, of the way to the middle; negative away from it.
    """
    out = np.array(vertices, np.float32, order="C")
    corners = np.ascontiguousarray(faces, np.int32)
    for share in shares:
        _step(out, corners, np.ascontiguousarray(share, np.float32))
    return out
