"""Match the people found with the true people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vitruvian.lab.evaluation.metrics.silhouette import iou


def mask_overlaps(true: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> np.ndarray:
    """IoU (N, M) of N true and M found masks (H, W) bool."""
    return np.array([[iou(b, a) for b in found] for a in true]).reshape(len(true), len(found))
