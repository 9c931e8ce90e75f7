"""Feet in shoes have no toes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.image.cielab import cielab
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

_ROUNDS = 60  # of smoothing, after which toes are one
_LIKE_SKIN = 13.0  # CIELAB units of hue and chroma from the face's colour
_LEAST = 20  # vertices in view


def shod(photo: Photo, figure: Figure, body: Body) -> np.ndarray:
    """(V, 3) float32 metres at rest, from bare feet to a shoe's rough shape; 0 where feet are of
    the face's colour."""
    skin = _seen_color(photo, figure, body, body.model.regions.face > 0.8)
    feet = _seen_color(photo, figure, body, body.model.regions.foot > 0.8)
    shape = _shoe(body.model) * np.float32(body.height_m / 1.7)
    if skin is None or feet is None:
        return shape
    (skin_lab, feet_lab), *_ = cielab(np.stack([skin, feet])[None])
    off = np.linalg.norm(skin_lab[1:] - feet_lab[1:])
    return shape if off > _LIKE_SKIN else np.zeros_like(shape)


@lru_cache(maxsize=4)
def _shoe(model: ParametricModel) -> np.ndarray:
    """(V, 3) float32, for somebody of 1.7 m."""
    toes = np.array([name.startswith("toe") for name in model.joint_names])
    weight = (model.skin_weights * toes[model.skin_joints]).sum(1)
    edges = model.regions.edges
    weight = np.clip(1.5 * smooth_over_mesh(weight[:, None], edges, 6), 0, 1)
    return np.asarray(
        weight * (smooth_over_mesh(model.template, edges, _ROUNDS) - model.template), np.float32
    )


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
