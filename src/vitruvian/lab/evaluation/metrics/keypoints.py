"""Reprojection error of keypoints."""

from __future__ import annotations

import numpy as np


def reprojection_error(
    predicted: np.ndarray,
    true: np.ndarray,
    *,
    height_px: float,
    visible: np.ndarray | None = None,
) -> float:
    """Mean distance between keypoints (K, 2) in pixels, as a share of the person's height.

    Args:
        predicted, true: (K, 2) pixels of the picture.
        height_px: height of the person in the picture, the larger side of the box.
        visible: (K,) bool, keypoints that count; all by default.

    Returns:
        The error, or NaN when no keypoint counts.
    """
    predicted, true = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if predicted.shape != true.shape or predicted.ndim != 2 or predicted.shape[1] != 2:
        raise ValueError(
            f"expected two arrays of the same shape (K, 2), got {predicted.shape} and {true.shape}"
        )
    if not height_px > 0:
        raise ValueError(f"height_px must be positive, got {height_px}")
    distances = np.linalg.norm(predicted - true, axis=1)
    if visible is not None:
        distances = distances[np.asarray(visible, bool)]
    return float(distances.mean() / height_px) if len(distances) else float("nan")
