"""Wrinkles of the sculpture on a smooth avatar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surface_people import CAMERA, arms_down_body, dressed
from vitruvian.avatar.relief import relief_of
from vitruvian.geometry.normal_map import surface_normals
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.mesh import Mesh

BODY = arms_down_body()
SMOOTH = replace(
    dressed(BODY, 0.02), uvs=BODY.model.uvs, uv_faces=BODY.model.uv_faces, body_vertices=None
)


def wrinkled(toward_camera_m: float = 0.0) -> Mesh:
    """Folds around trunk and limbs, 9 cm from one to the next."""
    normals = vertex_normals(SMOOTH.vertices, SMOOTH.faces)
    fold = 0.006 * np.sin(SMOOTH.vertices[:, 1:2] * 2 * np.pi / 0.09)
    moved = SMOOTH.vertices + fold * normals - [0, 0, toward_camera_m]
    return SMOOTH.with_vertices(moved.astype(np.float32))


def drawn(mesh: Mesh) -> np.ndarray:
    """(H, W, 3) normals that the camera sees."""
    pixels = CAMERA.project(SMOOTH.vertices)
    seen = rasterize(pixels, SMOOTH.vertices[:, 2], mesh.faces, CAMERA.width, CAMERA.height)
    return surface_normals(mesh, seen)


def test_folds_are_seen_on_the_smooth_layer() -> None:
    truth = wrinkled()
    relief = relief_of(SMOOTH, truth, CAMERA, BODY.model)
    assert relief is not None
    wanted, plain, mapped = drawn(truth), drawn(SMOOTH), drawn(replace(SMOOTH, normal_map=relief))
    trunk = BODY.model.regions.part == 0
    pixels = np.floor(CAMERA.project(SMOOTH.vertices[trunk & (plain_facing() > 0.7)])).astype(int)
    columns, rows = pixels.T

    def off(normals: np.ndarray) -> float:
        cosine = (normals * wanted).sum(2)[rows, columns]
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())

    assert off(plain) > 10
    assert off(mapped) < 0.6 * off(plain)


def plain_facing() -> np.ndarray:
    return -vertex_normals(SMOOTH.vertices, SMOOTH.faces)[:, 2]


def test_what_lies_before_the_layer_is_not_drawn_on_it() -> None:
    folds, before = (relief_of(SMOOTH, wrinkled(away), CAMERA, BODY.model) for away in (0.0, 0.15))
    assert folds is not None
    assert before is not None
    steep = [np.abs(relief[..., :2].astype(int) - 128).mean() for relief in (folds, before)]
    assert steep[1] < 0.2 * steep[0]
