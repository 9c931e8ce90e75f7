"""Square, rotated crops around a person and the affine maps between them and the image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.blazepose import CROP_SIZE


@dataclass(frozen=True)
class Crop:
    """A square window of an image, turned so that ``up`` points to its top edge.

    Attributes:
        center: (2,) float64 continuous pixels of the image.
        up: (2,) float64 unit vector in the image (y down, so upright is (0, -1)).
        side: length of the square's side in image pixels.
    """

    center: np.ndarray
    up: np.ndarray
    side: float

    @property
    def rotation(self) -> np.ndarray:
        """(2, 2) turn from the crop's axes (x right, y down) to the image's."""
        ux, uy = self.up
        return np.array([[-uy, -ux], [ux, -uy]])

    def image_from_crop(self, size: int = CROP_SIZE) -> np.ndarray:
        """The (2, 3) affine map from continuous pixels of the crop to those of the image."""
        linear = self.rotation * (self.side / size)
        offset = self.center - linear @ [size / 2, size / 2]
        return np.concatenate([linear, offset[:, None]], axis=1)

    def to_image(self, points: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
        """Image pixels (n, 2) of crop pixels (n, 2)."""
        matrix = self.image_from_crop(size)
        return points @ matrix[:, :2].T + matrix[:, 2]

    def extract(self, image: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
        """The (size, size, 3) uint8 crop of an (H, W, 3) uint8 image; black outside of it."""
        height, width = image.shape[:2]
        reach = self.side * np.abs(self.rotation).sum(axis=1) / 2 + 2
        x0, y0 = np.clip(np.floor(self.center - reach), 0, [width - 1, height - 1]).astype(int)
        x1, y1 = np.clip(np.ceil(self.center + reach), [x0 + 1, y0 + 1], [width, height]).astype(
            int
        )
        source = image[y0:y1, x0:x1]
        origin, scale = np.array([x0, y0], dtype=np.float64), np.ones(2)
        shrink = self.side / size
        if shrink > 1.5:
            # Bilinear sampling skips pixels beyond a factor of two: shrink by area first.
            new = (max(round((x1 - x0) / shrink), 1), max(round((y1 - y0) / shrink), 1))
            source = cv2.resize(source, new, interpolation=cv2.INTER_AREA)
            scale = np.array([new[0] / (x1 - x0), new[1] / (y1 - y0)])
        matrix = self.image_from_crop(size)
        matrix = np.concatenate(
            [matrix[:, :2] * scale[:, None], ((matrix[:, 2] - origin) * scale)[:, None]], axis=1
        )
        return cv2.warpAffine(
            source,
            to_index_coordinates(matrix),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )

    def paste(
        self, values: np.ndarray, window: tuple[int, int, int, int], scale: float, outside: float
    ) -> np.ndarray:
        """Resample a map of the crop onto a window of the image.

        Args:
            values: (size, size) float32 in the crop.
            window: x0, y0, x1, y1 in image pixels.
            scale: pixels of the result per image pixel.
            outside: value beyond the crop.

        Returns:
            (h, w) float32 with h = round((y1 - y0) * scale).
        """
        x0, y0, x1, y1 = window
        new = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
        per_pixel = np.array([(x1 - x0) / new[0], (y1 - y0) / new[1]])
        size = values.shape[0]
        linear = self.rotation.T * (size / self.side)
        offset = linear @ (np.array([x0, y0]) - self.center) + size / 2
        crop_from_window = np.concatenate([linear * per_pixel, offset[:, None]], axis=1)
        return cv2.warpAffine(
            values,
            to_index_coordinates(crop_from_window),
            new,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=outside,
        )


def to_index_coordinates(matrix: np.ndarray) -> np.ndarray:
    """A (2, 3) map of continuous pixels as OpenCV wants it, where pixel centres are integers."""
    offset = matrix[:, 2] + matrix[:, :2] @ [0.5, 0.5] - 0.5
    return np.concatenate([matrix[:, :2], offset[:, None]], axis=1)
