"""Feet in shoes have no toes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.image.cielab import cielab
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG

_CAP = 0.5  # weight of the toes' joints from which on a vertex is of the cap of a shoe
_FOREFOOT = 0.05  # likewise, of what the cap's shape is taken from
_BEHIND = 0.5  # of the forefoot's length behind its rim, whence the cap is blown up
_PLANES = 600  # that touch the hull
_PASSING = 6  # rounds of smoothing
_LIKE_SKIN = 13.0  # CIELAB units from the face's colour
_LIGHTNESS = 0.4  # of a difference in lightness that counts: feet are in shadow
_SKIN_TONE = 3.0  # least a* and b* of skin in any light
_LEAST = 20  # vertices in view


def shod(photo: Photo, figure: Figure, body: Body) -> np.ndarray:
    """(V, 3) float32 metres at rest, from bare feet to a shoe's rough shape; 0 where feet are bare:
    of the face's colour, and of a colour that skin can have."""
    skin = _seen_color(photo, figure, body, body.model.regions.face > 0.8)
    feet = _seen_color(photo, figure, body, body.model.regions.foot > 0.8)
    shape = _shoe(body.model) * np.float32(body.height_m / 1.7)
    if skin is None or feet is None:
        return shape
    (skin_lab, feet_lab), *_ = cielab(np.stack([skin, feet])[None])
    off = np.linalg.norm((skin_lab - feet_lab) * [_LIGHTNESS, 1, 1])
    bare = off < _LIKE_SKIN and (feet_lab[1:] > _SKIN_TONE).all()
    return np.zeros_like(shape) if bare else shape


@lru_cache(maxsize=4)
def _shoe(model: ParametricModel) -> np.ndarray:
    """(V, 3) float32, for somebody of 1.7 m: toes become the cap of one shoe.

    The surface before the balls is drawn flat over them, as a film is, so that toes are no more
    than points of it, and is blown up to the foot's convex hull.
    """
    toes = np.array([name.startswith("toe") for name in model.joint_names])
    weight = (model.skin_weights * toes[model.skin_joints]).sum(1)
    out = np.zeros_like(model.template, np.float32)
    for part in (LEFT_LEG, RIGHT_LEG):
        cap = np.flatnonzero((model.regions.part == part) & (weight > _CAP))
        film, rim = _film(model, cap)
        front = model.template[(model.regions.part == part) & (weight > _FOREFOOT)]
        middle = rim.mean(0)
        middle = middle - (front.mean(0) - middle) * _BEHIND
        away = film - middle
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
        out[cap] = middle + _reach(front - middle, away)[:, None] * away - model.template[cap]
    # Where the cap begins it passes into the foot.
    soft = smooth_over_mesh(out, model.regions.edges, _PASSING)
    inner = np.clip((weight - _CAP) / (1 - _CAP), 0, 1)[:, None]
    return np.asarray(inner * out + (1 - inner) * soft, np.float32)


def _film(model: ParametricModel, cap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N,) of the cap where each is in the middle of its neighbours (N, 3), and the places
    of the rim (M, 3) that holds them (Tutte, 1963)."""
    number = np.full(len(model.template), -1)
    number[cap] = np.arange(len(cap))
    edges = np.concatenate([model.regions.edges, model.regions.edges[:, ::-1]])
    edges = edges[number[edges[:, 0]] >= 0]
    inside = number[edges[:, 1]] >= 0
    matrix, right = np.zeros((len(cap), len(cap))), np.zeros((len(cap), 3))
    rows = number[edges[:, 0]]
    np.add.at(matrix, (rows, rows), 1)
    np.add.at(matrix, (rows[inside], number[edges[inside, 1]]), -1)
    held = edges[~inside, 1]
    np.add.at(right, rows[~inside], model.template[held])
    return np.linalg.solve(matrix, right), model.template[np.unique(held)]


def _reach(points: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(N,) how far the convex hull of points reaches from the origin inside of it."""
    turns = np.arange(_PLANES) + 0.5
    height, angle = 1 - 2 * turns / _PLANES, np.pi * (1 + 5**0.5) * turns
    level = np.sqrt(1 - height**2)
    normals = np.stack([level * np.cos(angle), height, level * np.sin(angle)], 1)
    support = (points @ normals.T).max(0)
    along = directions @ normals.T
    return np.asarray(np.where(along > 0.05, support / np.maximum(along, 0.05), np.inf).min(1))


def _seen_color(photo: Photo, figure: Figure, body: Body, chosen: np.ndarray) -> np.ndarray | None:
    """Median colour (3,) float32 sRGB of the photograph where vertices (V,) bool are; None where
    too few are on the person."""
    pixels = np.floor(photo.camera.project(body.vertices[chosen])).astype(int)
    inside = ((pixels >= 0) & (pixels < [photo.width, photo.height])).all(1)
    columns, rows = pixels[inside].T
    on = figure.alpha.full()[rows, columns] > 128
    if on.sum() < _LEAST:
        return None
    return np.median(photo.pixels[rows[on], columns[on]], axis=0).astype(np.float32)
