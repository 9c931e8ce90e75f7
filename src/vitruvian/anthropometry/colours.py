"""Whether front and side show the same clothes: their colours, where both are photographs."""

from __future__ import annotations

import numpy as np

_INSIDE = 230
# Shares of the figure's height, from the top: the trunk, and the thighs.
_ROWS = ((0.24, 0.40), (0.54, 0.66))
_LEAST_PIXELS = 60
_DARKEST = 0.01  # of linear light: below, noise tells one black from another


def clothes_colours(pixels: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """Logarithms (2, 3) of the median linear light of trunk and thighs; NaN where too little is
    seen.

    Args:
        pixels: (H, W, 3) uint8 sRGB of somebody who stands upright.
        matte: (H, W) uint8, 255 on them.
    """
    inside = matte >= _INSIDE
    rows = np.flatnonzero(inside.any(1))
    out = np.full((2, 3), np.nan)
    if len(rows) == 0:
        return out
    top, height = rows[0], rows[-1] + 1 - rows[0]
    for part, (start, end) in zip(out, _ROWS, strict=True):
        band = slice(top + round(start * height), top + round(end * height))
        seen = pixels[band][inside[band]]
        if len(seen) >= _LEAST_PIXELS:
            part[:] = np.log(_linear(np.median(seen, axis=0)) + _DARKEST)
    return out


def clothes_apart(one: np.ndarray, other: np.ndarray) -> float:
    """How far two people's ``clothes_colours`` differ, in the half in which they are more alike; 0
    where one is not known.

    In one place and light: somebody who turns changes little, and pictures on a shirt's front
    change only one half.
    """
    apart = np.abs(one - other).mean(1)
    return 0.0 if np.isnan(apart).any() else float(apart.min())


def _linear(value: np.ndarray) -> np.ndarray:
    """Linear light 0..1 of sRGB values 0..255."""
    value = value / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
