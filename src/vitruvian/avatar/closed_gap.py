"""How far down somebody's long, narrow dress reaches, told by the gap that it closes.

Where legs stand beside each other the picture shows what is behind them between their shanks,
unless cloth hangs there, which is of one colour, with neither crease nor gap in the middle.
"""

from __future__ import annotations

import numpy as np

from vitruvian.avatar.tube import Axis
from vitruvian.image.cielab import cielab
from vitruvian.surface.finish.skirts import leg_radii
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

_STEP = 0.05  # of a level
_FIRST, _LAST = -0.3, 2.0  # levels (``tube``) that are looked at
_SHANKS = 1.1  # level from which on legs in trousers do not touch
_OPEN = 1.25  # times both radii, by which bones are apart where a gap is to be seen
_LEAST = 8  # levels of the shanks with such a gap
_LEAST_PX = 24  # between bones
_SOLID = 0.95  # share of those that show none
_CREASE, _SLIT = 8.0, 6.0  # CIELAB units of lightness that the middle of one cloth may be off
_THIGHS = 1.0  # level down to which the cloth's colour is told
_ALIKE = 12.0  # CIELAB units within which cloth is one
_MEAN_M = 1.7  # of people whose legs have the radii
_SAMPLES = 27  # from one leg's bone to the other's


def closed_gap_hem(photo: Photo, figure: Figure, body: Body) -> float | None:
    """The level down to which cloth closes the gap between both legs; None where it does not, or
    where none would be seen without."""
    axis = Axis.of(body.model, body.joints)
    levels = np.arange(_FIRST, _LAST, _STEP)
    place = np.clip(np.searchsorted(axis.levels, levels), 0, len(axis.levels) - 1)
    legs = axis.legs[place]  # (L, 2, 3)
    pixels = photo.camera.project(legs.reshape(-1, 3)).reshape(len(levels), 2, 2)
    radius = np.interp(levels, *leg_radii(body.model)) * body.height_m / _MEAN_M
    scale = photo.camera.focal_px / legs[..., 2].mean(1)
    apart = np.abs(pixels[:, 0, 0] - pixels[:, 1, 0])
    gap = (apart > _OPEN * 2 * radius * scale) & (levels > _SHANKS)
    if gap.sum() < _LEAST or np.median(apart[gap]) < _LEAST_PX:
        return None
    share = np.linspace(0, 1, _SAMPLES)[:, None]
    points = pixels[:, :1] * (1 - share) + pixels[:, 1:] * share
    columns, rows = np.floor(points).astype(int).transpose(2, 0, 1)
    inside = (columns >= 0) & (rows >= 0) & (columns < photo.width) & (rows < photo.height)
    if not inside[gap].all():
        return None
    columns, rows = columns.clip(0, photo.width - 1), rows.clip(0, photo.height - 1)
    on = figure.alpha.full()[rows, columns] > 128
    middle = np.abs(share[:, 0] - 0.5) < 0.2
    solid = on[:, middle].all(1)
    if solid[gap].mean() < _SOLID:
        return None
    colors = cielab(photo.pixels[rows, columns])
    beside, between = colors[:, ~middle], colors[:, middle]
    lightness = np.median(beside[..., 0], 1)[:, None]
    crease = (lightness - between[..., 0]).max(1)
    slit = (between[..., 0] - lightness).max(1)  # which the matte may have closed
    if np.median(crease[gap]) > _CREASE or np.median(slit[gap]) > _SLIT:
        return None
    cloth = np.median(beside[levels < _THIGHS], (0, 1))
    for part in (between[gap], beside[gap]):
        if np.linalg.norm(np.median(part, (0, 1)) - cloth) > _ALIKE:
            return None
    return float(levels[gap & solid][-1])
