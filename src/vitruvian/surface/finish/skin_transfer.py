"""What a point of a free surface takes over from the body beneath it: skin, parts, regions."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import SideBySide, kernel, thread_count
from vitruvian.geometry.adjacency import Neighbors, neighbors_of_closed

_CELL_M = 0.03
_TURNED_M = 0.06  # distance that a normal turned by 90 degrees counts for
_LOOSE, _TIGHT_ITERATIONS = 0.5, 6  # how much less close-fitting parts are smoothed


@kernel(
    "void(float32[:,::1],float32[:,::1],uint8[::1],float32[:,::1],float32[:,::1],uint8[::1],"
    "float32[::1],int64[::1],int32[::1],int32[::1],float32,float32,int32[::1])",
    fastmath=True,
)
def _search(
    points: np.ndarray,
    normals: np.ndarray,
    groups: np.ndarray,
    body: np.ndarray,
    body_normals: np.ndarray,
    body_groups: np.ndarray,
    origin: np.ndarray,
    shape: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    cell: float,
    turned: float,
    out: np.ndarray,
) -> None:
    """Shells of cells around each point, until none farther out can hold anything nearer."""
    penalty = turned * turned
    reach = max(shape[0], shape[1], shape[2])
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        cx = int(np.floor((x - origin[0]) / cell))
        cy = int(np.floor((y - origin[1]) / cell))
        cz = int(np.floor((z - origin[2]) / cell))
        best = np.float32(np.inf)
        found = 0
        for shell in range(reach + 200):
            if shell > 0 and best < ((shell - 1) * cell) ** 2:
                break
            for i in range(max(cx - shell, 0), min(cx + shell, shape[0] - 1) + 1):
                for j in range(max(cy - shell, 0), min(cy + shell, shape[1] - 1) + 1):
                    inner = abs(i - cx) < shell and abs(j - cy) < shell
                    for k in range(max(cz - shell, 0), min(cz + shell, shape[2] - 1) + 1):
                        if inner and abs(k - cz) < shell:
                            continue
                        key = (i * shape[1] + j) * shape[2] + k
                        for at in range(first[key], first[key + 1]):
                            v = members[at]
                            if (body_groups[v] & groups[n]) == 0:
                                continue
                            dx, dy, dz = body[v, 0] - x, body[v, 1] - y, body[v, 2] - z
                            dot = (
                                body_normals[v, 0] * normals[n, 0]
                                + body_normals[v, 1] * normals[n, 1]
                                + body_normals[v, 2] * normals[n, 2]
                            )
                            cost = dx * dx + dy * dy + dz * dz + penalty * (1 - dot)
                            if cost < best:
                                best = cost
                                found = v
        out[n] = found


def nearest_vertices(
    points: np.ndarray,
    normals: np.ndarray,
    body: np.ndarray,
    body_normals: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    body_groups: np.ndarray | None = None,
    turned_m: float = _TURNED_M,
) -> np.ndarray:
    """The body vertex (N,) int32 beneath each point: near, and facing the same way.

    Minimises squared distance + ``turned_m``² (1 - cosine of the normals), so that the inside of an
    arm does not take the trunk for its own.

    Args:
        points, normals: (N, 3) metres and unit normals.
        body, body_normals: (V, 3), likewise.
        groups, body_groups: (N,) and (V,) uint8 bits of groups; only vertices that share one with
            the point are looked at, of which there must be one.
        turned_m: distance that a normal turned by 90 degrees counts for.
    """
    if groups is None or body_groups is None:
        groups, body_groups = np.ones(len(points), np.uint8), np.ones(len(body), np.uint8)
    groups = np.ascontiguousarray(groups, np.uint8)
    body_groups = np.ascontiguousarray(body_groups, np.uint8)
    body = np.ascontiguousarray(body, np.float32)
    points = np.ascontiguousarray(points, np.float32)
    origin = body.min(0)
    cells = np.floor((body - origin) / _CELL_M).astype(np.int64)
    shape = cells.max(0) + 1
    keys = (cells[:, 0] * shape[1] + cells[:, 1]) * shape[2] + cells[:, 2]
    members = np.argsort(keys, kind="stable").astype(np.int32)
    first = np.zeros(int(shape.prod()) + 1, np.int32)
    np.cumsum(np.bincount(keys, minlength=int(shape.prod())), out=first[1:])
    out = np.zeros(len(points), np.int32)
    normals = np.ascontiguousarray(normals, np.float32)
    body_normals = np.ascontiguousarray(body_normals, np.float32)
    pieces = 4 * thread_count()
    bounds = np.linspace(0, len(points), pieces + 1).astype(int)

    def work(piece: int) -> None:
        part = slice(bounds[piece], bounds[piece + 1])
        _search(
            points[part],
            normals[part],
            groups[part],
            body,
            body_normals,
            body_groups,
            origin,
            shape,
            first,
            members,
            _CELL_M,
            turned_m,
            out[part],
        )

    with SideBySide() as pool:
        pool.map(work, range(pieces))
    return out


@kernel(
    "void(float32[:,::1],int32[::1],int32[::1],float32[::1],int32[::1],float32[:,::1])",
    fastmath=True,
)
def _blend(
    weights: np.ndarray,
    first: np.ndarray,
    neighbors: np.ndarray,
    looseness: np.ndarray,
    rows: np.ndarray,
    after: np.ndarray,
) -> None:
    """Mix some rows of weights with the mean of their neighbours'."""
    width = weights.shape[1]
    for v in rows:
        share = looseness[v]
        for c in range(width):
            after[v, c] = (1 - share) * weights[v, c]
        share = share / (first[v + 1] - first[v])
        for at in range(first[v], first[v + 1]):
            other = neighbors[at]
            for c in range(width):
                after[v, c] += share * weights[other, c]


