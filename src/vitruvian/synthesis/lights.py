"""Light: what falls in from everywhere (spherical harmonics) and from lamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Light:
    """Light in the camera frame (x right, y down, z forward).

    Attributes:
        harmonics: (9, 3) float32 irradiance over pi as a quadratic in the normal: coefficients of
            1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2.
        lamp_directions: (L, 3) float32 unit vectors towards the lamps.
        lamp_colors: (L, 3) float32 linear radiance over pi.
        sky_directions: (M, 3) float32 unit vectors that sample where ambient light comes from.
    """

    harmonics: np.ndarray
    lamp_directions: np.ndarray
    lamp_colors: np.ndarray
    sky_directions: np.ndarray


def gradient_harmonics(
    up: np.ndarray, above: np.ndarray, below: np.ndarray, extra: np.ndarray | None = None
) -> np.ndarray:
    """Harmonics (9, 3) of light that fades from ``above`` (3,) along ``up`` to ``below``.

    ``extra`` (8, 3) is added to the coefficients after the first.
    """
    out = np.zeros((9, 3), np.float32)
    out[0] = (np.asarray(above) + below) / 2
    slope = (np.asarray(above) - below) / 2
    for row, axis in ((1, 1), (2, 2), (3, 0)):
        out[row] = slope * up[axis]
    if extra is not None:
        out[1:] += extra
    return out


def sky_directions(up: np.ndarray, count: int) -> np.ndarray:
    """Directions (count, 3) spread over the hemisphere about ``up`` (golden spiral, cosine)."""
    up = np.asarray(up, float) / np.linalg.norm(up)
    other = np.eye(3)[np.abs(up).argmin()]
    east = np.cross(up, other)
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    k = np.arange(count) + 0.5
    height = np.sqrt(1 - 0.97 * k / count)
    across = np.sqrt(1 - height**2)
    angle = 2.399963229728653 * k
    out = (
        across[:, None] * (np.cos(angle)[:, None] * east + np.sin(angle)[:, None] * north)
        + height[:, None] * up
    )
    return out.astype(np.float32)
