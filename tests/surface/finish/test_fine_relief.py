"""Folds in the geometry, from maps that are known."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from surface_people import (
    CAMERA,
    arms_down_body,
    dressed,
    figure_of,
    iou,
    is_closed_manifold,
    mask_of,
    photo_with,
)
from vitruvian.body.model.model import body_model
from vitruvian.geometry.crossings import ray_crossings
from vitruvian.geometry.mapped_relief import with_relief_of_map
from vitruvian.geometry.normals import vertex_normals
from vitruvian.networks.maps import MapsCrop, draw_body
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.finish.fine_relief import with_fine_relief
from vitruvian.surface.finish.normal_map import with_normal_map
from vitruvian.surface.maps import SurfaceMaps
from vitruvian.types.mesh import Mesh

WINDOW = MapsCrop(-120, 5, 880, 512).camera(CAMERA)
PIXEL_M = 3.3 / WINDOW.focal_px
FOLD_PX = 16


@lru_cache(maxsize=1)
def plain() -> Mesh:
    mask = mask_of(dressed(arms_down_body()))
    return reconstruct_surface(photo_with(), figure_of(mask), arms_down_body(), maps=False)


def sides(mesh: Mesh) -> tuple[np.ndarray, ...]:
    """Normals of front and back, their depths, and where the mesh is."""
    normals = vertex_normals(mesh.vertices, mesh.faces)
    drawn = draw_body(mesh.vertices, mesh.faces, normals, WINDOW, 0.0, 1.0)
    return (
        drawn.front_normals, drawn.back_normals, drawn.front_depth, drawn.back_depth, drawn.covered,
    )  # fmt: skip


@lru_cache(maxsize=1)
def folded_maps() -> SurfaceMaps:
    """Upright folds on both sides of slope 0.3."""
    front, back, *_ = sides(plain())
    slope = 0.3 * np.sin(np.arange(512) * 2 * np.pi / FOLD_PX)
    given = []
    for normals in (front, back):
        leaning = normals.copy()
        leaning[..., 0] += slope * np.abs(normals[..., 2])
        leaning /= np.maximum(np.linalg.norm(leaning, axis=2, keepdims=True), 1e-6)
        given.append(leaning.astype(np.float32))
    return SurfaceMaps(WINDOW, *given)


@lru_cache(maxsize=1)
def folded() -> tuple[Mesh, np.ndarray]:
    """With those in the geometry."""
    beneath = plain().body_vertices
    assert beneath is not None
    return with_fine_relief(body_model(), plain(), beneath, folded_maps())


def trunk(mask: np.ndarray) -> np.ndarray:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((27, 27), np.uint8)) > 0
    rows = np.flatnonzero(mask.any(1))
    out = np.zeros_like(mask)
    out[rows[0] + len(rows) // 4 : rows[0] + len(rows) // 2] = True
    return np.asarray(out & inner)


def test_it_is_closed_and_four_times_as_fine() -> None:
    mesh, source = folded()
    assert is_closed_manifold(mesh.faces)
    assert 3 < len(mesh.faces) / len(plain().faces) < 5
    assert len(source) == len(mesh.vertices)
    np.testing.assert_array_equal(source[: len(plain().vertices)], np.arange(len(plain().vertices)))
    off = np.linalg.norm(mesh.vertices - plain().vertices[source], axis=1)
    assert off.max() < 0.06


def test_folds_are_in_the_geometry_of_both_sides() -> None:
    mesh, _ = folded()
    before, after = sides(plain()), sides(mesh)
    where = trunk(before[4] & after[4])
    assert where.sum() > 1000
    # A slope of .3 over waves of so many pixels: half a wave rises twice the amplitude.
    amplitude = 0.3 * FOLD_PX * PIXEL_M / (2 * np.pi)
    wave = -np.cos(np.arange(512) * 2 * np.pi / FOLD_PX)
    for side in (2, 3):
        moved = (after[side] - before[side])[where]
        expected = np.broadcast_to(wave, where.shape)[where]
        fitted = float((moved * expected).sum() / (expected**2).sum())
        assert 0.6 * amplitude < abs(fitted) < 1.1 * amplitude
        assert abs(np.corrcoef(moved, expected)[0, 1]) > 0.8


def crossed(mesh: Mesh) -> int:
    """Rays from the front and from beside along which solid does not alternate with void."""
    wrong = 0
    for axes in ([0, 1, 2], [2, 1, 0]):
        points = mesh.vertices[:, axes] - mesh.vertices[:, axes].mean(0)
        faces = mesh.faces if axes[0] == 0 else mesh.faces[:, ::-1]  # swapping axes mirrors
        pixels = (points[:, :2] * 200 + 256).astype(np.float32)
        found = ray_crossings(pixels, points[:, 2] + 3, faces, np.zeros(len(faces)), 512, 512, 64)
        order = np.lexsort((found.depth, np.repeat(np.arange(512 * 512), found.count.ravel())))
        sign = found.sign[order].astype(int)
        level = np.cumsum(sign)  # every ray begins and ends outside
        wrong += int(((level < 0) | (level > 1)).sum())
    return wrong


def test_it_does_not_run_through_itself() -> None:
    before = crossed(plain())
    assert crossed(folded()[0]) <= before + 20
    mapped = with_normal_map(plain(), folded_maps(), body_model())
    printed = with_relief_of_map(mapped)
    assert is_closed_manifold(printed.faces)
    assert 3 < len(printed.faces) / len(plain().faces) < 5
    assert (
        0.003 < np.abs(printed.vertices[: len(plain().vertices)] - plain().vertices).max() < 0.013
    )
    assert crossed(printed) <= before + 20
    pushed = plain().vertices - 0.12 * vertex_normals(plain().vertices, plain().faces)
    assert crossed(plain().with_vertices(pushed)) > before + 500  # such a thing is found


def test_the_outline_stays() -> None:
    mesh, _ = folded()
    assert iou(mask_of(mesh), mask_of(plain())) > 0.998


def test_face_hands_and_feet_stay() -> None:
    mesh, _ = folded()
    regions = body_model().regions
    assert plain().body_vertices is not None
    own = np.maximum.reduce([regions.face, regions.hand, regions.foot])[plain().body_vertices]
    still = own == 1
    np.testing.assert_allclose(mesh.vertices[: len(own)][still], plain().vertices[still], atol=1e-6)


def test_nothing_moves_far() -> None:
    mesh, _ = folded()
    count = len(plain().vertices)
    off = np.linalg.norm(mesh.vertices[:count] - plain().vertices, axis=1)
    assert 0.001 < off.max() <= 0.0125


def test_normals_of_its_own_leave_it_as_it_was() -> None:
    front, back, *_ = sides(plain())
    assert plain().body_vertices is not None
    mesh, _ = with_fine_relief(
        body_model(), plain(), plain().body_vertices, SurfaceMaps(WINDOW, front, back)
    )
    off = np.linalg.norm(mesh.vertices[: len(plain().vertices)] - plain().vertices, axis=1)
    assert np.quantile(off, 0.95) < 0.0015


def test_the_stage_makes_it_with_skin_atlas_and_normal_map() -> None:
    figure = figure_of(mask_of(dressed(arms_down_body())))
    mesh = reconstruct_surface(photo_with(), figure, arms_down_body(), fine=True)
    assert is_closed_manifold(mesh.faces)
    assert 60_000 < len(mesh.faces) < 140_000
    assert mesh.normal_map is not None
    assert mesh.uv_faces is not None
    assert mesh.uv_faces.shape == mesh.faces.shape
    assert mesh.skin_weights is not None
    np.testing.assert_allclose(mesh.skin_weights.sum(1), 1, atol=1e-5)
