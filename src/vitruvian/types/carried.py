"""Bags and other things that somebody carries, as the picture shows them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.types.camera import Camera
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Carried(Record):
    """Things that somebody carries.

    Attributes:
        mask: (h, w) uint8, 255 where they are, of a small picture of the person.
        camera: of that picture.
    """

    mask: np.ndarray
    camera: Camera

    def seen_by(self, camera: Camera) -> np.ndarray:
        """(height, width) bool, where they are in another window of the same photograph."""
        scale = camera.focal_px / self.camera.focal_px
        (x, y), (u, v) = self.camera.principal_point, camera.principal_point
        to_other = np.array([
            [scale, 0, u - scale * x + 0.5 * (scale - 1)],
            [0, scale, v - scale * y + 0.5 * (scale - 1)],
        ])  # fmt: skip
        return np.asarray(cv2.warpAffine(self.mask, to_other, (camera.width, camera.height)) > 127)
