"""Every crossing of the rays through the pixels' centres with the faces of meshes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.triangles import corner_weights, pixels_within, twice_area


@dataclass(frozen=True)
class Crossings:
    """Where rays cross faces, pixel after pixel, in the order of the faces.

    Attributes:
        start: (H, W) int64, where a pixel's crossings begin in the arrays below.
        count: (H, W) int16, how many it has.
        depth: (N,) float32 z of the camera frame, metres.
        sign: (N,) int8, 1 where the ray enters (the face looks at the camera), -1 where it leaves.
        part: (N,) int16 of the face.
    """

    start: np.ndarray
    count: np.ndarray
    depth: np.ndarray
    sign: np.ndarray
    part: np.ndarray


@kernel(
    "void(float32[:,::1],float32[::1],int32[:,::1],int16[::1],int64,int64[:,::1],int16[:,::1],"
    "float32[::1],int8[::1],int16[::1])"
)
def _cross(
    points: np.ndarray,
    depth: np.ndarray,
    faces: np.ndarray,
    part: np.ndarray,
    most: int,
    start: np.ndarray,
    count_out: np.ndarray,
    depth_out: np.ndarray,
    sign_out: np.ndarray,
    part_out: np.ndarray,
) -> None:
    """Every crossing of every ray, in the order of the faces (sort them afterwards).

    part (F,): what the face belongs to. Called with empty depth_out, it counts the crossings of
    each pixel, at most ``most``, in count_out; then, with counts of 0 again, it stores them from
    start (H, W) on. sign_out is +1 where the ray enters (the face looks at the camera) and -1
    where it leaves.
    """
    height, width = count_out.shape
    store = len(depth_out) > 0
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        if depth[a] < 0.05 or depth[b] < 0.05 or depth[c] < 0.05:
            continue
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        left, right, top, bottom = pixels_within(x0, y0, x1, y1, x2, y2, width, height)
        if left > right or top > bottom:
            continue
        area = twice_area(x0, y0, x1, y1, x2, y2)
        if abs(area) < 1e-10:
            continue
        inverse = 1.0 / area
        # In the image (y down) a face that looks at the camera runs clockwise: negative area.
        sign = np.int8(1) if area < 0 else np.int8(-1)
        i0, i1, i2 = 1.0 / depth[a], 1.0 / depth[b], 1.0 / depth[c]
        for y in range(top, bottom + 1):
            py = y + 0.5
            for x in range(left, right + 1):
                px = x + 0.5
                w0, w1, w2 = corner_weights(px, py, x0, y0, x1, y1, x2, y2, inverse)
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                k = count_out[y, x]
                if k < most:
                    if store:
                        at = start[y, x] + k
                        depth_out[at] = 1.0 / (w0 * i0 + w1 * i1 + w2 * i2)
                        sign_out[at] = sign
                        part_out[at] = part[t]
                    count_out[y, x] = k + 1


def ray_crossings(
    points: np.ndarray,
    depth: np.ndarray,
    faces: np.ndarray,
    part: np.ndarray,
    width: int,
    height: int,
    most: int,
) -> Crossings:
    """Cross the rays of a picture with faces; those nearer than 5 cm are left out.

    Args:
        points: (V, 2) pixels of the vertices; depth: (V,) their z, metres.
        faces: (F, 3) int; part: (F,) int, what each belongs to.
        width, height: of the picture in pixels.
        most: crossings kept of a ray, the first in the order of the faces.
    """
    points, depth = (np.ascontiguousarray(values, np.float32) for values in (points, depth))
    faces, part = np.ascontiguousarray(faces, np.int32), np.ascontiguousarray(part, np.int16)
    start, total = np.zeros((height, width), np.int64), 0
    # Counted first: room for the most that there could be costs more than drawing twice.
    for _ in range(2):
        count = np.zeros((height, width), np.int16)
        found = np.empty(total, np.float32), np.empty(total, np.int8), np.empty(total, np.int16)
        _cross(points, depth, faces, part, most, start, count, *found)
        ends = np.cumsum(count, dtype=np.int64).reshape(height, width)
        start, total = ends - count, int(ends[-1, -1])
    return Crossings(start, count, *found)
