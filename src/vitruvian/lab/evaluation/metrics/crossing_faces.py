"""Faces of a mesh that go through other faces of it."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel, kernel_part
from vitruvian.types.mesh import Mesh

_TOUCHING = 1e-9  # of the longest edge: what meets in its rim alone does not cross


@kernel_part
def _side(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float,
    cx: float, cy: float, cz: float, px: float, py: float, pz: float,
) -> float:  # fmt: skip
    """Six times the signed volume of the tetrahedron a b c p."""
    ux, uy, uz = bx - ax, by - ay, bz - az
    vx, vy, vz = cx - ax, cy - ay, cz - az
    wx, wy, wz = px - ax, py - ay, pz - az
    return wx * (uy * vz - uz * vy) + wy * (uz * vx - ux * vz) + wz * (ux * vy - uy * vx)


@kernel_part
def _pierces(p: np.ndarray, q: np.ndarray, t: np.ndarray, least: float) -> bool:
    """Whether the segment from p to q goes through triangle t (3, 3)."""
    a, b, c = t[0], t[1], t[2]
    before = _side(a[0], a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2], p[0], p[1], p[2])
    after = _side(a[0], a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2], q[0], q[1], q[2])
    if not ((before > least and after < -least) or (before < -least and after > least)):
        return False
    one = _side(p[0], p[1], p[2], q[0], q[1], q[2], a[0], a[1], a[2], b[0], b[1], b[2])
    two = _side(p[0], p[1], p[2], q[0], q[1], q[2], b[0], b[1], b[2], c[0], c[1], c[2])
    three = _side(p[0], p[1], p[2], q[0], q[1], q[2], c[0], c[1], c[2], a[0], a[1], a[2])
    positive = one > least and two > least and three > least
    return positive or (one < -least and two < -least and three < -least)


@kernel(
    "void(float64[:,:,::1],int64[:,::1],int64[::1],int64[::1],int64[:,::1],int64[:,::1],float64,"
    "boolean[::1])"
)
def _cross(
    triangles: np.ndarray,
    faces: np.ndarray,
    starts: np.ndarray,
    members: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    least: float,
    out: np.ndarray,
) -> None:
    """Marks faces that cross another one of a cell; ``members`` of cell k are those from
    ``starts[k]`` to the next, ``low`` and ``high`` (F, 3) the cells that a face reaches into."""
    for cell in range(len(starts) - 1):
        for i in range(starts[cell], starts[cell + 1]):
            s = members[i]
            for j in range(i + 1, starts[cell + 1]):
                t = members[j]
                if out[s] and out[t]:
                    continue
                apart = False
                for k in range(3):
                    apart = apart or low[s, k] > high[t, k] or low[t, k] > high[s, k]
                    for m in range(3):
                        apart = apart or faces[s, k] == faces[t, m]
                if apart:
                    continue
                crossing = False
                for k in range(3):
                    after = (k + 1) % 3
                    crossing = crossing or _pierces(
                        triangles[s, k], triangles[s, after], triangles[t], least
                    )
                    crossing = crossing or _pierces(
                        triangles[t, k], triangles[t, after], triangles[s], least
                    )
                if crossing:
                    out[s] = out[t] = True


def crossing_faces(mesh: Mesh) -> np.ndarray:
    """Which faces (F,) bool of a mesh another one goes through that shares no vertex with it.

    Two triangles cross where an edge of one pierces the other (Möller, "A fast triangle-triangle
    intersection test", 1997, by exact signs of volumes). Candidates are those that share a cell of
    a grid as wide as most faces are.
    """
    faces = np.ascontiguousarray(mesh.faces, np.int64)
    out = np.zeros(len(faces), bool)
    if not len(faces):
        return out
    triangles = np.ascontiguousarray(mesh.vertices[faces], np.float64)
    low, high = triangles.min(1), triangles.max(1)
    size = max(float(np.percentile((high - low).max(1), 75)), 1e-9)
    origin = low.min(0)
    first, last = (((one - origin) / size).astype(np.int64) for one in (low, high))
    span = last - first + 1
    count = span.prod(1)
    owner = np.repeat(np.arange(len(faces)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    wide = span[owner]
    at = first[owner] + np.stack(
        [
            number // (wide[:, 1] * wide[:, 2]),
            number // wide[:, 2] % wide[:, 1],
            number % wide[:, 2],
        ],
        axis=1,
    )
    shape = last.max(0) + 1
    key = (at[:, 0] * shape[1] + at[:, 1]) * shape[2] + at[:, 2]
    order = np.argsort(key, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(key[order], prepend=-1)), len(order))
    least = _TOUCHING * float(np.linalg.norm(triangles[:, 1] - triangles[:, 0], axis=1).max()) ** 3
    _cross(triangles, faces, starts, owner[order], first, last, least, out)
    return out


def crossing_share(mesh: Mesh) -> float:
    """Share of a mesh's faces that another one goes through."""
    return float(crossing_faces(mesh).mean()) if len(mesh.faces) else 0.0
