"""How far down somebody's coat or dress reaches, told by its colour.

Where legs stand close together no cloth is seen to span them. But a garment that has one colour
from the waist on, past the crotch, and another below, is a coat or a dress.
"""

from __future__ import annotations

import numpy as np

from vitruvian.avatar.beneath import body_levels
from vitruvian.avatar.tube import Axis
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.cielab import cielab
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo
from vitruvian.types.regions import HEAD, LEFT_ARM, RIGHT_ARM

_STEP = 0.05  # of a level
_FIRST, _PAST = -0.5, 0.3  # levels (``tube``) from the waist to where it is no shirt any more
_LAST = 1.5  # level below which trousers end, too
_BELOW = 0.4  # of a level, below the hem, that is compared
_ALIKE, _OTHER = 13.0, 20.0  # CIELAB units within which cloth is one, from which on another
_LIGHTNESS = 0.6  # of a difference in lightness that counts
_MOST = 0.8  # share of the levels that must be alike: belts, and hands' shadows
_WAIST, _THIGHS = -0.2, 0.1  # levels above, below which both are compared
_SAME = 9.0  # CIELAB units
_LEAST = 6  # vertices in view of a level that is believed
_FACING = 0.35  # cosine between a vertex's normal and the direction of view


def coat_hem(photo: Photo, figure: Figure, body: Body) -> float | None:
    """The level of a coat's or a dress's hem, of ``tube``; None where there is none, or where the
    picture does not tell."""
    edges = np.arange(_FIRST, _LAST + _BELOW + _STEP, _STEP)
    colors, told = _by_level(photo, figure, body, edges)
    upper = told & (edges[:-1] < _PAST)
    if upper.sum() < 0.6 * (edges[:-1] < _PAST).sum():
        return None
    cloth = np.median(colors[upper], axis=0)
    away = np.linalg.norm(colors - cloth, axis=1)
    if (away[upper] < _ALIKE).mean() < _MOST:
        return None
    middles = edges[:-1] + _STEP / 2
    waist, thighs = upper & (middles < _WAIST), upper & (middles > _THIGHS)
    if not waist.any() or not thighs.any():
        return None
    if np.linalg.norm(np.median(colors[waist], 0) - np.median(colors[thighs], 0)) > _SAME:
        return None
    for place in np.flatnonzero(told & (edges[:-1] >= _PAST) & (away > _OTHER)):
        if edges[place] > _LAST:
            return None
        below = told & (edges[:-1] >= edges[place]) & (edges[:-1] < edges[place] + _BELOW)
        if below.sum() >= 4 and np.median(away[below]) > _OTHER:
            hem = float(edges[place])
            return None if _legs_apart(photo, figure, body, hem) else hem
    return None


def _legs_apart(photo: Photo, figure: Figure, body: Body, hem: float) -> bool:
    """Whether the picture shows what is behind the person between their legs, above a hem."""
    axis = Axis.of(body.model, body.joints)
    between = axis.centers[(axis.levels > _PAST) & (axis.levels < hem)]
    columns, rows = np.floor(photo.camera.project(between)).astype(int).T
    inside = (columns >= 0) & (columns < photo.width) & (rows >= 0) & (rows < photo.height)
    on = figure.alpha.full()[rows[inside], columns[inside]] > 128
    return bool(len(on) == 0 or on.mean() < _MOST)


def _by_level(
    photo: Photo, figure: Figure, body: Body, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Median colours (L, 3), CIELAB with lightness weighted, of what the camera sees between edges
    of levels (L + 1,), and which (L,) bool enough is seen of."""
    model, vertices = body.model, body.vertices
    level, part = body_levels(model), model.regions.part
    normals = vertex_normals(vertices, model.faces)
    facing = -(normals * vertices).sum(1) / np.linalg.norm(vertices, axis=1)
    pixels = photo.camera.project(vertices)
    low = np.maximum(np.floor(pixels.min(0)), 0).astype(int)
    high = np.minimum(np.ceil(pixels.max(0)), [photo.width, photo.height]).astype(int)
    if (high - low).min() < 8:
        return np.zeros((len(edges) - 1, 3)), np.zeros(len(edges) - 1, bool)
    seen = rasterize(pixels - low, vertices[:, 2], model.faces, *(high - low))
    of_pixel = np.append(part[model.faces[:, 0]], np.uint8(LEFT_ARM))[seen.face]
    alpha = figure.alpha.window(low[0], low[1], high[0], high[1])
    free = (alpha > 200) & ~np.isin(of_pixel, (LEFT_ARM, RIGHT_ARM, HEAD))
    columns, rows = (np.floor(pixels).astype(int) - low).T
    inside = (columns >= 0) & (rows >= 0) & (columns < high[0] - low[0])
    chosen = np.flatnonzero(inside & (rows < high[1] - low[1]) & (level > -9) & (facing > _FACING))
    chosen = chosen[free[rows[chosen], columns[chosen]]]
    lab = cielab(photo.pixels[low[1] : high[1], low[0] : high[0]])[rows[chosen], columns[chosen]]
    lab = lab * np.array([_LIGHTNESS, 1, 1])
    place = np.floor((level[chosen] - edges[0]) / _STEP).astype(int)
    colors, told = np.zeros((len(edges) - 1, 3)), np.zeros(len(edges) - 1, bool)
    for number in range(len(colors)):
        mine = lab[place == number]
        if len(mine) >= _LEAST:
            colors[number], told[number] = np.median(mine, axis=0), True
    return colors, told
