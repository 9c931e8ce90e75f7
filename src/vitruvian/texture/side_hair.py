"""Hair for the sides and the crown of a head, which a picture from the front hardly shows.

What spreads there from what is seen is smooth, and as bright as the outline before the sky. Sides
have the even colours and the strands that the back of the head has (``back_of_head``), looked up by
height and depth instead of height and width; strands on the crown by width and depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.atlas import TexelMap
from vitruvian.geometry.normals import vertex_normals
from vitruvian.texture.projection import look_up
from vitruvian.texture.view import View
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import HEAD

_UNSEEN = 3  # power of what is not seen: half seen, the photograph says more
_LEAST_HAIR = 0.25  # of a face's corners: where there may be any
_CROWN = 0.55, 0.85  # of the normal's vertical part: from where on the crown begins, is certain


@dataclass(frozen=True)
class Strands:
    """What hair looks like from behind, in a part of a person's window.

    Attributes:
        fine: (h, w, 3) float32, levels beside its even colours, 0 where there is none.
        even: (h, w, 3) float32 sRGB, those.
        first, last: (h,) float32, the columns between which each row has some; equal where not.
        top, left: of its first pixel in the window.
        scale: its pixels to one of the window.
    """

    fine: np.ndarray
    even: np.ndarray
    first: np.ndarray
    last: np.ndarray
    top: int
    left: int
    scale: float

    @staticmethod
    def of(
        fine: np.ndarray, even: np.ndarray, hair: np.ndarray, top: int, left: int, scale: float
    ) -> Strands | None:
        """Of those that ``hair`` (h, w) bool has, all rows between the first and the last; None
        without any."""
        rows = np.flatnonzero(hair.any(1))
        if len(rows) == 0:
            return None
        kept = slice(int(rows[0]), int(rows[-1]) + 1)
        fine, hair = fine[kept], hair[kept]
        first = hair.argmax(1)
        last = np.where(hair.any(1), hair.shape[1] - 1 - hair[:, ::-1].argmax(1), first)
        return Strands(
            np.where(hair[..., None], fine, 0).astype(np.float32),
            even[kept],
            first.astype(np.float32),
            last.astype(np.float32),
            top + round(kept.start / scale),
            left,
            scale,
        )

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(N, 6) float32 at places of the window, to and fro where hair is narrower there: strands
        and even colours."""
        down = to_and_fro((rows - self.top) * self.scale, 0, len(self.fine) - 1)
        y = np.rint(down).astype(int)
        first, last = self.first[y], self.last[y]
        x = np.rint(to_and_fro((columns - self.left) * self.scale, first, last)).astype(int)
        return np.concatenate([self.fine[y, x], self.even[y, x]], axis=1)


def to_and_fro(values: np.ndarray, low: np.ndarray | int, high: np.ndarray | int) -> np.ndarray:
    """Values reflected into ``low``..``high``, of the same shape or single."""
    span = np.maximum(np.asarray(high, np.float32) - low, 1e-3)
    along = np.abs((values - low + span) % (2 * span) - span)
    return np.asarray(np.minimum(low + along, high))


def with_strands(
    colors: np.ndarray,
    strands: Strands,
    view: View,
    texels: TexelMap,
    mesh: Mesh,
    grows: np.ndarray,
) -> np.ndarray:
    """Colours (N, 3) uint8 of an atlas's covered texels, with hair where it ``grows`` (V,) 0..1
    and the photograph shows neither the point nor what is before it."""
    chosen = np.flatnonzero((grows[mesh.faces].max(1) > _LEAST_HAIR)[texels.faces])
    if len(chosen) == 0:
        return colors
    corners, weights = mesh.faces[texels.faces[chosen]], texels.barycentric[chosen]
    normals = vertex_normals(mesh.vertices, mesh.faces)
    values = np.concatenate([mesh.vertices, normals, grows[:, None]], axis=1).astype(np.float32)
    at = np.einsum("nk,nkc->nc", weights, values[corners])
    points, normal = at[:, :3], at[:, 3:6]
    parts = np.full(len(points), HEAD, np.uint8)
    found = look_up(view, points, normal, parts)
    share = at[:, 6] * (1 - found.seen) ** _UNSEEN * (1 - np.maximum(found.behind - found.seen, 0))
    some = share > 0.02
    if not some.any():
        return colors
    chosen, points, normal, share = chosen[some], points[some], normal[some], share[some]
    pixels = view.camera.project(points)
    head = mesh.vertices[grows > _LEAST_HAIR]
    middle, scale = head.mean(0), view.camera.focal_px / float(head[:, 2].mean())
    deep = (points[:, 2] - middle[2]) * scale
    center = view.camera.project(middle[None])[0]
    beside = strands.at(pixels[:, 1], center[0] + deep)
    above = strands.at(strands.top + deep - deep.min(), pixels[:, 0])
    upright = np.abs(normal[:, 1]) / np.maximum(np.linalg.norm(normal, axis=1), 1e-6)
    crown = np.clip((upright - _CROWN[0]) / (_CROWN[1] - _CROWN[0]), 0, 1)[:, None]
    fine = beside[:, :3] + crown * (above[:, :3] - beside[:, :3])
    out = colors.copy()
    mixed = out[chosen] + share[:, None] * (beside[:, 3:] + fine - out[chosen])
    out[chosen] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return out
