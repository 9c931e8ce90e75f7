"""Whether the picture tells two legs apart where a skirt was thought to hang around both.

A surface may close the gap between two legs, wide shorts or trousers behind a bag above all. The
picture still shows what is behind them, beside cloth that goes on, or a dark crease in the middle
of cloth that is smooth on either side.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.avatar.tube import Axis
from vitruvian.image.cielab import cielab
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

_STEP = 0.025  # of a level
_FIRST, _LAST = 0.2, 2.0  # levels (``tube``) that are looked at
_GAP = 3  # levels above the hem with a gap: fewer are a hem that is told too low
_ALIKE = 13.0  # CIELAB units, of lightness .6, within which cloth beside a gap is that above
_LIGHTNESS = 0.6
_LOWEST = 0.35  # of a level above the hem, in which a crease is sought
_HEM = 0.03  # of a level above the hem, which may be a little off
_CREASE = 18.0  # least lightness by which a crease is darker, on three of four levels
_SMOOTH = 3.0  # times the unevenness of the cloth beside
_LEAST = 5  # such levels
_BLUR = 1 / 800  # of the person's size
_FROM, _TO, _SAMPLES = -0.1, 1.1, 49  # places from the left leg's bone (0) to the right one's (1)
_MIDDLE, _BESIDE, _BEYOND = 0.25, 0.2, 0.05


def legs_apart(photo: Photo, figure: Figure, body: Body, hem: float, *, slit: bool = False) -> bool:
    """Whether what ends at ``hem`` is of two legs.

    Args:
        photo, figure, body: as of ``coat_hem``.
        hem: level of ``tube``.
        slit: it is told to be a coat, whose front may gape.
    """
    axis = Axis.of(body.model, body.joints)
    levels = np.arange(_FIRST, min(hem, _LAST), _STEP)
    place = np.clip(np.searchsorted(axis.levels, levels), 0, len(axis.levels) - 1)
    share = np.linspace(_FROM, _TO, _SAMPLES)
    left, right = axis.legs[place, 0][:, None], axis.legs[place, 1][:, None]
    points = left + (right - left) * share[:, None]
    columns, rows = np.floor(photo.camera.project(points.reshape(-1, 3))).astype(int).T
    inside = (columns >= 0) & (rows >= 0) & (columns < photo.width) & (rows < photo.height)
    seen = inside.reshape(len(levels), -1).all(1)
    columns, rows = columns.clip(0, photo.width - 1), rows.clip(0, photo.height - 1)
    on = (figure.alpha.full()[rows, columns] > 128).reshape(len(levels), -1)
    lab = _smooth_lab(photo, figure, rows, columns).reshape(len(levels), -1, 3)
    middle = np.abs(share - 0.5) < 0.5 - _MIDDLE
    beside = (np.abs(share - 0.5) > 0.5 - _BESIDE) & (np.abs(share - 0.5) < 0.5 + _BEYOND)
    color = np.median(lab[:, beside] * [_LIGHTNESS, 1, 1], 1)
    upper = levels < max(hem / 2, _FIRST + 4 * _STEP)
    cloth = np.median(color[upper], 0)
    gap = seen & (~on[:, middle]).any(1) & (np.linalg.norm(color - cloth, axis=1) < _ALIKE)
    if not slit and gap.sum() >= _GAP:
        return True
    lowest = seen & (levels > hem - _LOWEST) & (levels < hem - _HEM)
    if lowest.sum() < _LEAST:
        return False
    light = np.median(lab[:, beside, 0], 1)[:, None]
    crease = (light - lab[:, middle, 0]).max(1)[lowest]
    uneven = np.abs(lab[:, beside, 0] - light).max(1)[lowest]
    dark = np.percentile(crease, 25) > _CREASE
    return bool(dark and np.median(crease) > _SMOOTH * np.median(uneven))


def _smooth_lab(photo: Photo, figure: Figure, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(N, 3) CIELAB at pixels, of the window around them with its noise smoothed."""
    low, high = (rows.min(), columns.min()), (rows.max() + 1, columns.max() + 1)
    window = photo.pixels[low[0] : high[0], low[1] : high[1]]
    sigma = max(0.7, figure.size * _BLUR)
    window = cv2.GaussianBlur(window, (0, 0), sigma)
    return cielab(window[rows - low[0], columns - low[1]][None])[0]
