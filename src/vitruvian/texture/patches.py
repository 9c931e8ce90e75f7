"""Cloth where the picture shows none, such as in the place of a bag: its colours from beside, its
pattern from patches of it.

Patches are laid one after another, each the one of some tries that goes on best from what is there
already (image quilting, Efros and Freeman, 2001). They hold what is finer than the colours of the
surroundings alone, so that light and shade of a place stay its own.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.texture.colors import unbleached
from vitruvian.texture.even_colors import blurred

_SCALES = 0.5, 0.2, 0.08  # of the scale, over which colours are evened
_PATCHES = 0.32, 0.2, 0.12  # of the scale: sides of patches, the largest that there are
_OVERLAP = 0.45  # of a patch
_LEAST_PLACES = 12  # that a patch can be taken from
_TRIED = 64  # places, each of them mirrored, too
_BEST = 6  # of all tries for a place, one of which is taken
_WHOLE = 0.97  # of a patch that must be cloth
_SKIPPED = 2  # every so many-th pixel tells how well a patch goes on
_MOST = 13.0  # levels of standard deviation: lights do not go on all over
_LEAST_SIDE = 6  # pixels
_BLOWN_COUNTS = 0.02  # of what strong light has bleached, as much as of other pixels


def patched(pixels: np.ndarray, source: np.ndarray, wanted: np.ndarray, scale: int) -> np.ndarray:
    """``source`` as it is, what is like it where ``wanted``, and around both: (h, w, 3) float32.

    Args:
        pixels: (h, w, 3) sRGB, 0..255.
        source: (h, w) bool, where they show cloth.
        wanted: (h, w) bool, where that is to be.
        scale: pixels, of patches and of what is near.
    """
    clear = unbleached(pixels, source)
    even = _even(pixels, source * np.maximum(clear, _BLOWN_COUNTS), scale)
    fine = np.where(source[..., None], (pixels.astype(np.float32) - even) * clear[..., None], 0)
    laid = np.where(source[..., None], fine, _laid(fine, source, wanted & ~source, scale))
    return np.asarray(np.clip(even + laid, 0, 255), np.float32)


def _laid(fine: np.ndarray, source: np.ndarray, wanted: np.ndarray, scale: int) -> np.ndarray:
    """(h, w, 3) float32, patches of ``fine`` over all that is wanted; 0 elsewhere."""
    out = np.zeros_like(fine)
    side, places = _places(source, scale)
    rows, columns = (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
    if len(places) == 0 or len(rows) == 0:
        return out
    overlap = max(2, round(_OVERLAP * side))
    step = side - overlap
    patches = np.stack([fine[y : y + side, x : x + side] for y, x in places])
    patches = _calm(np.concatenate([patches, patches[:, :, ::-1]]))
    grey = patches.sum(3)
    weights = _feathered(side, overlap)
    total = np.zeros(wanted.shape, np.float32)
    high, wide = wanted.shape
    rng, used = np.random.default_rng(0), np.zeros(len(patches))
    for y in range(int(rows[0]) - overlap, int(rows[-1]) + 1, step):
        for x in range(int(columns[0]) - overlap, int(columns[-1]) + 1, step):
            window = slice(max(y, 0), min(y + side, high)), slice(max(x, 0), min(x + side, wide))
            if not wanted[window].any():
                continue
            inner = (
                slice(window[0].start - y, window[0].stop - y),
                slice(window[1].start - x, window[1].stop - x),
            )
            there = total[window][::_SKIPPED, ::_SKIPPED]
            if there.any():
                before = out[window][::_SKIPPED, ::_SKIPPED].sum(2) / np.maximum(there, 1e-3)
                tried = grey[(slice(None), *inner)][:, ::_SKIPPED, ::_SKIPPED]
                off = (np.square(before - tried) * (there > 0)).sum((1, 2)) * (1 + used)
                best = np.argpartition(off, _BEST)[:_BEST]
                chosen = int(rng.choice(best))
            else:
                chosen = int(rng.integers(len(patches)))
            used[chosen] += 1  # again and again the same would be a pattern
            weight = weights[inner]
            out[window] += weight[..., None] * patches[chosen][inner]
            total[window] += weight
    return np.asarray(out / np.maximum(total, 1e-3)[..., None])


def _places(source: np.ndarray, scale: int) -> tuple[int, np.ndarray]:
    """The side of patches, and where (N, 2) they can be taken from: row and column."""
    for share in _PATCHES:
        side = max(_LEAST_SIDE, round(share * scale))
        if side >= min(source.shape):
            continue
        counts = cv2.integral(source.astype(np.uint8))
        cloth = counts[side:, side:] - counts[:-side, side:] - counts[side:, :-side]
        cloth = cloth + counts[:-side, :-side]
        places = np.argwhere(cloth >= _WHOLE * side * side)
        if len(places) >= _LEAST_PLACES:
            return side, np.random.default_rng(0).permutation(places)[:_TRIED]
    return 0, np.zeros((0, 2), int)


def _calm(patches: np.ndarray) -> np.ndarray:
    """Patches (N, s, s, 3) without their mean, and not too strong."""
    patches = patches - patches.mean((1, 2), keepdims=True)
    share = np.minimum(1, _MOST / np.maximum(patches.std((1, 2, 3)), 1e-3))
    return np.asarray(share[:, None, None, None] * patches, np.float32)


def _feathered(side: int, overlap: int) -> np.ndarray:
    """(side, side) float32, weights that fall steeply within the overlap."""
    at = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    edge = np.clip(at / overlap, 0, 1) ** 2
    return np.asarray(edge[:, None] * edge[None] + 1e-3, np.float32)


def _even(pixels: np.ndarray, weights: np.ndarray, scale: int) -> np.ndarray:
    """(h, w, 3) float32, colours of what has weight (h, w) everywhere: of its surroundings, which
    are the wider the less of it there is."""
    mask = weights.astype(np.float32)[..., None]
    values = np.concatenate([pixels * mask, mask], axis=2)
    total = values.sum((0, 1))
    out = np.broadcast_to(total[:3] / max(float(total[3]), 1.0), pixels.shape).astype(np.float32)
    for share in _SCALES:
        here = blurred(values, max(1.0, share * scale))
        near = np.clip(5 * here[..., 3:], 0, 1)
        out = out + near * (here[..., :3] / np.maximum(here[..., 3:], 1e-4) - out)
    return out
