"""The parts that every loop over the pixels of triangles shares, compiled into each of them."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel_part


@kernel_part
def pixels_within(
    x0: float, y0: float, x1: float, y1: float, x2: float, y2: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """First and last column, first and last row of pixels whose centres a triangle may cover."""
    left = max(0, int(np.ceil(min(x0, x1, x2) - 0.5)))
    right = min(width - 1, int(np.floor(max(x0, x1, x2) - 0.5)))
    top = max(0, int(np.ceil(min(y0, y1, y2) - 0.5)))
    bottom = min(height - 1, int(np.floor(max(y0, y1, y2) - 0.5)))
    return left, right, top, bottom


@kernel_part
def twice_area(x0: float, y0: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """Of a triangle; in pixels (y down) negative where its corners run counter-clockwise."""
    return (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)


@kernel_part
def corner_weights(
    px: float,
    py: float,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    inverse: float,
) -> tuple[float, float, float]:
    """Barycentric weights of a point; all are 0 or more inside. ``inverse``: of ``twice_area``."""
    w1 = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) * inverse
    w2 = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) * inverse
    return 1.0 - w1 - w2, w1, w2
