"""Encoding pictures for files, chosen for speed."""

from __future__ import annotations

import cv2
import numpy as np


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG bytes of grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4) uint8 pixels."""
    # OpenCV's own defaults (run lengths over differences to the left) are right for speed: setting
    # a compression level turns on zlib's matching, on photographs twice as slow and no smaller.
    return _encode(".png", pixels, [])


def encode_jpeg(pixels: np.ndarray, *, quality: int = 90, full_chroma: bool = False) -> bytes:
    """JPEG bytes of grey (H, W) or RGB (H, W, 3) uint8 pixels.

    ``full_chroma`` stores colours at the size of the picture instead of half of it (4:4:4).
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if full_chroma:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _encode(".jpg", pixels, options)


def _encode(suffix: str, pixels: np.ndarray, options: list[int]) -> bytes:
    if pixels.dtype != np.uint8:
        raise ValueError(f"pixels must be uint8, got {pixels.dtype}")
    if pixels.ndim == 3:
        order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[pixels.shape[2]]
        pixels = cv2.cvtColor(pixels, order)
    done, data = cv2.imencode(suffix, pixels, options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {pixels.shape} as {suffix}")
    return data.tobytes()
