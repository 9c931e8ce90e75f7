"""sRGB's curve (IEC 61966-2-1), both ways."""

from __future__ import annotations

import numpy as np


def srgb_decoded(values: np.ndarray) -> np.ndarray:
    """Linear light 0..1 of sRGB values 0..1, of any shape, in their own precision."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_encoded(linear: np.ndarray) -> np.ndarray:
    """sRGB values 0..1 of linear light 0..1, of any shape, in its own precision."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
