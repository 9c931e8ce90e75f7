"""The pinhole camera of a photograph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

FocalSource = Literal["exif", "given", "assumed"]

# Without any other knowledge: a 35 mm-equivalent lens of about 50 mm, the middle of what people
# are photographed with. Half to double of it changes root-relative results little.
ASSUMED_FOCAL_PER_LONG_SIDE = 1.4


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without lens distortion.

    Camera frame as in OpenCV: x right, y down, z forward, metres. Image coordinates are
    continuous pixels: the centre of the top-left pixel is at (0.5, 0.5) and the image spans
    [0, width] x [0, height].
    """

    focal_px: float
    width: int
    height: int
    principal_point: tuple[float, float]
    source: FocalSource = "assumed"

    @staticmethod
    def centered(
        focal_px: float, width: int, height: int, source: FocalSource = "assumed"
    ) -> Camera:
        """A camera whose principal point is the middle of the image."""
        return Camera(float(focal_px), width, height, (width / 2, height / 2), source)

    @staticmethod
    def from_fov(fov_deg: float, width: int, height: int) -> Camera:
        """A camera from its field of view, in degrees, across the longer side of the image."""
        focal = max(width, height) / 2 / np.tan(np.deg2rad(fov_deg) / 2)
        return Camera.centered(float(focal), width, height, "given")

    @staticmethod
    def assumed(width: int, height: int) -> Camera:
        """A camera for a picture that says nothing of its lens."""
        return Camera.centered(ASSUMED_FOCAL_PER_LONG_SIDE * max(width, height), width, height)

    @property
    def fov_deg(self) -> float:
        """Field of view across the longer side, in degrees."""
        return float(2 * np.rad2deg(np.arctan(max(self.width, self.height) / 2 / self.focal_px)))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of camera-frame points (..., 3) in metres; z must be positive."""
        points = np.asarray(points)
        xy = points[..., :2] / points[..., 2:3]
        return xy * self.focal_px + np.asarray(self.principal_point)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Directions (..., 3) with z = 1, camera frame, through pixels (..., 2)."""
        xy = (np.asarray(pixels, dtype=np.float64) - self.principal_point) / self.focal_px
        return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)

    def window(self, x: float, y: float, scale: float, width: int, height: int) -> Camera:
        """The camera of the window whose left top is (x, y), resized by ``scale`` to
        ``width`` x ``height`` pixels."""
        cx, cy = self.principal_point
        return replace(
            self,
            focal_px=self.focal_px * scale,
            width=width,
            height=height,
            principal_point=((cx - x) * scale, (cy - y) * scale),
        )

    def scaled(self, scale: float, width: int, height: int) -> Camera:
        """The same camera for the picture resized by ``scale`` to ``width`` x ``height``."""
        return self.window(0, 0, scale, width, height)
