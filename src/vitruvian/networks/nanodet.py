"""NanoDet: boxes of people and bags at 416 pixels; it lists more people than MoveNet can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.session import run

INPUT_SIZE = 416
# COCO classes: people; backpacks, handbags and suitcases.
PERSON, BAGS = (0,), (24, 26, 28)
_BINS = 11  # distances 0..10 strides to each side of the box, as a distribution
# ImageNet statistics in the order and range of the published model (BGR, 0..255).
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_STD = np.array([57.375, 57.12, 58.395], np.float32)
# Per stride: class scores, box distributions.
_HEADS = {
    8: ("Identity:0", "Identity_3:0"),
    16: ("Identity_1:0", "Identity_4:0"),
    32: ("Identity_2:0", "Identity_5:0"),
}


@dataclass(frozen=True)
class Boxes:
    """Boxes (n, 4) float64 x0, y0, x1, y1 in pixels and scores (n,) float64 in 0..1."""

    boxes: np.ndarray
    scores: np.ndarray


class NanoDet:
    """NanoDet-m at 416 px (Apache-2.0), trained on COCO's 80 classes.

    Input: (1, 3, 416, 416) float32, normalised. Outputs per stride s in 8, 16, 32: class scores
    (1, n, 80) and, for each side of the box, a distribution over 11 distances in units of s,
    (1, n, 44): the "generalized focal loss" box of Li et al. (NeurIPS 2020).
    """

    name = "nanodet"

    def __call__(
        self,
        image: np.ndarray,
        threshold: float = 0.4,
        overlap: float = 0.6,
        classes: tuple[int, ...] = PERSON,
    ) -> Boxes:
        """People, or things of other ``classes``, of an (H, W, 3) uint8 RGB image.

        ``threshold`` is the lowest score kept and ``overlap`` the IoU above which the weaker of
        two boxes is dropped.
        """
        tensor, scale = self.preprocess(image)
        names = tuple(name for pair in _HEADS.values() for name in pair)
        outputs = run(self.name, tensor, names)
        found = self.postprocess(outputs, scale, threshold, classes)
        keep = non_maximum_suppression(found.boxes, found.scores, overlap)
        return Boxes(found.boxes[keep], found.scores[keep])

    @staticmethod
    def preprocess(image: np.ndarray) -> tuple[np.ndarray, float]:
        """Resize, pad bottom and right; returns the tensor and input pixels per image pixel."""
        height, width = image.shape[:2]
        scale = INPUT_SIZE / max(height, width)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        padded = np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.float32)
        padded[: size[1], : size[0]] = (small[..., ::-1] - _MEAN) / _STD
        return np.ascontiguousarray(padded.transpose(2, 0, 1))[None], scale

    @staticmethod
    def postprocess(
        outputs: list[np.ndarray],
        scale: float,
        threshold: float,
        classes: tuple[int, ...] = PERSON,
    ) -> Boxes:
        """Decode some classes of the six outputs (stride by stride, scores then boxes)."""
        boxes, scores = [], []
        for i, stride in enumerate(_HEADS):
            likely = outputs[2 * i][0][:, classes].max(axis=1)
            index = np.flatnonzero(likely >= threshold)
            cells = INPUT_SIZE // stride
            centers = (np.stack([index % cells, index // cells], axis=1) + 0.5) * stride
            logits = outputs[2 * i + 1][0, index].reshape(-1, 4, _BINS).astype(np.float64)
            weights = np.exp(logits - logits.max(axis=2, keepdims=True))
            distances = (weights @ np.arange(_BINS)) / weights.sum(axis=2) * stride
            boxes.append(
                np.concatenate([centers - distances[:, :2], centers + distances[:, 2:]], axis=1)
            )
            scores.append(likely[index].astype(np.float64))
        return Boxes(np.concatenate(boxes) / scale, np.concatenate(scores))


def non_maximum_suppression(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Indices of the boxes kept, best score first; IoU above ``overlap`` drops the weaker."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    for i in order:
        if all(box_iou(boxes[i], boxes[j]) <= overlap for j in kept):
            kept.append(int(i))
    return np.array(kept, dtype=np.intp)


def boxes_meet(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> bool:
    """Whether two boxes x0, y0, x1, y1 have an area in common."""
    return bool(min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1]))


def box_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    intersection = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - intersection
    return float(intersection / union)
