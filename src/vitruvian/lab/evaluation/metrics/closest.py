"""Exact closest points on a triangle mesh, by a bounding-volume tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel, kernel_part

_FACES_PER_LEAF = 4


@kernel_part
def _spread_bits(value: np.uint64) -> np.uint64:
    # 21 bits, two zeros between each: the interleaving of a Morton code.
    value &= np.uint64(0x1FFFFF)
    value = (value | (value << np.uint64(32))) & np.uint64(0x1F00000000FFFF)
    value = (value | (value << np.uint64(16))) & np.uint64(0x1F0000FF0000FF)
    value = (value | (value << np.uint64(8))) & np.uint64(0x100F00F00F00F00F)
    value = (value | (value << np.uint64(4))) & np.uint64(0x10C30C30C30C30C3)
    return (value | (value << np.uint64(2))) & np.uint64(0x1249249249249249)


@kernel("void(uint64[:,::1],uint64[::1])")
def _morton_codes(cells: np.ndarray, codes: np.ndarray) -> None:
    for i in range(len(cells)):
        codes[i] = (
            _spread_bits(cells[i, 0])
            | (_spread_bits(cells[i, 1]) << np.uint64(1))
            | (_spread_bits(cells[i, 2]) << np.uint64(2))
        )


@kernel_part
def _box_distance2(box: np.ndarray, x: float, y: float, z: float) -> float:
    dx = max(box[0] - x, 0.0, x - box[3])
    dy = max(box[1] - y, 0.0, y - box[4])
    dz = max(box[2] - z, 0.0, z - box[5])
    return dx * dx + dy * dy + dz * dz


@kernel_part
def _dot(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> float:
    return ax * bx + ay * by + az * bz


@kernel_part
def _closest_on_edges(
    p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> tuple[float, float, float]:
    """Barycentric weights of the point closest to p on a triangle without area."""
    corners = (a, b, c)
    best, best_start, best_t = np.inf, 0, 0.0
    for start in range(3):
        q, r = corners[start], corners[(start + 1) % 3]
        ex, ey, ez = r[0] - q[0], r[1] - q[1], r[2] - q[2]
        length2 = _dot(ex, ey, ez, ex, ey, ez)
        t = 0.0
        if length2 > 0.0:
            t = _dot(ex, ey, ez, p[0] - q[0], p[1] - q[1], p[2] - q[2]) / length2
            t = min(max(t, 0.0), 1.0)
        dx, dy, dz = q[0] + t * ex - p[0], q[1] + t * ey - p[1], q[2] + t * ez - p[2]
        d = _dot(dx, dy, dz, dx, dy, dz)
        if d < best:
            best, best_start, best_t = d, start, t
    if best_start == 0:
        return 1.0 - best_t, best_t, 0.0
    if best_start == 1:
        return 0.0, 1.0 - best_t, best_t
    return best_t, 0.0, 1.0 - best_t


@kernel_part
def _closest_weights(
    p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> tuple[float, float, float]:
    """Barycentric weights of the point of triangle abc closest to p.

    In scalars: small arrays would be allocated for every triangle that is looked at.
    """
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    acx, acy, acz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    nx, ny, nz = aby * acz - abz * acy, abz * acx - abx * acz, abx * acy - aby * acx
    scale = _dot(abx, aby, abz, abx, aby, abz) + _dot(acx, acy, acz, acx, acy, acz)
    if _dot(nx, ny, nz, nx, ny, nz) <= 1e-20 * scale * scale:
        return _closest_on_edges(p, a, b, c)
    x, y, z = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    d1, d2 = _dot(abx, aby, abz, x, y, z), _dot(acx, acy, acz, x, y, z)
    if d1 <= 0.0 and d2 <= 0.0:
        return 1.0, 0.0, 0.0
    x, y, z = p[0] - b[0], p[1] - b[1], p[2] - b[2]
    d3, d4 = _dot(abx, aby, abz, x, y, z), _dot(acx, acy, acz, x, y, z)
    if d3 >= 0.0 and d4 <= d3:
        return 0.0, 1.0, 0.0
    vc = d1 * d4 - d3 * d2
    if vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        v = d1 / (d1 - d3)
        return 1.0 - v, v, 0.0
    x, y, z = p[0] - c[0], p[1] - c[1], p[2] - c[2]
    d5, d6 = _dot(abx, aby, abz, x, y, z), _dot(acx, acy, acz, x, y, z)
    if d6 >= 0.0 and d5 <= d6:
        return 0.0, 0.0, 1.0
    vb = d5 * d2 - d1 * d6
    if vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        w = d2 / (d2 - d6)
        return 1.0 - w, 0.0, w
    va = d3 * d6 - d5 * d4
    if va <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        total = (d4 - d3) + (d5 - d6)
        w = (d4 - d3) / total
        return 0.0, 1.0 - w, w
    total = va + vb + vc
    return va / total, vb / total, vc / total


@kernel_part
def _walk(
    p: np.ndarray,
    triangles: np.ndarray,
    leaf_starts: np.ndarray,
    boxes: np.ndarray,
    best: float,
    closest: np.ndarray,
) -> tuple[float, int]:
    """Squared distance to and index of the closest triangle nearer than ``best`` (squared)."""
    leaves = len(leaf_starts) - 1
    stack = np.empty(128, np.int64)
    stack_distance2 = np.empty(128)
    best_face = -1
    stack[0], stack_distance2[0], top = 1, _box_distance2(boxes[1], p[0], p[1], p[2]), 1
    while top > 0:
        top -= 1
        node = stack[top]
        if stack_distance2[top] >= best:
            continue
        if node < leaves:
            near, far = 2 * node, 2 * node + 1
            near_d = _box_distance2(boxes[near], p[0], p[1], p[2])
            far_d = _box_distance2(boxes[far], p[0], p[1], p[2])
            if far_d < near_d:
                near, far, near_d, far_d = far, near, far_d, near_d
            if far_d < best:
                stack[top], stack_distance2[top] = far, far_d
                top += 1
            if near_d < best:
                stack[top], stack_distance2[top] = near, near_d
                top += 1
            continue
        leaf = node - leaves
        for t in range(leaf_starts[leaf], leaf_starts[leaf + 1]):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            u, v, w = _closest_weights(p, a, b, c)
            x = u * a[0] + v * b[0] + w * c[0]
            y = u * a[1] + v * b[1] + w * c[1]
            z = u * a[2] + v * b[2] + w * c[2]
            d = (x - p[0]) ** 2 + (y - p[1]) ** 2 + (z - p[2]) ** 2
            if d < best:
                best, best_face = d, t
                closest[0], closest[1], closest[2] = x, y, z
    return best, best_face


@kernel(
    "void(float64[:,::1],int64[::1],float64[:,:,::1],int64[::1],float64[:,::1],float64[::1],"
    "int64[::1],float64[:,::1])"
)
def _query(
    points: np.ndarray,
    order: np.ndarray,
    triangles: np.ndarray,
    leaf_starts: np.ndarray,
    boxes: np.ndarray,
    distance2_out: np.ndarray,
    face_out: np.ndarray,
    closest_out: np.ndarray,
) -> None:
    previous = -1
    for i in order:
        p = points[i]
        bound = np.inf
        if previous >= 0:
            # No farther than the previous point's closest one; the slack is for rounding.
            q = closest_out[previous]
            bound = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2
            bound = bound * (1 + 1e-9) + 1e-18
        best, face = _walk(p, triangles, leaf_starts, boxes, bound, closest_out[i])
        if face < 0:
            best, face = _walk(p, triangles, leaf_starts, boxes, np.inf, closest_out[i])
        distance2_out[i], face_out[i] = best, face
        previous = i


@dataclass(frozen=True)
class ClosestPoints:
    """The nearest points of a mesh to some points.

    Attributes:
        points: (N, 3) float64, on the mesh.
        distances: (N,) float64, in the unit of the mesh.
        faces: (N,) int64, the face each lies on.
    """

    points: np.ndarray
    distances: np.ndarray
    faces: np.ndarray


class ClosestPointTree:
    """Answers which point of a mesh is closest, exactly.

    A balanced binary tree of boxes over the faces in Morton order (as linear BVHs, Lauterbach et
    al. 2009), walked nearest child first; the closest point of a triangle after Ericson,
    "Real-Time Collision Detection" (2005), section 5.1.5.

    Args:
        vertices: (V, 3), any unit, finite.
        faces: (F, 3) int, F >= 1.

    Raises:
        ValueError: there are no faces, or vertices are not finite.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        triangles = np.asarray(vertices, np.float64)[np.asarray(faces)]  # (F, 3, 3)
        if len(triangles) == 0:
            raise ValueError("a mesh without faces has no closest points")
        if not np.isfinite(triangles).all():
            raise ValueError("the mesh has vertices that are not finite")
        self._order = _morton_order(triangles.mean(1))
        self._triangles = np.ascontiguousarray(triangles[self._order])
        leaves = 1 << max(0, int(np.log2(max(1, len(triangles) // _FACES_PER_LEAF))))
        self._starts = np.arange(leaves + 1, dtype=np.int64) * len(triangles) // leaves
        boxes = np.empty((2 * leaves, 6))
        boxes[0] = 0
        lows, highs = self._triangles.min(1), self._triangles.max(1)
        boxes[leaves:, :3] = np.minimum.reduceat(lows, self._starts[:-1])
        boxes[leaves:, 3:] = np.maximum.reduceat(highs, self._starts[:-1])
        level = leaves
        while level > 1:  # parents of nodes level..2*level-1
            children = boxes[level : 2 * level].reshape(-1, 2, 6)
            boxes[level // 2 : level, :3] = children[:, :, :3].min(1)
            boxes[level // 2 : level, 3:] = children[:, :, 3:].max(1)
            level //= 2
        self._boxes = boxes

    def query(self, points: np.ndarray) -> ClosestPoints:
        """The closest points of the mesh to ``points`` (N, 3), finite."""
        points = np.ascontiguousarray(points, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"points must have shape (N, 3), got {points.shape}")
        if not np.isfinite(points).all():
            raise ValueError("points must be finite")
        distance2 = np.empty(len(points))
        faces = np.empty(len(points), np.int64)
        closest = np.empty((len(points), 3))
        if len(points):
            _query(
                points,
                _morton_order(points),  # neighbours one after the other, for the bound and cache
                self._triangles,
                self._starts,
                self._boxes,
                distance2,
                faces,
                closest,
            )
        return ClosestPoints(closest, np.sqrt(distance2), self._order[faces])


def _morton_order(points: np.ndarray) -> np.ndarray:
    """Indices (N,) int64 that sort points (N, 3), N >= 1, along a space-filling curve."""
    low = points.min(0)
    extent = max(float((points.max(0) - low).max()), 1e-30)
    cells = ((points - low) / extent * (2**21 - 1)).astype(np.uint64)
    codes = np.empty(len(cells), np.uint64)
    _morton_codes(np.ascontiguousarray(cells), codes)
    return np.argsort(codes, kind="stable").astype(np.int64)
