"""A head in the picture, in a window of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_PIXELS = 30  # of anything that is to be believed
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
