"""Even colours for a place that a picture does not show, from what is to the left and the right.

Rows count more than what is near: hair has other colours at its roots than at its tips, and below a
hat's brim there is hair, not hat.
"""

from __future__ import annotations

import cv2
import numpy as np

_DOWN = 0.5, 0.18, 0.06  # of the height that scales it, over which rows are evened
_ENOUGH = 0.12, 0.1, 0.08  # likewise, how wide what tells must be there
_ASIDE = 0.3  # likewise, from the middle, from which on a side's own colour counts
_OTHER_SIDE = 0.25  # share of the other side in a side's own colour
_NEAR = 0.07  # likewise, around what is known, where its own colours go on


def even_colors(
    pixels: np.ndarray, known: np.ndarray, weights: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) float32, the even colours of what is known, and everywhere what goes on from it;
    and likewise without what is known's own, each row from one side's colour to the other's.

    Args:
        pixels: (h, w, 3) sRGB, 0..255.
        known: (h, w) float32 0..1, how far they show what is to be continued.
        weights: (h, w) float32 0..1, how much each of those tells of the rest.
        height: pixels, of a face, or what else scales it.
    """
    mask = known.astype(np.float32)[..., None]
    own = blurred(np.concatenate([pixels * mask, mask], axis=2), max(1.0, _NEAR * height))
    near = np.clip(2.2 * own[..., 3:] - 0.4, 0, 1)
    across = _across(pixels, weights.astype(np.float32), height)
    even = across + near * (own[..., :3] / np.maximum(own[..., 3:], 1e-4) - across)
    return np.asarray(even), across


def _across(pixels: np.ndarray, weights: np.ndarray, height: int) -> np.ndarray:
    """(h, w, 3) float32, each row from its left side's colour to its right side's."""
    rows, columns = weights.shape
    at = np.arange(columns, dtype=np.float32)
    total = float(weights.sum())
    middle = float(weights.sum(0) @ at) / max(total, 1e-6)
    aside = np.clip((at - middle) / max(2 * _ASIDE * height, 1) + 0.5, 0, 1)
    aside = aside * aside * (3 - 2 * aside)
    shares = np.stack([1 - aside, aside], 1)
    weighted = np.concatenate([pixels * weights[..., None], weights[..., None]], axis=2)
    sums = np.einsum("hwc,ws->hsc", weighted, shares).reshape(rows, 8).astype(np.float32)
    mean = weighted.sum((0, 1))[:3] / max(total, 1e-6)
    out = np.broadcast_to(mean, (rows, 2, 3)).astype(np.float32)
    for scale, enough in zip(_DOWN, _ENOUGH, strict=True):
        sigma = max(0.8, scale * height)
        size = 1, 2 * min(int(3 * sigma), 4 * rows) + 1
        here = cv2.GaussianBlur(
            sums[:, None], size, sigmaX=0.1, sigmaY=sigma, borderType=cv2.BORDER_CONSTANT
        ).reshape(rows, 2, 4)
        share = np.clip(here[..., 3:].sum(1, keepdims=True) / max(enough * height, 1), 0, 1)
        here = (1 - _OTHER_SIDE) * here + _OTHER_SIDE * here[:, ::-1]
        out = out + share * (here[..., :3] / np.maximum(here[..., 3:], 1e-4) - out)
    return out[:, :1] * (1 - aside)[None, :, None] + out[:, 1:] * aside[None, :, None]


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur; a wide one of a smaller picture, which looks the same."""
    step = max(1, int(sigma / 2))
    height, width = values.shape[:2]
    size = max(1, -(-width // step)), max(1, -(-height // step))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA) if step > 1 else values
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height)) if step > 1 else small)
