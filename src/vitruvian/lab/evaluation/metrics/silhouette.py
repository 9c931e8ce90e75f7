"""Agreement of two masks: IoU and boundary F-measure."""

from __future__ import annotations

import cv2
import numpy as np

BOUNDARY_TOLERANCE_PX = 3.0


def _masks(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if predicted.shape != true.shape or predicted.ndim != 2:
        raise ValueError(
            f"expected two masks of the same shape (H, W), got {predicted.shape} and {true.shape}"
        )
    return predicted.astype(bool), true.astype(bool)


def iou(predicted: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union (Jaccard index) of two masks (H, W) bool; 1 when both are empty."""
    predicted, true = _masks(predicted, true)
    union = int(np.count_nonzero(predicted | true))
    return int(np.count_nonzero(predicted & true)) / union if union else 1.0


def boundary(mask: np.ndarray) -> np.ndarray:
    """The mask's pixels (H, W) bool that touch (by an edge) a pixel outside of it.

    Where a mask runs into the border of the picture it is cut, not bounded, so pixels there do not
    count for that.
    """
    padded = np.pad(mask.astype(bool), 1, mode="edge")
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return padded[1:-1, 1:-1] & ~inside


def boundary_f(
    predicted: np.ndarray, true: np.ndarray, *, tolerance_px: float = BOUNDARY_TOLERANCE_PX
) -> float:
    """Boundary F-measure of two masks (H, W) bool, at a tolerance in pixels.

    Precision is the share of the predicted boundary within ``tolerance_px`` (Euclidean, between
    pixel centres) of the true one, recall the share of the true boundary within it of the
    predicted one; the measure is their harmonic mean. The F of DAVIS (Perazzi et al. 2016), with a
    tolerance in pixels. 1 when neither has a boundary, 0 when only one has.
    """
    predicted, true = _masks(predicted, true)
    edge, true_edge = boundary(predicted), boundary(true)
    if not edge.any() and not true_edge.any():
        return 1.0
    if not edge.any() or not true_edge.any():
        return 0.0
    precision = float(np.mean(_distance_to(true_edge)[edge] <= tolerance_px))
    recall = float(np.mean(_distance_to(edge)[true_edge] <= tolerance_px))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _distance_to(pixels: np.ndarray) -> np.ndarray:
    """Distance (H, W) float32 of every pixel to the nearest set one."""
    return cv2.distanceTransform((~pixels).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def outside(body: np.ndarray, person: np.ndarray) -> float:
    """The share of a rendered body (H, W) bool that lies outside the person's mask (H, W) bool.

    A body under clothes never fills the mask, so IoU rewards bodies that are too fat; what sticks
    out of the mask is wrong whatever is worn. NaN for a body that is not in the picture.
    """
    body, person = _masks(body, person)
    area = int(np.count_nonzero(body))
    return int(np.count_nonzero(body & ~person)) / area if area else float("nan")