def _blended(
    weights: np.ndarray, around: Neighbors, looseness: np.ndarray, iterations: int
) -> np.ndarray:
    """Weights (V, C) float32 spread over a surface, the more the looser (V,) it is."""
    rows = np.flatnonzero(np.diff(around.first)).astype(np.int32)
    for count in (_TIGHT_ITERATIONS, iterations - _TIGHT_ITERATIONS):
        after = weights.copy()  # what is not among the rows stays
        for _ in range(count):
            _blend(weights, around.first, around.members, looseness, rows, after)
            weights, after = after, weights
        rows = rows[looseness[rows] >= _LOOSE]
    return weights


def transferred_skin(
    body_vertex: np.ndarray,
    distance_m: np.ndarray,
    faces: np.ndarray,
    skin_joints: np.ndarray,
    skin_weights: np.ndarray,
    *,
    shared: np.ndarray | None = None,
    mirror: np.ndarray | None = None,
    smoothed: np.ndarray | None = None,
    iterations: int = 24,
) -> tuple[np.ndarray, np.ndarray]:
    """Skinning weights of a free surface: those of the body beneath, smoothed where it is loose.

    Close to the body the weights are the body's, a little smoothed; where the surface stands off,
    they diffuse over it, so that a skirt passes softly from one leg to the other and does not tear.

    Args:
        body_vertex: (V,) the body vertex beneath each vertex.
        distance_m: (V,) how far that is.
        faces: (F, 3) of the surface, closed.
        skin_joints, skin_weights: (B, 4) of the body.
        shared: (V,) 0..1, how much comes from the body vertex mirrored on the other side
            (``skirts.shared_legs``).
        mirror: (B,) that other body vertex, given with ``shared``.
        smoothed: joints whose weights are smoothed, by default all; those of fingers and face are
            many and move nothing that is loose.
        iterations: of smoothing.

    Returns:
        (V, 4) uint16 joints and (V, 4) float32 weights, rows summing to 1.
    """
    count = len(body_vertex)
    joints, carried = skin_joints[body_vertex].astype(np.int64), skin_weights[body_vertex]
    if shared is not None and mirror is not None and shared.any():
        mirrored = mirror[body_vertex]
        joints = np.hstack([joints, skin_joints[mirrored]])
        carried = np.hstack(
            [carried * (1 - shared[:, None]), skin_weights[mirrored] * shared[:, None]]
        )
    used = np.flatnonzero(np.bincount(joints.ravel()))
    compact = np.zeros(int(used[-1]) + 1, np.int64)
    compact[used] = np.arange(len(used))
    dense = np.zeros((count, max(len(used), 4)), np.float32)
    rows = np.arange(count)
    for k in range(joints.shape[1]):
        dense[rows, compact[joints[:, k]]] += carried[:, k]
    looseness = np.clip(0.35 + (distance_m - 0.015) / 0.05, 0.35, 0.95).astype(np.float32)
    around = neighbors_of_closed(faces, count)
    chosen = np.isin(used, used if smoothed is None else smoothed)
    part = np.ascontiguousarray(dense[:, : len(used)][:, chosen])
    dense[:, np.flatnonzero(chosen)] = _blended(part, around, looseness, iterations)
    strongest, kept = strongest_four(dense)
    padded = np.pad(used, (0, max(0, 4 - len(used))))
    return padded[strongest].astype(np.uint16), kept


def strongest_four(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns (V, 4) int32 of the largest weights of each row of (V, C >= 4) float32, largest
    first, and those weights (V, 4) float32 scaled to add up to 1."""
    columns = np.zeros((len(weights), 4), np.int32)
    values = np.zeros((len(weights), 4), np.float32)
    _strongest(np.ascontiguousarray(weights, np.float32), columns, values)
    return columns, values


@kernel("void(float32[:,::1],int32[:,::1],float32[:,::1])")
def _strongest(weights: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
    """The four largest weights of each row, scaled to add up to 1."""
    for v in range(weights.shape[0]):
        total = np.float32(0)
        for k in range(4):
            values[v, k] = -1
        for c in range(weights.shape[1]):
            weight = weights[v, c]
            at = 4
            while at > 0 and weight > values[v, at - 1]:
                at -= 1
            if at == 4:
                continue
            for k in range(3, at, -1):
                values[v, k] = values[v, k - 1]
                columns[v, k] = columns[v, k - 1]
            values[v, at] = weight
            columns[v, at] = c
        for k in range(4):
            total += values[v, k]
        for k in range(4):
            values[v, k] /= total
