"""Scene depth: how far away everything in a picture is, and how the camera stands."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.session import session, shipped
from vitruvian.types.camera import Camera

SIDE = 256  # longer side of the picture in the network's input, and the unit of its focal length
CELL = 4  # input pixels per cell of the output
_STRIDE = 32


@dataclass(frozen=True)
class DepthMap:
    """What the network says of a picture.

    Attributes:
        log_depth: (h, w) float32 logarithm of metres along the optical axis, one cell for every
            ``1 / scale`` pixels of the picture.
        log_spread: (h, w) float32 logarithm of the expected error of ``log_depth``.
        up: (3,) float64 the world's up direction in the camera frame, unit length.
        camera_height: of the camera above the ground, metres.
        scale: (x, y) cells per pixel of the picture.
    """

    log_depth: np.ndarray
    log_spread: np.ndarray
    up: np.ndarray
    camera_height: float
    scale: tuple[float, float]


class DepthNet:
    """Our network for the depth of scenes with people, trained on synthetic groups.

    Input: ``image`` (1, H, W, 3) uint8 RGB, 256 pixels on the longer side, padded to multiples of
    32; ``rays`` (1, H/4, W/4, 2) float32, offset of each cell from the principal point in units of
    256 pixels. Output: ``depth`` (1, 2, H/4, W/4), logarithm of depth / (focal length / 256), and
    of its spread; ``stand`` (1, 3), row of the horizon relative to the principal point in units of
    256 pixels, its slope, and the logarithm of the camera's height in metres.
    """

    name = "depth"

    @classmethod
    def available(cls) -> bool:
        """Whether the weights are there."""
        return shipped(cls.name)

    def __call__(self, image: np.ndarray, camera: Camera) -> DepthMap:
        """Run on an (H, W, 3) uint8 RGB picture taken by ``camera``.

        Raises:
            WeightsError: the weights are damaged.
            KeyError: they are not shipped.
        """
        feed, scale = self.preprocess(image, camera)
        depth, stand = session(self.name).run(["depth", "stand"], feed)
        return self.postprocess(depth, stand, image.shape[:2], scale, camera)

    @staticmethod
    def preprocess(
        image: np.ndarray, camera: Camera
    ) -> tuple[dict[str, np.ndarray], tuple[float, float]]:
        """The network's inputs by name, and input pixels per pixel of the picture (x, y)."""
        height, width = image.shape[:2]
        ratio = SIDE / max(height, width)
        new = (max(round(width * ratio), 1), max(round(height * ratio), 1))
        mode = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image, new, interpolation=mode)
        columns, rows = (-(-side // _STRIDE) * _STRIDE for side in new)
        # The encoder's zero, so that what is padded looks like what lies beyond the borders.
        padded = np.full((1, rows, columns, 3), 127, np.uint8)
        padded[0, : new[1], : new[0]] = small
        scale = (new[0] / width, new[1] / height)
        cx, cy = camera.principal_point
        x = np.arange(CELL // 2, columns, CELL) - cx * scale[0]
        y = np.arange(CELL // 2, rows, CELL) - cy * scale[1]
        rays = np.stack(np.meshgrid(x, y), -1)[None] / SIDE
        return {"image": padded, "rays": rays.astype(np.float32)}, scale

    @staticmethod
    def postprocess(
        depth: np.ndarray,
        stand: np.ndarray,
        shape: tuple[int, ...],
        scale: tuple[float, float],
        camera: Camera,
    ) -> DepthMap:
        """Give the outputs their units, without what was padded; ``shape``: of the picture."""
        rows = max(int(np.ceil(shape[0] * scale[1] / CELL)), 1)
        columns = max(int(np.ceil(shape[1] * scale[0] / CELL)), 1)
        focal = camera.focal_px * (scale[0] + scale[1]) / 2 / SIDE
        row, slope, log_height = (float(v) for v in stand[0])
        # The horizon is where rays are level: up . (x, y, focal) = 0.
        up = np.array([slope, -1.0, row / focal])
        return DepthMap(
            log_depth=depth[0, 0, :rows, :columns] + np.float32(np.log(focal)),
            log_spread=depth[0, 1, :rows, :columns],
            up=up / np.linalg.norm(up),
            camera_height=float(np.exp(log_height)),
            scale=(scale[0] / CELL, scale[1] / CELL),
        )
