"""Colours of somebody's clothes and head, as histograms: whom to expect when they come back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import ANKLES, FACE, HIPS, SHOULDERS

_BINS = (16, 4, 4)  # of hue, saturation and value
_RANGES = [0, 180, 0, 256, 0, 256]
_LEAST_PIXELS = 60
_LONG_SIDE = 160  # pixels of the person that are enough
_ABOVE, _HEAD_WIDE = -0.08, 0.35  # trunk lengths: where the head begins, and half of its width
_CLEARLY = 0.3  # cosine between view and front from which on a face or hair is seen


@dataclass(frozen=True, eq=False)
class Looks:
    """Colour histograms of somebody's parts.

    Attributes:
        parts: (4, N) float64, each row of sum 1: upper half, lower half, head from the front and
            head from behind, which are a face and hair; NaN where a part was not seen.
    """

    parts: np.ndarray

    def likeness(self, other: Looks) -> float:
        """0..1, the mean Bhattacharyya coefficient of the parts that both know; NaN for none."""
        both = ~np.isnan(self.parts[:, 0]) & ~np.isnan(other.parts[:, 0])
        if not both.any():
            return float("nan")
        return float(np.sqrt(self.parts[both] * other.parts[both]).sum(1).mean())

    @property
    def common(self) -> float:
        """0..1, share of the clothes in colours that many wear: black, grey and white; 1 where none
        are known."""
        clothes = self.parts[:2][~np.isnan(self.parts[:2, 0])]
        if not len(clothes):
            return 1.0
        bins = clothes.reshape(-1, *_BINS)
        return float(1 - bins[:, :, 1:, 1:].sum((1, 2, 3)).mean())

    def blended(self, newer: Looks, share: float) -> Looks:
        """The running mean after one more look."""
        mixed = (1 - share) * self.parts + share * newer.parts
        mixed = np.where(np.isnan(self.parts), newer.parts, mixed)
        return Looks(np.where(np.isnan(newer.parts), self.parts, mixed))


def looks_of(pixels: np.ndarray, figure: Figure) -> Looks:
    """The histograms of a figure in its frame, (H, W, 3) uint8 sRGB."""
    alpha, points = figure.alpha, figure.landmarks.points
    height, width = alpha.values.shape
    window = pixels[alpha.y : alpha.y + height, alpha.x : alpha.x + width]
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    hsv = cv2.cvtColor(cv2.resize(window, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2HSV)
    mask = cv2.resize(alpha.values, size, interpolation=cv2.INTER_AREA) > 200
    # Along the trunk, whichever way it points.
    shoulders, hips = points[SHOULDERS].mean(0), points[HIPS].mean(0)
    trunk = hips - shoulders
    length = max(float(np.linalg.norm(trunk)), 1.0)
    rows, columns = np.mgrid[: size[1], : size[0]]
    place = np.stack([columns, rows], axis=2) / scale + [alpha.x, alpha.y]
    along = (place - shoulders) @ (trunk / length) / length
    reach = float((points[ANKLES].mean(0) - shoulders) @ (trunk / length) / length)
    middle, side = points[FACE].mean(0), np.array([-trunk[1], trunk[0]]) / length
    head = (along < _ABOVE) & (np.abs((place - middle) @ side) < _HEAD_WIDE * length)
    facing = figure.estimate.rotations[0, 2, 2] if figure.estimate is not None else 0.0
    parts = [
        (along > 0.05) & (along < 0.95),
        (along > 1.1) & (along < max(reach, 1.3)),
        # The camera looks along +z, so who faces it looks along -z.
        head & (facing < -_CLEARLY),
        head & (facing > _CLEARLY),
    ]
    return Looks(np.stack([_histogram(hsv, mask & part) for part in parts]))


def _histogram(hsv: np.ndarray, mask: np.ndarray) -> np.ndarray:
    if np.count_nonzero(mask) < _LEAST_PIXELS:
        return np.full(int(np.prod(_BINS)), np.nan)
    counts = cv2.calcHist([hsv], [0, 1, 2], mask.astype(np.uint8), list(_BINS), _RANGES)
    counts = counts.ravel() + 1e-6
    return np.asarray(counts / counts.sum(), np.float64)
