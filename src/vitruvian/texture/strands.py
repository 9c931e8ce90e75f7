"""Hair where the picture shows none: its colours from beside, and strands that fall.

Strands are bands of light and dark, long from the top down and thin across, as strong as those of
the hair that the picture shows.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from vitruvian.texture.colors import unbleached
from vitruvian.texture.even_colors import even_colors

# Strands: of the face's height, how thin, how long, and how strong beside each other.
_STRANDS = (0.006, 0.09, 0.7), (0.018, 0.2, 1.0), (0.045, 0.4, 0.8)
_WAVES = 0.03, 0.25  # of the face's height: how far strands go aside, and within which length
_FAINTEST, _STRONGEST = 1.2, 9.0  # levels of standard deviation of strands
_BLOWN_COUNTS = 0.02  # of what strong light has bleached, as much as of other pixels
_PATTERN = 256, 256  # pixels of a pattern of strands
_PATTERN_HEIGHT = 96  # of a face, at which it is made


def continued(
    pixels: np.ndarray, source: np.ndarray, trust: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``source`` as it is, and hair like it everywhere else: (h, w, 3) float32; likewise what of
    that is finer than its even colours, and the even colours of its rows.

    What strong light has bleached in ``source`` takes the colours of the rest: light from behind
    does not shine through.

    Args:
        pixels: (h, w, 3) uint8 sRGB.
        source: (h, w) bool, where they show hair.
        trust: (h, w) float32 0..1, how much each of those tells of the rest.
        height: of the face in pixels.
    """
    clear = unbleached(pixels, source)
    known = source * np.maximum(clear, _BLOWN_COUNTS)
    even, across = even_colors(pixels, known, known * trust, height)
    fine = np.where(source[..., None], (pixels.astype(np.float32) - even) * clear[..., None], 0)
    strength = fine[source].std(0) if source.any() else np.zeros(3)
    strength = np.clip(strength, _FAINTEST, _STRONGEST).astype(np.float32)
    laid = falling_strands(source.shape, height)[..., None] * strength
    # Source and strands pass into each other.
    soft = cv2.GaussianBlur(source.astype(np.float32), (0, 0), max(0.7, 0.012 * height))
    soft = np.where(source, np.clip(2 * soft - 0.5, 0, 1), 0)[..., None]
    strands = soft * fine + (1 - soft) * laid
    drawn = np.clip(even + strands, 0, 255).astype(np.float32)
    return drawn, strands.astype(np.float32), across.astype(np.float32)


def falling_strands(shape: tuple[int, ...], height: int) -> np.ndarray:
    """(h, w) float32, strands of standard deviation 1 that fall."""
    pattern = _pattern()
    scale = _PATTERN_HEIGHT / max(height, 1)
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * scale
    columns = np.arange(shape[1], dtype=np.float32)[None] * scale
    high, wide = pattern.shape
    x = np.broadcast_to(columns % wide, shape).astype(np.float32)
    y = np.broadcast_to(rows % high, shape).astype(np.float32)
    return np.asarray(cv2.remap(pattern, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


@lru_cache(maxsize=1)
def _pattern() -> np.ndarray:
    """(h, w) float32, a pattern that goes on at its edges."""
    rng = np.random.default_rng(0)
    out = np.zeros(_PATTERN, np.float32)
    for thin, long, strength in _STRANDS:
        noise = rng.normal(size=_PATTERN).astype(np.float32)
        band = _wrapped(noise, max(0.6, thin * _PATTERN_HEIGHT), long * _PATTERN_HEIGHT)
        out += strength / band.std() * band
    far, length = (share * _PATTERN_HEIGHT for share in _WAVES)
    waves = _wrapped(rng.normal(size=_PATTERN).astype(np.float32), length, length)
    rows, columns = np.indices(_PATTERN, np.float32)
    columns = (columns + far / waves.std() * waves) % _PATTERN[1]
    waved = cv2.remap(out, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(waved / waved.std(), np.float32)


def _wrapped(noise: np.ndarray, across: float, down: float) -> np.ndarray:
    """A Gaussian blur of what goes on at its edges."""
    high, wide = noise.shape
    three = np.tile(noise, (3, 3))
    three = cv2.GaussianBlur(three, (0, 0), sigmaX=across, sigmaY=down)
    return np.asarray(three[high : 2 * high, wide : 2 * wide])
