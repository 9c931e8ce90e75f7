"""Does the reconstruction tell the truth? It is rendered back over its photograph."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.geometry.mesh import Mesh
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.camera import Camera
from vitruvian.people.figure import Alpha

WORKING_SIZE = 384  # long side in pixels of the compared window


def silhouette_iou(mesh: Mesh, alpha: Alpha, camera: Camera) -> float:
    """Intersection over union, 0..1, of a camera-frame mesh and a person's matte.

    Only what falls inside the photograph counts. The comparison runs on a window around both, at
    most ``WORKING_SIZE`` pixels long.
    """
    pixels = camera.project(mesh.vertices)
    matte_rows, matte_columns = np.nonzero(alpha.values > 127)
    if len(matte_rows) == 0:
        return 0.0
    low = np.minimum(pixels.min(0), [alpha.x + matte_columns.min(), alpha.y + matte_rows.min()])
    high = np.maximum(
        pixels.max(0), [alpha.x + matte_columns.max() + 1, alpha.y + matte_rows.max() + 1]
    )
    x0, y0 = np.maximum(np.floor(low), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high), [camera.width, camera.height]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return 0.0
    scale = min(1.0, WORKING_SIZE / max(x1 - x0, y1 - y0))
    width, height = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    window = np.zeros((y1 - y0, x1 - x0), np.uint8)
    _paste(window, alpha, x0, y0)
    matte = cv2.resize(window, (width, height), interpolation=cv2.INTER_AREA) > 127
    points = (pixels - [x0, y0]) * [width / (x1 - x0), height / (y1 - y0)]
    mask = rasterize(points, mesh.vertices[:, 2], mesh.faces, width, height).mask
    union = np.count_nonzero(mask | matte)
    return float(np.count_nonzero(mask & matte) / union) if union else 0.0


def _paste(window: np.ndarray, alpha: Alpha, x0: int, y0: int) -> None:
    """Copy the part of a matte that lies in ``window``, whose left top is (x0, y0)."""
    height, width = window.shape
    rows, columns = alpha.values.shape
    left, top = max(alpha.x, x0), max(alpha.y, y0)
    right, bottom = min(alpha.x + columns, x0 + width), min(alpha.y + rows, y0 + height)
    if right > left and bottom > top:
        window[top - y0 : bottom - y0, left - x0 : right - x0] = alpha.values[
            top - alpha.y : bottom - alpha.y, left - alpha.x : right - alpha.x
        ]


def check_warnings(silhouette: float, keypoint_error: float) -> list[str]:
    """Sentences about a reconstruction that does not agree with its photograph."""
    warnings = []
    if silhouette < 0.7:
        warnings.append(
            f"The model covers the person in the picture poorly (overlap {silhouette:.2f}); "
            "its shape or pose may be wrong."
        )
    if np.isfinite(keypoint_error) and keypoint_error > 0.05:
        warnings.append(
            f"The model's joints miss those in the picture by {keypoint_error:.0%} of the "
            "person's height; the pose may be wrong."
        )
    return warnings
