"""The normal map of a clothed mesh, from maps that are known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from surface_people import CAMERA, arms_down_body, dressed, figure_of, mask_of, photo_with
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normal_map import FLAT, surface_normals
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.render import turned
from vitruvian.networks.maps import MapsCrop, draw_body
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.finish.normal_map import with_normal_map
from vitruvian.surface.maps import SurfaceMaps
from vitruvian.types.mesh import Mesh

WINDOW = MapsCrop(-120, 5, 880, 512).camera(CAMERA)


@lru_cache(maxsize=1)
def plain() -> Mesh:
    mask = mask_of(dressed(arms_down_body()))
    return reconstruct_surface(photo_with(), figure_of(mask), arms_down_body(), maps=False)


def sides(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normals (S, S, 3) of front and back with the mesh's normal map, and where it is (S, S)."""
    normals = vertex_normals(mesh.vertices, mesh.faces)
    drawn = draw_body(mesh.vertices, mesh.faces, normals, WINDOW, 0.0, 1.0)
    front, back = (surface_normals(mesh, side) for side in (drawn.front, drawn.back))
    return front, back, drawn.covered


def with_folds(normals: np.ndarray) -> np.ndarray:
    """The normals with upright folds, 20 pixels apart."""
    folded = normals.copy()
    folded[..., 0] += 0.4 * np.sin(np.arange(normals.shape[1]) * 2 * np.pi / 20)
    return np.asarray(folded / np.linalg.norm(folded + 1e-9, axis=2, keepdims=True), np.float32)


@lru_cache(maxsize=1)
def folded() -> tuple[Mesh, SurfaceMaps]:
    front, back, _ = sides(plain())
    maps = SurfaceMaps(WINDOW, with_folds(front), with_folds(back))
    return with_normal_map(plain(), maps, body_model()), maps


def inner(mask: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Pixels of the trunk, away from outlines."""
    eroded = cv2.erode(mask.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    rows = np.flatnonzero(mask.any(1))
    trunk = np.zeros_like(mask)
    trunk[rows[0] + len(rows) // 4 : rows[0] + len(rows) // 2] = True
    return np.asarray(eroded & trunk)


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    cosine = np.clip((a * b).sum(1), -1, 1)
    return float(np.rad2deg(np.arccos(cosine)).mean())


def test_the_map_brings_the_mesh_to_the_normals_on_both_sides():
    mesh, maps = folded()
    before, now = sides(plain()), sides(mesh)
    where = inner(before[2], mesh)
    assert where.sum() > 1000
    for side, target in enumerate((maps.front_normals, maps.back_normals)):
        without = angle_deg(before[side][where], target[where])
        assert without > 12
        assert angle_deg(now[side][where], target[where]) < 0.35 * without


def test_face_and_hands_stay_as_they_are():
    mesh, _ = folded()
    regions = body_model().regions
    assert mesh.body_vertices is not None
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    assert mesh.normal_map is not None
    fine = (np.maximum(regions.face, regions.hand)[mesh.body_vertices[mesh.faces]] > 0.999).all(1)
    middle = mesh.uvs[mesh.uv_faces[fine]].mean(1)
    size = mesh.normal_map.shape[0]
    texels = mesh.normal_map[
        ((1 - middle[:, 1]) * size).astype(int), (middle[:, 0] * size).astype(int)
    ]
    # Faces smaller than a texel may share one with their neighbours.
    assert (np.abs(texels.astype(int) - FLAT).max(1) <= 2).mean() > 0.9


def test_normals_that_are_the_meshs_own_make_a_flat_map():
    front, back, _ = sides(plain())
    mesh = with_normal_map(plain(), SurfaceMaps(WINDOW, front, back), body_model())
    assert mesh.normal_map is not None
    off = np.abs(mesh.normal_map.astype(int) - FLAT).max(2)
    assert np.quantile(off, 0.95) <= 8


def test_broad_differences_are_left_to_the_mesh():
    front, back, mask = sides(plain())
    tilted = front + np.array([0.3, 0, 0], np.float32)
    tilted /= np.linalg.norm(tilted, axis=2, keepdims=True) + 1e-9
    mesh = with_normal_map(plain(), SurfaceMaps(WINDOW, tilted, back), body_model())
    where = inner(mask, mesh)
    assert angle_deg(sides(mesh)[0][where], front[where]) < 0.4 * angle_deg(
        tilted[where], front[where]
    )


def test_the_shape_is_untouched():
    mesh, _ = folded()
    assert replace(mesh, normal_map=None).normal_map is None
    assert mesh.vertices is plain().vertices
    assert mesh.faces is plain().faces


def test_what_only_another_view_shows_has_no_streaks():
    """Walls along the rays are texels wide in the atlas: what is beside them is not on them."""
    before, now = (sides(turned(mesh, 60)) for mesh in (plain(), folded()[0]))
    outwards = np.array([np.sin(np.deg2rad(60)), 0, np.cos(np.deg2rad(60))])
    wall = before[2] & (np.abs(before[0] @ outwards) < 0.15)
    assert wall.sum() > 1000
    off = np.einsum("hwc,hwc->hw", before[0], now[0])[wall]
    assert np.mean(off < np.cos(np.deg2rad(8))) < 0.003
