"""Tangent space and normal maps, on surfaces whose normals are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.geometry.normal_map import FLAT, corner_tangents, surface_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.render import render_mesh
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
CAMERA = Camera.centered(100, 80, 60)
TOWARDS_VIEWER = np.tile(np.array([[0, 0, -1]], np.float32), (4, 1))


def square(map_color: tuple[int, int, int], *, mirrored: bool = False) -> Mesh:
    """A square across the view (y down), with one colour all over its normal map."""
    corners = [(-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)]
    vertices = np.array([(x, y, 2) for x, y in corners], np.float32)
    uvs = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    if mirrored:
        uvs[:, 0] = 1 - uvs[:, 0]
    texture = np.full((8, 8, 3), map_color, np.uint8)
    return Mesh(vertices, FACES, "camera", uvs=uvs, uv_faces=FACES, normal_map=texture)


def seen_normal(mesh: Mesh) -> np.ndarray:
    fragments = rasterize(CAMERA.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, 80, 60)
    normals = surface_normals(mesh, fragments)
    np.testing.assert_allclose(np.linalg.norm(normals[fragments.mask], axis=1), 1, atol=1e-5)
    return normals[30, 40]


def test_tangents_point_where_u_grows():
    mesh = square(FLAT)
    assert mesh.uvs is not None
    plain = corner_tangents(mesh.vertices, FACES, TOWARDS_VIEWER, mesh.uvs, FACES)
    np.testing.assert_allclose(plain, np.tile([1, 0, 0, 1], (4, 1)), atol=1e-6)
    mirrored = square(FLAT, mirrored=True)
    assert mirrored.uvs is not None
    other = corner_tangents(mesh.vertices, FACES, TOWARDS_VIEWER, mirrored.uvs, FACES)
    np.testing.assert_allclose(other, np.tile([-1, 0, 0, -1], (4, 1)), atol=1e-6)


def test_tangents_lie_across_the_normal_where_the_atlas_says_nothing():
    normals = np.array([[0, 0, -1], [1, 0, 0], [0, 1, 0], [0.6, 0, -0.8]], np.float32)
    found = corner_tangents(
        square(FLAT).vertices, FACES, normals, np.zeros((4, 2), np.float32), FACES
    )
    np.testing.assert_allclose((found[:, :3] * normals).sum(1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found[:, :3], axis=1), 1, atol=1e-6)


def test_a_flat_map_changes_nothing():
    np.testing.assert_allclose(seen_normal(square(FLAT)), [0, 0, -1], atol=0.006)


@pytest.mark.parametrize("mirrored", [False, True])
def test_red_leans_along_u_and_green_along_v(mirrored: bool):
    right = -1 if mirrored else 1
    red = seen_normal(square((218, 128, 218), mirrored=mirrored))
    np.testing.assert_allclose(red, [right * 0.707, 0, -0.707], atol=0.01)
    green = seen_normal(square((128, 218, 218), mirrored=mirrored))
    np.testing.assert_allclose(green, [0, -0.707, -0.707], atol=0.01)  # up in the picture


def test_clay_and_normals_are_drawn_with_the_map():
    mesh = square((218, 128, 218))  # leans to the right, away from the lamp
    plain = replace(mesh, normal_map=None)
    clay, flat_clay = (
        render_mesh(one, CAMERA, 80, 60, mode="clay")[30, 40] for one in (mesh, plain)
    )
    assert clay[0] < 0.8 * flat_clay[0]
    assert render_mesh(plain, CAMERA, 80, 60, mode="normals")[30, 40, 0] in (127, 128)
    assert render_mesh(mesh, CAMERA, 80, 60, mode="normals")[30, 40, 0] == pytest.approx(218, abs=2)


def test_a_map_needs_texture_coordinates():
    with pytest.raises(ValueError, match="needs uvs"):
        replace(square(FLAT), uvs=None, uv_faces=None)
