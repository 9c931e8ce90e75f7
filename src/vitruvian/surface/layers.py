"""The layers of a closed surface along every ray of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from vitruvian.geometry.mesh import Mesh
from vitruvian.image.camera import Camera

MOST_SPANS = 6
_MOST_CROSSINGS = 24
_LEAST_GAP_M = 0.012  # between two spans; anything narrower is a crease (or a nostril), not a gap


@dataclass(frozen=True)
class Spans:
    """Where the rays through the pixels' centres are inside a solid.

    Attributes:
        entries, exits: (H, W, K) float32 depths (z) in metres, nearest first, inf beyond ``count``.
        count: (H, W) int32 spans of each ray.
    """

    entries: np.ndarray
    exits: np.ndarray
    count: np.ndarray

    @property
    def front(self) -> np.ndarray:
        """(H, W) float32 depth of the first surface, inf where there is none."""
        return self.entries[..., 0]

    @property
    def back(self) -> np.ndarray:
        """(H, W) float32 depth of the last surface, inf where there is none."""
        last = np.maximum(self.count - 1, 0)[..., None]
        return np.take_along_axis(self.exits, last, axis=2)[..., 0]

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, where a ray meets the solid."""
        return self.count > 0


@numba.njit(
    "void(float32[:,::1],float32[::1],int32[:,::1],float32[:,:,::1],int32[:,::1])",
    cache=True,
    nogil=True,
)
def _cross(
    points: np.ndarray,
    depth: np.ndarray,
    faces: np.ndarray,
    crossings: np.ndarray,
    count: np.ndarray,
) -> None:
    """Depths of all crossings in the order of the faces; those of exits are negated."""
    height, width, most = crossings.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        if depth[a] < 0.05 or depth[b] < 0.05 or depth[c] < 0.05:
            continue
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        left = max(0, int(np.ceil(min(x0, x1, x2) - 0.5)))
        right = min(width - 1, int(np.floor(max(x0, x1, x2) - 0.5)))
        top = max(0, int(np.ceil(min(y0, y1, y2) - 0.5)))
        bottom = min(height - 1, int(np.floor(max(y0, y1, y2) - 0.5)))
        if left > right or top > bottom:
            continue
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-10:
            continue
        inverse = 1.0 / area
        # In the image (y down) a face that looks at the camera runs clockwise: negative area.
        sign = 1.0 if area < 0 else -1.0
        i0, i1, i2 = 1.0 / depth[a], 1.0 / depth[b], 1.0 / depth[c]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + 0.5, y + 0.5
                w1 = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) * inverse
                w2 = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) * inverse
                w0 = 1.0 - w1 - w2
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                k = count[y, x]
                if k < most:
                    crossings[y, x, k] = sign / (w0 * i0 + w1 * i1 + w2 * i2)
                    count[y, x] = k + 1


@numba.njit(
    "void(float32[:,:,::1],int32[:,::1],float32[:,:,::1],float32[:,:,::1],float32)",
    cache=True,
    nogil=True,
)
def _unite(
    crossings: np.ndarray,
    count: np.ndarray,
    entries: np.ndarray,
    exits: np.ndarray,
    least_gap: float,
) -> None:
    """Spans where the winding number is positive; ``count`` becomes theirs."""
    height, width, most = entries.shape
    for y in range(height):
        for x in range(width):
            n = count[y, x]
            row = crossings[y, x]
            for i in range(1, n):  # insertion sort: a handful, nearly always
                value = row[i]
                k = i - 1
                while k >= 0 and abs(row[k]) > abs(value):
                    row[k + 1] = row[k]
                    k -= 1
                row[k + 1] = value
            spans = 0
            winding = 0
            for i in range(n):
                if row[i] > 0:
                    if winding == 0:
                        if spans > 0 and row[i] - exits[y, x, spans - 1] < least_gap:
                            spans -= 1  # goes on with the span before
                        elif spans < most:
                            entries[y, x, spans] = row[i]
                        else:
                            spans -= 1  # too many: the last one swallows the rest
                    winding += 1
                elif winding > 0:
                    winding -= 1
                    exits[y, x, spans] = -row[i]
                    if winding == 0:
                        spans += 1
            if winding > 0:  # a ray along an edge: closed where it was last seen
                if exits[y, x, spans] < 1e30:
                    spans += 1
                else:
                    entries[y, x, spans] = np.inf
            for i in range(spans, most):
                entries[y, x, i] = np.inf
                exits[y, x, i] = np.inf
            count[y, x] = spans


def ray_spans(mesh: Mesh, camera: Camera) -> Spans:
    """Where the rays of a camera are inside a closed mesh (camera frame).

    Parts that overlap, as limbs do that touch, are united: inside is where the winding number
    along the ray is positive. Faces that come nearer than 5 cm are left out.
    """
    depth = np.ascontiguousarray(mesh.vertices[:, 2], np.float32)
    safe = np.where(depth[:, None] > 0.01, mesh.vertices, np.array([0, 0, 1], np.float32))
    shape = camera.height, camera.width
    crossings = np.empty((*shape, _MOST_CROSSINGS), np.float32)
    count = np.zeros(shape, np.int32)
    pixels = np.ascontiguousarray(camera.project(safe), np.float32)
    _cross(pixels, depth, np.ascontiguousarray(mesh.faces, np.int32), crossings, count)
    entries = np.full((*shape, MOST_SPANS), np.inf, np.float32)
    exits = entries.copy()
    _unite(crossings, count, entries, exits, _LEAST_GAP_M)
    return Spans(entries, exits, count)
