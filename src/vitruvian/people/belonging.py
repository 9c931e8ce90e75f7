"""To whom the colours of contested pixels belong: to whoever is surely of such colours there.

In a crop of several people BlazePose's mask takes in a neighbour's sleeve or the hem of a coat, as
surely as the neighbour's own mask does. Colours tell whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.nanodet import boxes_meet
from vitruvian.people.matte import CoarseMask, others_of

# Bins: bands of the person's height, and of L, a and b, 8 bits each.
_BANDS, _LAB = 10, (12, 16, 16)
_LAB_WIDTH = (22, 16, 16)
_SPREAD = (0.5, 0.35, 0.5, 0.5)  # of a bin's count that each of its neighbours gets, by axis
_LEAST_SHARE = 2e-4  # of a band's pixels, below which colours are equally strange
_SURE, _FOREIGN = 1.0, -1.0  # own logits above and others' below which pixels are surely theirs
_LEAST_PIXELS = 100
_MOST = 6.0  # logarithm of the ratio of two people's shares
_SMOOTH = 0.02  # of the person's height, over which it is averaged
_WEIGHT = 3.0  # of it in units of logits


@dataclass(frozen=True)
class _Palette:
    """Logarithms (_BANDS, bins) of how frequent colours are in bands of somebody's window."""

    shares: np.ndarray
    top: float
    height: float

    def of(self, colors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(h, w) of colours by their bin (h, w), in rows (h,) of the image."""
        return np.asarray(self.shares[_bands(rows, self.top, self.height)[:, None], colors])


def own_colors(image: np.ndarray, masks: Sequence[CoarseMask]) -> list[np.ndarray]:
    """How much more each person's colours are theirs than anybody else's, in logits of claims.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: of everybody.

    Returns:
        (h, w) float32 in the grid of each mask; zeros where nobody else's mask is near.
    """
    out = [np.zeros_like(mask.logits) for mask in masks]
    logits = [mask.logits for mask in masks]
    near = [others_of(index, masks, logits) for index in range(len(masks))]
    if not any((mask.logits > 0)[other > 0].any() for mask, other in zip(masks, near, strict=True)):
        return out
    colors = [_bins(image, mask) for mask in masks]
    rows = [mask.window[1] + (np.arange(len(mask.logits)) + 0.5) / mask.scale for mask in masks]
    palettes = [_palette(*each) for each in zip(masks, near, colors, rows, strict=True)]
    for index, (mask, palette) in enumerate(zip(masks, palettes, strict=True)):
        others = [
            other
            for at, other in enumerate(palettes)
            if at != index and other is not None and boxes_meet(mask.window, masks[at].window)
        ]
        if palette is None or not others or not (near[index] > 0).any():
            continue
        theirs = np.max([other.of(colors[index], rows[index]) for other in others], axis=0)
        ratio = np.clip(palette.of(colors[index], rows[index]) - theirs, -_MOST, _MOST)
        side = 2 * max(1, round(_SMOOTH * mask.size / 2)) + 1
        out[index] = np.float32(_WEIGHT) * cv2.blur(ratio.astype(np.float32), (side, side))
    return out


def _bins(image: np.ndarray, mask: CoarseMask) -> np.ndarray:
    """The bin (h, w) of each pixel's colour, in the grid of a mask."""
    lab = cv2.cvtColor(np.ascontiguousarray(mask.region(image)), cv2.COLOR_RGB2LAB)
    light, a, b = np.moveaxis(lab // np.array(_LAB_WIDTH, np.uint8), 2, 0).astype(np.int32)
    return np.asarray((light * _LAB[1] + a) * _LAB[2] + b)


def _bands(rows: np.ndarray, top: float, height: float) -> np.ndarray:
    """The band (h,) that rows (h,) of the image are in, of a window."""
    return np.clip((rows - top) / height * _BANDS, 0, _BANDS - 1).astype(np.int32)


def _palette(
    mask: CoarseMask, others: np.ndarray, colors: np.ndarray, rows: np.ndarray
) -> _Palette | None:
    """Colours of what is surely somebody's; None where that is too little."""
    core = (mask.logits > _SURE) & (others < _FOREIGN)
    if np.count_nonzero(core) < _LEAST_PIXELS:
        return None
    top, height = float(mask.window[1]), float(mask.window[3] - mask.window[1])
    bands = _bands(rows, top, height)
    bins = int(np.prod(_LAB))
    counted = np.bincount((bands[:, None] * bins + colors)[core], minlength=_BANDS * bins)
    table = counted.astype(np.float32).reshape(_BANDS, *_LAB)
    for axis, share in enumerate(_SPREAD):
        spread = np.moveaxis(table.copy(), axis, 0)
        source = np.moveaxis(table, axis, 0)
        spread[1:] += np.float32(share) * source[:-1]
        spread[:-1] += np.float32(share) * source[1:]
        table = np.moveaxis(spread, 0, axis)
    flat = table.reshape(_BANDS, bins)
    flat = flat / (flat.sum(axis=1, keepdims=True) + np.float32(1e-6))
    return _Palette(np.log(flat + np.float32(_LEAST_SHARE)), top, height)
