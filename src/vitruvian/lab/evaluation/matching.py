"""Match the people found with the true people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vitruvian.lab.evaluation.metrics.silhouette import iou

_APART_M = 0.15  # people whose distances differ less have no order


def mask_overlaps(true: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> np.ndarray:
    """IoU (N, M) of N true and M found masks (H, W) bool."""
    return np.array([[iou(b, a) for b in found] for a in true]).reshape(len(true), len(found))


def in_order(found: Mapping[int, float], true: np.ndarray) -> dict[tuple[int, int], bool]:
    """Of each pair of people who were found and whose true distances differ noticeably, whether
    they are in their true order.

    Args:
        found: distances in metres of those who were found, by index into ``true``.
        true: (P,) metres.
    """
    return {
        (a, b): bool((found[a] < found[b]) == (true[a] < true[b]))
        for a in found
        for b in found
        if a < b and abs(float(true[a] - true[b])) >= _APART_M
    }
