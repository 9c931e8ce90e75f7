"""Hair where the picture shows none: its colours from around, its strands from patches of it.

Cloth in the place of a bag goes on in the same way.

Patches are laid one after another, each the one of some tries that goes on best from what is there
already (image quilting, Efros and Freeman, 2001). They hold what is finer than the colours of the
surroundings alone, so that light and shade of a place stay its own.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.texture.colors import not_blown

_SCALES = 0.5, 0.2, 0.08  # of the face's height, over which colours are evened
_PATCHES = 0.32, 0.2, 0.12  # of the face's height: sides of patches, the largest that there are
_OVERLAP = 0.45  # of a patch
_LEAST_PLACES = 12  # that a patch can be taken from
_TRIED = 64  # places, each of them mirrored, too
_FALLING = 0.5  # of those, the ones whose strands go down
_ACROSS = 1.7  # down for across in its strands, at which a patch is not used
_BEST = 6  # of all tries for a place, one of which is taken
_WHOLE = 0.97  # of a patch that must be hair
_STRENGTH = 1.0  # of strands laid down
_SKIPPED = 2  # every so many-th pixel tells how well a patch goes on
_MOST = 13.0  # levels of standard deviation: highlights do not go on all over
_LEAST_SIDE = 6  # pixels
_DARK = 0.4, 0.55  # share not bleached by strong light from which on it tells what hair is like
_BLOWN_COUNTS = 0.02  # of what strong light has bleached, as much as of other pixels


def continued(
    pixels: np.ndarray, source: np.ndarray, wanted: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """``source`` as it is, what is like it where ``wanted``, and around both: (h, w, 3) float32,
    and likewise what of that is finer than its even colours.

    What strong light has bleached in ``source`` takes the colours of the rest: light from behind
    does not shine through.

    Args:
        pixels: (h, w, 3) uint8 sRGB.
        source: (h, w) bool, where they show hair, or cloth.
        wanted: (h, w) bool, where that is to be.
        height: of the face in pixels, or what scales patches of cloth.
    """
    clear = not_blown(pixels)
    # Where most of it is as bright, that is its own colour.
    share = float(clear[source].mean()) if source.any() else 1.0
    clear = 1 - np.clip((share - _DARK[0]) / (_DARK[1] - _DARK[0]), 0, 1) * (1 - clear)
    even = _even(pixels, source * np.maximum(clear, _BLOWN_COUNTS), height)
    own = pixels.astype(np.float32)
    fine = np.where(source[..., None], (own - even) * clear[..., None], 0)
    laid = _laid(fine, source, wanted & ~source, height)
    # Source and patches pass into each other.
    soft = cv2.GaussianBlur(source.astype(np.float32), (0, 0), max(0.7, 0.012 * height))
    soft = np.where(source, np.clip(2 * soft - 0.5, 0, 1), 0)[..., None]
    strands = soft * fine + (1 - soft) * laid
    return np.asarray(np.clip(even + strands, 0, 255), np.float32), strands.astype(np.float32)


def _laid(fine: np.ndarray, source: np.ndarray, wanted: np.ndarray, height: int) -> np.ndarray:
    """(h, w, 3) float32, patches of ``fine`` over all that is wanted; 0 elsewhere."""
    out = np.zeros_like(fine)
    side, places = _places(source, height)
    rows, columns = (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
    if len(places) == 0 or len(rows) == 0:
        return out
    overlap = max(2, round(_OVERLAP * side))
    step = side - overlap
    patches = np.stack([fine[y : y + side, x : x + side] for y, x in places])
    patches = _falling(np.concatenate([patches, patches[:, :, ::-1]]))
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
    # Means of patches that do not quite agree are fainter than either.
    return np.asarray(_STRENGTH * out / np.maximum(total, 1e-3)[..., None])


def _places(source: np.ndarray, height: int) -> tuple[int, np.ndarray]:
    """The side of patches, and where (N, 2) they can be taken from: row and column."""
    for share in _PATCHES:
        side = max(_LEAST_SIDE, round(share * height))
        if side >= min(source.shape):
            continue
        counts = cv2.integral(source.astype(np.uint8))
        hair = counts[side:, side:] - counts[:-side, side:] - counts[side:, :-side]
        hair = hair + counts[:-side, :-side]
        places = np.argwhere(hair >= _WHOLE * side * side)
        if len(places) >= _LEAST_PLACES:
            return side, np.random.default_rng(0).permutation(places)[:_TRIED]
    return 0, np.zeros((0, 2), int)


def _falling(patches: np.ndarray) -> np.ndarray:
    """Those patches (N, s, s, 3) whose strands go down rather than across, for hair falls behind;
    the fainter, the more they go across."""
    patches = patches - patches.mean((1, 2), keepdims=True)
    grey = patches.sum(3)
    across, down = (np.abs(np.diff(grey, axis=axis)).mean((1, 2)) for axis in (2, 1))
    leaning = down / np.maximum(across, 1e-6)
    best = np.argsort(leaning)[: max(_BEST + 1, round(_FALLING * len(patches)))]
    share = np.clip(_ACROSS - leaning[best], 0, 1)
    share = share * np.minimum(1, _MOST / np.maximum(patches[best].std((1, 2, 3)), 1e-3))
    share = share[:, None, None, None]
    return np.asarray(share * patches[best], np.float32)


def _feathered(side: int, overlap: int) -> np.ndarray:
    """(side, side) float32, weights that fall steeply within the overlap."""
    at = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    edge = np.clip(at / overlap, 0, 1) ** 2
    return np.asarray(edge[:, None] * edge[None] + 1e-3, np.float32)


def _even(pixels: np.ndarray, weights: np.ndarray, height: int) -> np.ndarray:
    """(h, w, 3) float32, colours of what has weight (h, w) everywhere: of its surroundings, which
    are the wider the less of it there is."""
    mask = weights.astype(np.float32)[..., None]
    values = np.concatenate([pixels * mask, mask], axis=2)
    total = values.sum((0, 1))
    out = np.broadcast_to(total[:3] / max(float(total[3]), 1.0), pixels.shape).astype(np.float32)
    for scale in _SCALES:
        here = blurred(values, max(1.0, scale * height))
        share = np.clip(5 * here[..., 3:], 0, 1)
        out = out + share * (here[..., :3] / np.maximum(here[..., 3:], 1e-4) - out)
    return out


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur; a wide one of a smaller picture, which looks the same."""
    step = max(1, int(sigma / 2))
    height, width = values.shape[:2]
    size = max(1, -(-width // step)), max(1, -(-height // step))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA) if step > 1 else values
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height)) if step > 1 else small)
