"""The layers of a closed surface along every ray of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.crossings import ray_crossings
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

MOST_SPANS = 6
_MOST_CROSSINGS = 24
_LEAST_GAP_M = 0.012  # between two spans; anything narrower is a crease (or a nostril), not a gap
_SAME_M = 1e-5
_HOLLOW_M = 0.09  # between two walls of the head: a mouth, filled


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


def without_gaps(spans: Spans, where: np.ndarray) -> Spans:
    """The spans in one piece, from the first entry to the last exit, at the pixels ``where``."""
    entries, exits, count = spans.entries.copy(), spans.exits.copy(), spans.count.copy()
    several = where & (count > 1)
    exits[several, 0] = spans.back[several]
    entries[several, 1:] = exits[several, 1:] = np.inf
    count[several] = 1
    return Spans(entries, exits, count)


@kernel(
    "void(int64[:,::1],int16[:,::1],float32[::1],int16[::1],float32[:,:,::1],float32[:,:,::1],"
    "int32[:,::1],float32,float32)"
)
def _unite(
    start: np.ndarray,
    crossed: np.ndarray,
    signed: np.ndarray,
    part: np.ndarray,
    entries: np.ndarray,
    exits: np.ndarray,
    count: np.ndarray,
    least_gap: float,
    hollow: float,
) -> None:
    """Spans where the winding number is positive, from crossings whose exits are negated."""
    height, width, most = entries.shape
    for y in range(height):
        for x in range(width):
            begin = start[y, x]
            end = begin + crossed[y, x]
            for i in range(begin + 1, end):  # insertion sort: a handful, nearly always
                value, own = signed[i], part[i]
                k = i - 1
                while k >= begin and abs(signed[k]) > abs(value):
                    signed[k + 1], part[k + 1] = signed[k], part[k]
                    k -= 1
                signed[k + 1], part[k + 1] = value, own
            spans = 0
            winding = 0
            left = 0  # the wall of the last exit
            for i in range(begin, end):
                if i > begin and abs(signed[i] - signed[i - 1]) < _SAME_M:
                    continue  # through an edge: both its faces were counted
                if signed[i] > 0:
                    if winding == 0:
                        inside = part[i] > 0 and part[i] == left
                        gap = hollow if inside else least_gap
                        if spans > 0 and signed[i] - exits[y, x, spans - 1] < gap:
                            spans -= 1  # goes on with the span before
                        elif spans < most:
                            entries[y, x, spans] = signed[i]
                        else:
                            spans -= 1  # too many: the last one swallows the rest
                    winding += 1
                elif winding > 0:
                    winding -= 1
                    exits[y, x, spans] = -signed[i]
                    left = part[i]
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


def ray_spans(mesh: Mesh, camera: Camera, hollows: np.ndarray | None = None) -> Spans:
    """Where the rays of a camera are inside a closed mesh (camera frame).

    Parts that overlap, as limbs do that touch, are united: inside is where the winding number
    along the ray is positive. Faces that come nearer than 5 cm are left out.

    Args:
        mesh: closed.
        camera: of the rays.
        hollows: (F,) int16, above 0 for faces between which nothing is to stay empty: the mouth's.
    """
    depth = np.ascontiguousarray(mesh.vertices[:, 2], np.float32)
    safe = np.where(depth[:, None] > 0.01, mesh.vertices, np.array([0, 0, 1], np.float32))
    found = ray_crossings(
        camera.project(safe),
        depth,
        mesh.faces,
        np.zeros(len(mesh.faces)) if hollows is None else hollows,
        camera.width,
        camera.height,
        _MOST_CROSSINGS,
    )
    count = np.zeros(found.count.shape, np.int32)
    entries = np.full((*count.shape, MOST_SPANS), np.inf, np.float32)
    exits = entries.copy()
    signed = found.depth * found.sign
    _unite(
        found.start, found.count, signed, found.part, entries, exits, count, _LEAST_GAP_M, _HOLLOW_M
    )
    return Spans(entries, exits, count)
