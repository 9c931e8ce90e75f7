"""Cloth that hangs around both legs, on every side: where the picture does not show it, it goes on
as a mirror image of what it shows at the same height.

So patterns, stripes and folds go on, and meet what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.compute import kernel

_SOLID = 0.9  # trust from which on a place is cloth that is repeated
_FAINT, _SURE = 0.02, 0.2  # trust below which its own colours count nothing, from which on all
_LEAST_SHARE = 0.08  # of a ring: less of it tells nothing
_LEAST_RUN = 0.05  # of a ring: less is not mirrored to and fro
_MEET = 0.2  # share of a gap over which what comes from either side passes into the other


@dataclass(frozen=True)
class Tube:
    """Where a tube is in a mesh and its atlas.

    Attributes:
        first: the first vertex of its outer side, whose rings follow each other from the top.
        rings, columns: how many rings there are, and how many vertices in each.
        box: left, bottom, right and top of its part of the atlas, 0..1, where a ring runs from
            right to left.
    """

    first: int
    rings: int
    columns: int
    box: tuple[float, float, float, float]


def goes_around(texture: np.ndarray, tube: Tube, trust: np.ndarray) -> np.ndarray:
    """The atlas with the cloth of a tube wherever the picture does not show it.

    Args:
        texture: (S, S, 3) uint8 sRGB.
        tube: where it is.
        trust: (V,) 0..1 of the mesh's vertices: how surely the picture shows them.
    """
    size = len(texture)
    left, bottom, right, top = (round(side * size) for side in tube.box)
    window = slice(size - top, size - bottom), slice(left, right)
    height, width = top - bottom, right - left
    mine = trust[tube.first : tube.first + tube.rings * tube.columns]
    rings = mine.reshape(tube.rings, tube.columns).astype(np.float32)
    solid = _on_texels(_without_specks(rings), height, width) > _SOLID
    good = np.flatnonzero(solid.mean(1) > _LEAST_SHARE)
    if len(good) == 0:
        return texture
    cloth = texture[window].astype(np.float32)
    whole = np.empty_like(cloth)
    _mirrored(cloth, solid, whole)
    rows = np.arange(height)
    after = np.searchsorted(good, rows).clip(0, len(good) - 1)
    before = (after - 1).clip(0)
    nearest = np.where(rows - good[before] < good[after] - rows, good[before], good[after])
    told = _on_texels(rings, height, width)
    share = np.clip((told - _FAINT) / (_SURE - _FAINT), 0, 1)[..., None]
    whole = whole[nearest]
    out = texture.copy()
    out[window] = np.clip(whole + share * (cloth - whole) + 0.5, 0, 255)
    return out


def _without_specks(trust: np.ndarray) -> np.ndarray:
    """(R, A) trust of a tube's vertices, without single ones that stand out."""
    wide = np.concatenate([trust[:, -2:], trust, trust[:, :2]], 1)
    return np.asarray(cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))[:, 2:-2])


def _on_texels(trust: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width) float32 of a tube's texels, from its vertices (R, A)."""
    rings, columns = trust.shape
    ring = np.column_stack([trust, trust[:, :1]])[:, ::-1]  # texels run the other way
    across = (np.arange(width) + 0.5) / width * columns
    down = (np.arange(height) + 0.5) / height * (rings - 1)
    x, y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
    return np.asarray(cv2.remap(np.ascontiguousarray(ring), x, y, cv2.INTER_LINEAR))


@kernel("void(float32[:,:,::1],boolean[:,::1],float32[:,:,::1])")
def _mirrored(cloth: np.ndarray, solid: np.ndarray, out: np.ndarray) -> None:
    """Rings of colours (H, W, 3) whose gaps are filled from either end with what lies beyond.

    Those that are nowhere solid stay as ``out`` has them.
    """
    height, count = solid.shape
    for row in range(height):
        first = 0
        while first < count and not (solid[row, first] and not solid[row, first - 1]):
            first += 1
        if first == count:  # nowhere, or everywhere
            for x in range(count):
                if solid[row, 0]:
                    for c in range(3):
                        out[row, x, c] = cloth[row, x, c]
            continue
        at = 0
        while at < count:
            run = 0  # of solid places
            while solid[row, (first + at + run) % count] and at + run < count:
                x = (first + at + run) % count
                for c in range(3):
                    out[row, x, c] = cloth[row, x, c]
                run += 1
            end = at + run
            gap = 0
            while end + gap < count and not solid[row, (first + end + gap) % count]:
                gap += 1
            other = 0  # length of the run beyond
            while other < count and solid[row, (first + end + gap + other) % count]:
                other += 1
            for k in range(gap):
                away, beyond = k, gap - 1 - k
                off = away % (2 * run)
                off = min(off, 2 * run - 1 - off)
                left = (first + end - 1 - off) % count
                off = beyond % (2 * other)
                off = min(off, 2 * other - 1 - off)
                right = (first + end + gap + off) % count
                share = ((away + 0.5) / gap - 0.5) / _MEET + 0.5
                share = min(max(share, 0.0), 1.0)
                if run < _LEAST_RUN * count and other > run:
                    share = 1.0
                elif other < _LEAST_RUN * count and run > other:
                    share = 0.0
                x = (first + end + k) % count
                for c in range(3):
                    out[row, x, c] = (1 - share) * cloth[row, left, c] + share * cloth[
                        row, right, c
                    ]
            at = end + gap
