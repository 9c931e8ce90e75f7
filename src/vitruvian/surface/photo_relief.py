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

from vitruvian.surface.maps import SurfaceMaps, unit

_GRAIN_PX, _FINE_PX = 0.8, 5.0  # sigma: finer is noise, broader is light
_DEEP_PX = 7.0  # pixels of depth for light less by a factor of e
_STEEPEST = 0.6  # slope that is halved; none is twice as steep
_MOST = 1.0  # of the network's own fine relief, over the person: twice in all
_NETWORK_PX = 6.0  # sigma: that relief is what is finer
_CHROMA = 0.04  # of log ratios between colour channels, that makes relief doubtful
_CHROMA_PX = 3.0  # sigma: around which it is looked for
_RIM_PX = 4  # beside the outline the background shows through
_DARK = 24.0  # of 255, added: shadows hold noise


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
    logs = np.log(pixels.astype(np.float32) + np.float32(_DARK))
    light = logs.mean(2)
    # sRGB is about light to the power of 1 / 2.2.
    fine = 2.2 * (cv2.GaussianBlur(light, (0, 0), _GRAIN_PX) - _around(light, weight))
    believed = weight * (1 - printed) * _shaded(logs, weight)
    depth = _DEEP_PX * -fine * believed
    slope = np.stack(
        [cv2.Sobel(depth, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))]
    )
    length = np.sqrt(np.einsum("khw,khw->hw", slope, slope))
    slope *= _STEEPEST * np.tanh(length / _STEEPEST) / np.maximum(length, 1e-6)
    normals = maps.front_normals
    own = normals[..., :2] - cv2.GaussianBlur(normals[..., :2], (0, 0), _NETWORK_PX)
    theirs = float((np.einsum("hwc,hwc->hw", own, own) * weight).sum())
    ours = float((slope**2 * weight).sum())
    if ours > 0:
        slope *= min(1.0, _MOST * np.sqrt(theirs / ours))
    bent = normals.copy()
    # Of a surface z(x, y) seen from the front, the normal is (dz/dx, dz/dy, -1) at unit length.
    bent[..., :2] += slope.transpose(1, 2, 0) * np.maximum(-normals[..., 2:], 0)
    return replace(maps, front_normals=unit(bent))


def _around(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The mean of values (H, W) around every pixel, of those with weight."""
    sums, counts = (cv2.GaussianBlur(one, (0, 0), _FINE_PX) for one in (values * weight, weight))
    return np.asarray(sums / np.maximum(counts, 1e-3))


def _shaded(logs: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How far (H, W) 0..1 the picture's changes are light alone, from its channels' logarithms."""
    # Light scales all channels alike: their ratios tell colours apart.
    ratios = logs[..., 1:] - logs[..., :1]
    fine = cv2.GaussianBlur(ratios, (0, 0), _GRAIN_PX) - cv2.GaussianBlur(ratios, (0, 0), _FINE_PX)
    busy = cv2.GaussianBlur(np.einsum("hwc,hwc->hw", fine, fine) * weight, (0, 0), _CHROMA_PX)
    return np.asarray(1 / (1 + busy / _CHROMA**2))
