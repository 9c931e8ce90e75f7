"""Relief that the photograph itself shows: what is darker than its surroundings lies deeper.

Less light reaches seams, pockets and creases, so that small dark lines are mostly small valleys
("dark is deep": Beeler et al., 2010, "High-quality single-shot capture of facial geometry"). Print,
dirt and hair are dark without being deep, which the picture tells in part: where its chroma changes
with its lightness, something is coloured, not shaded.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vitruvian.geometry.normals import unit_normals
from vitruvian.surface.maps import SurfaceMaps

_GRAIN_PX, _FINE_PX = 0.8, 5.0  # sigma: finer is noise, broader is light
_DEEP_PX = 7.0  # pixels of depth for light less by a factor of e
_STEEPEST = 0.6  # slope that no line exceeds
_MOST = 1.0  # of the network's own fine relief, over the person: twice in all
_NETWORK_PX = 6.0  # sigma: that relief is what is finer
_CHROMA = 0.04  # of log ratios between colour channels, that makes relief doubtful
_CHROMA_PX = 3.0  # sigma: around which it is looked for
_RIM_PX = 4  # beside the outline the background shows through
# sRGB is about light to the power of 1 / 2.2; what is added keeps shadows, which hold noise, small.
_LOG_LIGHT = (2.2 * np.log(np.arange(256) + 24)).astype(np.float32)
_MEAN = np.full((1, 3), 1 / 3, np.float32)
_RATIOS = np.array([[-1, 1, 0], [-1, 0, 1]], np.float32)


def photographed(
    maps: SurfaceMaps, pixels: np.ndarray, alpha: np.ndarray, printed: np.ndarray
) -> SurfaceMaps:
    """The maps with the front's fine relief made deeper where the picture is darker.

    Args:
        maps: of one person.
        pixels: (H, W, 3) uint8 sRGB in their window.
        alpha: (H, W) uint8, the person's matte.
        printed: (H, W) float32 0..1, where cloth is printed (``refined_maps.printed``).
    """
    inside = cv2.erode(alpha, np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8))
    weight = inside.astype(np.float32) / np.float32(255)
    logs = cv2.LUT(pixels, _LOG_LIGHT)
    light = cv2.transform(logs, _MEAN)
    fine = cv2.GaussianBlur(light, (0, 0), _GRAIN_PX) - _around(light, weight)
    believed = weight * (1 - printed) * _shaded(logs, weight)
    depth = -_DEEP_PX * fine * believed
    slopes = [cv2.Sobel(depth, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))]
    squares = slopes[0] ** 2 + slopes[1] ** 2
    limit = 1 / np.sqrt(1 + squares / _STEEPEST**2)
    ours = float((squares * limit**2).sum())
    if ours > 0:
        limit *= min(1.0, _MOST * np.sqrt(_fine_power(maps.front_normals, weight) / ours))
    bent = maps.front_normals.copy()
    # Of a surface z(x, y) seen from the front, the normal is (dz/dx, dz/dy, -1) at unit length.
    limit *= np.maximum(-bent[..., 2], 0)
    for axis, slope in enumerate(slopes):
        bent[..., axis] += slope * limit
    return replace(maps, front_normals=unit_normals(bent))


def _fine_power(normals: np.ndarray, weight: np.ndarray) -> float:
    """The sum of squares of what is fine in normals (H, W, 3), x and y, where there is weight."""
    few = np.ascontiguousarray(normals[::2, ::2, :2])
    fine = few - cv2.GaussianBlur(few, (0, 0), _NETWORK_PX / 2)
    return 4 * float((np.einsum("hwc,hwc->hw", fine, fine) * weight[::2, ::2]).sum())


def _around(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The mean of values (H, W) around every pixel, of those with weight."""
    sums, counts = (
        cv2.GaussianBlur(_halved(one), (0, 0), _FINE_PX / 2) for one in (values * weight, weight)
    )
    return _as_large(sums / np.maximum(counts, 1e-3), values)


def _shaded(logs: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How far (H, W) 0..1 the picture's changes are light alone, from its channels' logarithms."""
    # Light scales all channels alike: their ratios tell colours apart.
    ratios = cv2.transform(_halved(logs), _RATIOS)
    fine = ratios - cv2.GaussianBlur(ratios, (0, 0), _FINE_PX / 2)
    busy = np.einsum("hwc,hwc->hw", fine, fine) * _halved(weight) / np.float32(2.2**2)
    busy = cv2.GaussianBlur(busy, (0, 0), _CHROMA_PX / 2)
    return _as_large(1 / (1 + busy / np.float32(_CHROMA**2)), weight)


def _halved(values: np.ndarray) -> np.ndarray:
    height, width = values.shape[:2]
    return cv2.resize(values, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def _as_large(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return cv2.resize(values, whole.shape[1::-1])
