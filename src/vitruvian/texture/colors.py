"""Colours under uneven light: weighted CIELAB, and the main colours of many pixels."""

from __future__ import annotations

import numpy as np

from vitruvian.image.cielab import cielab

LIGHTNESS = 0.5  # of a difference in lightness that counts: light falls on people from one side
_BLOWN = 205, 245  # levels of the brightest channel: strong light begins to hide a colour
_DARK = 0.4, 0.55  # share not bleached by strong light from which on it tells what all is like
SKIN_TONE = 3.0, 1.0  # least a* and b* of skin in any light
_LEAST_TONED = 0.2  # share of a face that must have it, for the rest to be a hat, or a scarf
_BRIGHT, _NOT_DARK = 80, 0.55  # percentile of a face's lightness, and least share of it: skin
_TRIED = 400  # pixels of which main colours are sought
_LEAST_MEMBERS = 0.12  # share of the pixels, by default, that a main colour stands for


def weighted_lab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) float32 CIELAB, its lightness weighted."""
    return np.asarray(cielab(rgb) * np.array([LIGHTNESS, 1, 1], np.float32))


def not_blown(rgb: np.ndarray) -> np.ndarray:
    """(h, w) float32 0..1, how far colours (h, w, 3) are not hidden by strong light."""
    brightest = rgb.max(2).astype(np.float32)
    share = 1 - (brightest - _BLOWN[0]) / (_BLOWN[1] - _BLOWN[0])
    return np.asarray(np.clip(share, 0, 1), np.float32)


def unbleached(rgb: np.ndarray, source: np.ndarray) -> np.ndarray:
    """(h, w) float32 0..1, how far colours (h, w, 3) are not hidden by strong light; 1 where most
    of ``source`` (h, w) bool is as bright: that is its own colour."""
    clear = not_blown(rgb)
    share = float(clear[source].mean()) if source.any() else 1.0
    return 1 - np.float32(np.clip((share - _DARK[0]) / (_DARK[1] - _DARK[0]), 0, 1)) * (1 - clear)


def skin_of(lab: np.ndarray) -> np.ndarray:
    """(N,) bool, which of a face's weighted colours (N, 3) are its skin: what has the tone of skin,
    where enough has, and is not dark as glasses, brows and beards are."""
    toned = np.asarray((lab[:, 1:] > SKIN_TONE).all(1))
    if toned.mean() < _LEAST_TONED:
        toned = np.ones(len(lab), bool)
    return np.asarray(toned & (lab[:, 0] >= _NOT_DARK * np.percentile(lab[toned, 0], _BRIGHT)))


def apart(lab: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Distances (...) of weighted colours (..., 3) to the nearest of some (K, 3)."""
    # |a - b|² = |a|² - 2 a·b + |b|², as one product of matrices; the least along the slow axis.
    flat = lab.reshape(-1, 3)
    squares = (-2 * colors) @ flat.T + (colors * colors).sum(1)[:, None]
    least = squares.min(0) + np.einsum("nc,nc->n", flat, flat)
    return np.asarray(np.sqrt(np.maximum(least, 0))).reshape(lab.shape[:-1])


def main_colors(lab: np.ndarray, count: int, *, least: float = _LEAST_MEMBERS) -> np.ndarray:
    """At most (count, 3) colours that stand for (N, 3), none of them for a smaller share than
    ``least``."""
    if len(lab) == 0:
        return np.zeros((0, 3), np.float32)
    some = lab[np.random.default_rng(0).permutation(len(lab))[:_TRIED]]
    # As k-means, from colours that lie far apart; a few rounds are as good as many.
    centers = some[:1]
    for _ in range(min(count, len(some)) - 1):
        centers = np.concatenate([centers, some[[apart(some, centers).argmax()]]])
    for _ in range(6):
        near = np.square(some[:, None] - centers).sum(-1).argmin(1)
        sums = np.stack([np.bincount(near, some[:, c], len(centers)) for c in range(3)], 1)
        members = np.bincount(near, minlength=len(centers))[:, None]
        centers = np.where(members > 0, sums / np.maximum(members, 1), centers).astype(np.float32)
    return np.asarray(centers[members[:, 0] >= least * len(some)], np.float32)
