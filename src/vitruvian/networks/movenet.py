"""MoveNet MultiPose: up to six people, each a box and 17 keypoints, in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.session import run

COCO_KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

MAX_PEOPLE = 6
_STRIDE = 32


@dataclass(frozen=True)
class MoveNetPeople:
    """What one pass found, in the pixels of the image that was given.

    Attributes:
        keypoints: (n, 17, 2) float64 pixels, order of ``COCO_KEYPOINTS``.
        keypoint_scores: (n, 17) float64 in 0..1.
        boxes: (n, 4) float64 x0, y0, x1, y1.
        scores: (n,) float64 in 0..1.
        scale: input pixels per image pixel, to tell how large a person was to the network.
    """

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    scale: float


class MoveNet:
    """Google's MoveNet MultiPose Lightning (Apache-2.0) as a graph with a free input size.

    Input: (1, H, W, 3) int32 RGB 0..255, H and W multiples of 32. Output: (1, 6, 56) float32,
    per person 17 x (y, x, score), then box (ymin, xmin, ymax, xmax) and score, coordinates as
    fractions of the padded input. It works for people of roughly 40 to 260 input pixels.
    """

    name = "movenet_multipose"

    def __init__(self, size: int) -> None:
        """``size``: the long side of the image in the network's input, in pixels."""
        self.size = size

    def __call__(self, image: np.ndarray, threshold: float = 0.25) -> MoveNetPeople:
        """People of an (H, W, 3) uint8 RGB image whose score reaches ``threshold``."""
        tensor, scale = self.preprocess(image)
        (output,) = run(self.name, tensor, ("Identity:0",))
        return self.postprocess(output, tensor.shape[1:3], scale, threshold)

    def preprocess(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Resize, pad to multiples of 32; returns the (1, H, W, 3) int32 tensor and the scale."""
        height, width = image.shape[:2]
        scale = self.size / max(height, width)
        new_w, new_h = max(round(width * scale), 1), max(round(height * scale), 1)
        shrinks = scale < 1
        small = cv2.resize(
            image, (new_w, new_h), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        padded_h, padded_w = (-(-side // _STRIDE) * _STRIDE for side in (new_h, new_w))
        tensor = np.zeros((1, padded_h, padded_w, 3), np.int32)
        tensor[0, :new_h, :new_w] = small
        return tensor, scale

    @staticmethod
    def postprocess(
        output: np.ndarray, padded: tuple[int, ...], scale: float, threshold: float
    ) -> MoveNetPeople:
        """Turn the (1, 6, 56) output into pixels of the image."""
        people = output[0].astype(np.float64)
        people = people[people[:, 55] >= threshold]
        height, width = padded
        to_pixels = np.array([width, height]) / scale
        keypoints = people[:, :51].reshape(-1, 17, 3)
        boxes = people[:, 51:55][:, [1, 0, 3, 2]] * np.tile(to_pixels, 2)
        return MoveNetPeople(
            keypoints=keypoints[..., 1::-1] * to_pixels,
            keypoint_scores=keypoints[..., 2],
            boxes=boxes,
            scores=people[:, 55],
            scale=scale,
        )
