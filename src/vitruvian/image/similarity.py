"""How alike two pictures are inside a mask."""

from __future__ import annotations

import cv2
import numpy as np


def _pictures(
    predicted: np.ndarray, true: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if predicted.shape != true.shape or predicted.shape[:2] != mask.shape:
        raise ValueError(
            f"expected two pictures (H, W, 3) and a mask (H, W), "
            f"got {predicted.shape}, {true.shape} and {mask.shape}"
        )
    for name, picture in (("predicted", predicted), ("true", true)):
        if picture.dtype != np.uint8:
            raise ValueError(f"{name} must be uint8, got {picture.dtype}")
    return predicted.astype(np.float64), true.astype(np.float64), mask.astype(bool)


def psnr(predicted: np.ndarray, true: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB inside a mask.

    ``10 log10(255² / MSE)`` over the pixels and channels of the mask.

    Args:
        predicted, true: (H, W, 3) uint8 sRGB.
        mask: (H, W) bool, what counts.

    Returns:
        dB; inf for equal pictures, NaN for an empty mask.
    """
    a, b, inside = _pictures(predicted, true, mask)
    if not inside.any():
        return float("nan")
    error = float(np.mean((a[inside] - b[inside]) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def ssim(predicted: np.ndarray, true: np.ndarray, mask: np.ndarray) -> float:
    """Structural similarity inside a mask, on luma; 1 for equal pictures.

    SSIM of Wang et al. 2004 (11×11 Gaussian window of 1.5 px, K1 = .01, K2 = .03, range 255) whose
    local means, variances and covariances see only pixels of the mask: the window is multiplied by
    the mask and normalised anew. What lies outside, the background, has no say.

    Args:
        predicted, true: (H, W, 3) uint8 sRGB.
        mask: (H, W) bool, what counts.

    Returns:
        The mean over the mask, or NaN for an empty one.
    """
    a, b, inside = _pictures(predicted, true, mask)
    if not inside.any():
        return float("nan")
    luma = np.array([0.299, 0.587, 0.114])
    x, y, m = a @ luma, b @ luma, inside.astype(np.float64)

    def blur(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5, borderType=cv2.BORDER_CONSTANT)

    # Where the mask is empty for a whole window the weight is 0; those pixels are not read.
    weight = np.maximum(blur(m), 1e-12)
    mean_x, mean_y = blur(x * m) / weight, blur(y * m) / weight
    var_x = np.maximum(blur(x * x * m) / weight - mean_x**2, 0)
    var_y = np.maximum(blur(y * y * m) / weight - mean_y**2, 0)
    covariance = blur(x * y * m) / weight - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return float(values[inside].mean())
