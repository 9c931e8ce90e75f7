"""Colours as people tell them apart: CIELAB."""

from __future__ import annotations

import cv2
import numpy as np


def cielab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (h, w, 3) float32 of sRGB (h, w, 3) 0..255, for white as of D65: L* 0 to 100."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB))
