"""How much room the vertices of a mesh have before they meet another of its surfaces."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import SideBySide, kernel, thread_count

# Cosine of two normals below which they are of different surfaces; of the two sides of a sheet.
_OPPOSED, _OTHER_SIDE = 0.2, -0.4


@kernel(
    "void(float32[:,::1],float32[:,::1],int64[:,::1],int64[::1],int64[::1],int64[::1],int64[::1],"
    "float32,float32,boolean,float32[::1])"
)
def _search(
    vertices: np.ndarray,
    normals: np.ndarray,
    cells: np.ndarray,
    shape: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    asked: np.ndarray,
    reach: float,
    opposed: float,
    behind: bool,
    out: np.ndarray,
) -> None:
    for v in asked:
        best = reach * reach
        for i in range(max(cells[v, 0] - 1, 0), min(cells[v, 0] + 2, shape[0])):
            for j in range(max(cells[v, 1] - 1, 0), min(cells[v, 1] + 2, shape[1])):
                for k in range(max(cells[v, 2] - 1, 0), min(cells[v, 2] + 2, shape[2])):
                    key = (i * shape[1] + j) * shape[2] + k
                    for at in range(first[key], first[key + 1]):
                        w = members[at]
                        x = vertices[w, 0] - vertices[v, 0]
                        y = vertices[w, 1] - vertices[v, 1]
                        z = vertices[w, 2] - vertices[v, 2]
                        far = x * x + y * y + z * z
                        if far < best and behind:
                            # Seen from the surface, not before it.
                            towards = x * normals[v, 0] + y * normals[v, 1] + z * normals[v, 2]
                            if towards > 0:
                                continue
                        if far < best:
                            alike = (
                                normals[w, 0] * normals[v, 0]
                                + normals[w, 1] * normals[v, 1]
                                + normals[w, 2] * normals[v, 2]
                            )
                            if alike < opposed:
                                best = far
        out[v] = np.sqrt(best)


def clearance(
    vertices: np.ndarray,
    normals: np.ndarray,
    reach: float,
    *,
    behind: bool = False,
    asked: np.ndarray | None = None,
) -> np.ndarray:
    """Distance (V,) float32 of each vertex to the nearest one that looks another way, or ``reach``.

    Those are of what lies before or behind a surface: the other side of a sheet, a limb beside it.

    Args:
        vertices, normals: (V, 3), any unit and unit vectors.
        reach: in that unit.
        behind: only the other side of what the surface bounds counts.
        asked: (V,) bool, of which vertices; ``reach`` for the others. By default of all.
    """
    vertices = np.ascontiguousarray(vertices, np.float32)
    out = np.full(len(vertices), reach, np.float32)
    if not len(vertices):
        return out
    cells = np.floor((vertices - vertices.min(0)) / reach).astype(np.int64)
    shape = cells.max(0) + 1
    keys = (cells[:, 0] * shape[1] + cells[:, 1]) * shape[2] + cells[:, 2]
    members = np.argsort(keys, kind="stable")
    first = np.zeros(int(shape.prod()) + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=int(shape.prod())), out=first[1:])
    normals = np.ascontiguousarray(normals, np.float32)
    chosen = np.arange(len(vertices)) if asked is None else np.flatnonzero(asked)
    bounds = np.linspace(0, len(chosen), 4 * thread_count() + 1).astype(int)

    def work(piece: int) -> None:
        part = chosen[bounds[piece] : bounds[piece + 1]]
        _search(
            vertices, normals, cells, shape, first, members, part,
            reach, _OTHER_SIDE if behind else _OPPOSED, behind, out,
        )  # fmt: skip

    with SideBySide() as pool:
        pool.map(work, range(len(bounds) - 1))
    return out
