"""Discs by which masks grow, shrink, open and close."""

from __future__ import annotations

import cv2
import numpy as np


def disc(radius_px: int) -> np.ndarray:
    """(2 r + 1, 2 r + 1) uint8 of 0 and 1 for OpenCV's morphology; the radius in whole pixels."""
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
