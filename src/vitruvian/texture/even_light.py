"""Light taken out of what unseen sides take from the front.

A back that continues its front would have the light of the front: bright where the front faces
the sun, dark in its folds. So what it takes from there is first evened: broad light as a function
of the normal (``light``), then, cloth by cloth, what else differs from the cloth's own brightness
over more than a few centimetres. Patterns and seams are finer, or other colours, and stay.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.image.cielab import cielab
from vitruvian.texture.colors import main_colors
from vitruvian.texture.light import (
    estimate_light,
    harmonics,
    linear_from_srgb,
    luminance_of,
)
from vitruvian.texture.view import View
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK

_ROWS = 144  # of the small picture
_PAIRS = 2500
_INSIDE = 150  # of the matte
_SMOOTHED = 1.0  # pixels of the small picture, by which normals and the light are
_LIGHTNESS = 0.15  # of a difference in lightness that tells two cloths apart: the rest is light
_PARTS = (TRUNK,), (LEFT_ARM, RIGHT_ARM), (LEFT_LEG, RIGHT_LEG)
_CLOTHS, _LEAST = 4, 0.04  # of those each, the share that one has
_LOOKED_AT = 200  # pixels of each of those, for its cloths
_FEW = 30  # pixels that are no cloth
_EVENED = 1.5  # pixels of the small picture, over which a cloth is as bright as itself
_MOST = 0.8  # in log luminance, either way
_FLOOR = 0.003  # linear luminance that is noise
_GAMMA = 2.2


def light_of(view: View, mesh: Mesh, normals: np.ndarray) -> np.ndarray:
    """The light on a person as the window shows it, (h, w) float32 of a smaller picture: the
    logarithm of luminance that is too much, 0 where nobody is.

    Args:
        view: the window.
        mesh: that it shows, camera frame.
        normals: (V, 3) of its vertices.
    """
    height, width = view.alpha.shape
    scale = min(1.0, _ROWS / height)
    size = max(4, round(width * scale)), max(4, round(height * scale))
    rgb = cv2.resize(view.pixels, size, interpolation=cv2.INTER_AREA)
    matte, part, vertex = (
        cv2.resize(one, size, interpolation=cv2.INTER_NEAREST)
        for one in (view.alpha, view.part, view.vertex)
    )
    mask = (matte > _INSIDE) & (vertex >= 0)
    out = np.zeros(mask.shape, np.float32)
    if mask.sum() < _FEW:
        return out
    linear = linear_from_srgb(rgb)
    there = np.where(mask[..., None], normals[np.maximum(vertex, 0)], 0).astype(np.float32)
    facing = np.asarray(cv2.GaussianBlur(there, (0, 0), _SMOOTHED))[mask]
    facing = facing / np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-6)
    rows = np.flatnonzero(mask.any(1))
    places = np.argwhere(mask) / float(rows[-1] - rows[0] + 1)
    light = estimate_light(linear[mask], facing, places, pairs=_PAIRS)
    bright = harmonics(facing) @ light
    out[mask] = np.clip(bright - np.median(bright), -_MOST, _MOST)
    out += _of_cloths(rgb, linear, out, np.where(mask, part, 255))
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _SMOOTHED)
    even = cv2.GaussianBlur(out * mask, (0, 0), _SMOOTHED) / np.maximum(weight, 1e-3)
    return np.asarray(np.clip(even, -_MOST, _MOST), np.float32)


def _of_cloths(
    rgb: np.ndarray, linear: np.ndarray, light: np.ndarray, part: np.ndarray
) -> np.ndarray:
    """(h, w) float32, what each cloth of trunk, arms and legs is brighter than by itself, beside
    ``light`` (h, w)."""
    log = np.log(luminance_of(linear) + _FLOOR).astype(np.float32) - light
    seen = cielab(rgb * np.exp(-light / _GAMMA)[..., None]) * np.array(
        [_LIGHTNESS, 1, 1], np.float32
    )
    cloth, count = np.full(part.shape, -1), 0
    for numbers in _PARTS:
        own = np.isin(part, numbers)
        if own.sum() < _FEW:
            continue
        mine = seen[own]
        colors = main_colors(mine[:: 1 + len(mine) // _LOOKED_AT], _CLOTHS, least=_LEAST)
        near = np.square(mine[:, None] - colors).sum(2).argmin(1)
        cloth[own] = count + near
        count += len(colors)
    out = np.zeros(part.shape, np.float32)
    there = cloth >= 0
    if count == 0:
        return out
    weight = (cloth[..., None] == np.arange(count)).astype(np.float32)
    size = 2 * round(2.5 * _EVENED) + 1
    sums = cv2.GaussianBlur(np.dstack([weight * log[..., None], weight]), (size, size), _EVENED)
    at = np.maximum(cloth, 0)[..., None]
    local, mass = (np.take_along_axis(sums, at + k, 2)[..., 0] for k in (0, count))
    own = np.array([np.median(log[cloth == k]) if (cloth == k).any() else 0 for k in range(count)])
    out[there] = (local / np.maximum(mass, 1e-3))[there] - own[cloth[there]]
    return out


def evened(pixels: np.ndarray, light: np.ndarray) -> np.ndarray:
    """The picture (h, w, 3) uint8 without that light (h', w')."""
    height, width = pixels.shape[:2]
    gain = cv2.resize(np.exp(light / -_GAMMA), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(pixels * gain[..., None] + np.float32(0.5), 0, 255), np.uint8)
