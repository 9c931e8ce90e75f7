"""A head in the picture, in a window of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.image.cielab import cielab

LEAST_PIXELS = 30  # of anything that is to be believed
LIGHTNESS = 0.5  # of a difference in lightness that counts: light falls on faces from one side
SURELY_FACE = 0.7  # weight from which on a place is surely the face's
JAW = 0.15  # of the face's height above the chin: below are beards and collars, or hair that hangs
_NAPE = 0.04  # likewise: so much above the chin short hair ends behind


@dataclass(frozen=True)
class Head:
    """A head in the picture, in a window of its own.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        alpha: (h, w) uint8, the person's matte.
        mask: (h, w) bool, what of the surface's head is seen.
        face: (h, w) float32, how far the face is there.
        chin: its row; height: of the face in pixels; middle: the face's column.
    """

    pixels: np.ndarray
    alpha: np.ndarray
    mask: np.ndarray
    face: np.ndarray
    chin: int
    height: int
    middle: float

    @property
    def nape(self) -> int:
        """The row at which short hair ends behind."""
        return max(int(self.chin - _NAPE * self.height), 1)

    def above_chin(self, share: float) -> int:
        """The row that is so much of the face's height above the chin, 0 or more."""
        return max(int(self.chin - share * self.height), 0)


def weighted_lab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) float32 CIELAB, its lightness weighted."""
    return np.asarray(cielab(rgb) * np.array([LIGHTNESS, 1, 1], np.float32))


def apart(lab: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Distances (...) of weighted colours (..., 3) to the nearest of some (K, 3)."""
    # |a - b|² = |a|² - 2 a·b + |b|², as one product of matrices.
    squares = lab @ (-2 * colors.T) + (colors * colors).sum(1)
    least = squares.min(-1) + np.einsum("...c,...c->...", lab, lab)
    return np.asarray(np.sqrt(np.maximum(least, 0)))
