"""How far down somebody's coat or dress reaches, told by its colour.

Where legs stand close together no cloth is seen to span them. But a garment that has one colour
from the waist on, past the crotch, and another below, is a coat or a dress.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.avatar.beneath import body_levels
from vitruvian.avatar.tube import Axis
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.cielab import cielab
from vitruvian.texture.carried import Carried
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
_LONG = 0.7  # of a level above the shape's end of cloth, in which the hem is sought
_LEAST_ROWS = 4
_NEARER = 0.4  # of the way from the legs' colour to the cloth's, within which it is the legs'
_DARK = 30.0  # lightness below which stockings and skirts may be alike
_NOBODY = 255
_FACING = 0.35  # cosine between a vertex's normal and the direction of view


def coat_hem(
    photo: Photo, figure: Figure, body: Body, carried: Carried | None = None
) -> float | None:
    """The level of a coat's or a dress's hem, of ``tube``; None where there is none, or where the
    picture does not tell; ``carried`` are things before it."""
    edges = np.arange(_FIRST, _LAST + _BELOW + _STEP, _STEP)
    view = _View.of(photo, figure, body, carried)
    if view is None:
        return None
    colors, told = view.of_body(body, edges)
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


def seen_hem(
    photo: Photo,
    figure: Figure,
    body: Body,
    points: np.ndarray,
    levels: np.ndarray,
    carried: Carried | None = None,
) -> float | None:
    """Where cloth around both legs ends in the picture, if that is above its shape's end.

    Args:
        photo, figure, body, carried: as of ``coat_hem``.
        points: (R, A, 3) of the cloth, camera frame, ring by ring from the top.
        levels: (R,) of the rings, of ``tube``.

    Returns:
        The level below which its shape is of the legs' colour; the last of ``levels`` where there
        is no such part. None where the cloth goes on as the legs below do: it is of trousers.
    """
    hem = float(levels[-1])
    middle = points.mean(1, keepdims=True)
    view = _View.of(photo, figure, body, carried)
    inner = (levels[1:] + levels[:-1]) / 2
    edges = np.append(inner[inner > hem - _LONG], 2 * hem - inner[-1])  # a ring between any two
    if view is None:
        return hem
    facing = ((middle - points) * points).sum(2)
    facing = facing / np.maximum(
        np.linalg.norm(points - middle, axis=2) * np.linalg.norm(points, axis=2), 1e-6
    )
    shown = facing.ravel() > _FACING
    ring = np.repeat(levels, points.shape[1])
    cloth, told = view.by_level(points.reshape(-1, 3)[shown], ring[shown], edges)
    below = np.array([hem + _STEP, hem + _STEP + _BELOW])
    legs, legs_told = view.of_body(body, below)
    upper = told & (edges[:-1] < hem - _LONG / 2)
    if not legs_told[0] or upper.sum() < _LEAST_ROWS:
        return hem
    color = np.median(cloth[upper], axis=0)
    away = np.linalg.norm(legs[0] - color)
    if away < _SAME and legs[0, 0] > _LIGHTNESS * _DARK and hem < _LAST:
        return None
    if away < _OTHER:
        return hem
    like_legs = told & (np.linalg.norm(cloth - legs[0], axis=1) < _NEARER * away)
    like_legs &= np.linalg.norm(cloth - color, axis=1) > (1 - _NEARER) * away
    last = len(edges) - 1
    while last > 0 and like_legs[last - 1]:
        last -= 1
    return hem if last == len(edges) - 1 else float(edges[last])


@dataclass(frozen=True)
class _View:
    """What of a person the camera sees that is neither arm nor head, nor carried.

    Attributes:
        photo: the picture.
        low: (2,) int, the pixel at which ``free`` begins.
        free: (h, w) bool, on the person, and nothing before trunk and legs.
        lab: (h, w, 3) CIELAB with lightness weighted.
    """

    photo: Photo
    low: np.ndarray
    free: np.ndarray
    lab: np.ndarray

    @staticmethod
    def of(
        photo: Photo, figure: Figure, body: Body, carried: Carried | None = None
    ) -> _View | None:
        """None where the person is too small or out of the picture."""
        model, vertices = body.model, body.vertices
        pixels = photo.camera.project(vertices)
        low = np.maximum(np.floor(pixels.min(0)), 0).astype(int)
        high = np.minimum(np.ceil(pixels.max(0)), [photo.width, photo.height]).astype(int)
        if (high - low).min() < 8:
            return None
        seen = rasterize(pixels - low, vertices[:, 2], model.faces, *(high - low))
        part = np.append(model.regions.part[model.faces[:, 0]], np.uint8(_NOBODY))[seen.face]
        alpha = figure.alpha.window(low[0], low[1], high[0], high[1])
        free = (alpha > 200) & ~np.isin(part, (LEFT_ARM, RIGHT_ARM, HEAD))
        if carried is not None:
            width, height = (int(side) for side in high - low)
            free &= ~carried.seen_by(photo.camera.window(low[0], low[1], 1.0, width, height))
        lab = cielab(photo.pixels[low[1] : high[1], low[0] : high[0]])
        return _View(photo, low, free, lab * np.array([_LIGHTNESS, 1, 1]))

    def of_body(self, body: Body, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``by_level`` of the body's own surface that faces the camera."""
        vertices, level = body.vertices, body_levels(body.model)
        normals = vertex_normals(vertices, body.model.faces)
        facing = -(normals * vertices).sum(1) / np.linalg.norm(vertices, axis=1)
        chosen = (level > -9) & (facing > _FACING)
        return self.by_level(vertices[chosen], level[chosen], edges)

    def by_level(
        self, points: np.ndarray, level: np.ndarray, edges: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Median colours (L, 3) where points (N, 3) of levels (N,) are, between edges of levels
        (L + 1,), and which (L,) bool enough is seen of."""
        height, width = self.free.shape
        columns, rows = (np.floor(self.photo.camera.project(points)).astype(int) - self.low).T
        inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
        inside[inside] = self.free[rows[inside], columns[inside]]
        lab = self.lab[rows[inside], columns[inside]]
        place = np.searchsorted(edges, level[inside], side="right") - 1
        colors, told = np.zeros((len(edges) - 1, 3)), np.zeros(len(edges) - 1, bool)
        for number in range(len(colors)):
            mine = lab[place == number]
            if len(mine) >= _LEAST:
                colors[number], told[number] = np.median(mine, axis=0), True
        return colors, told
