"""The one-pass texture lookup against the same thing as arrays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vitruvian.geometry.rasterizer import Fragments, rasterize
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.shading import shade_texture
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh


def slanted_square() -> tuple[Mesh, Camera]:
    """A square turned away from the camera, with a texture of smooth noise."""
    vertices = np.array([[-1, 1, 3], [1, 1, 4], [1, -1, 4.5], [-1, -1, 3.5]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    mesh = Mesh(
        vertices,
        faces,
        "camera",
        uvs=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
        uv_faces=faces,
        texture=cv2.GaussianBlur(noise, (0, 0), 1.5),
    )
    return mesh, Camera.centered(150, 120, 100)


def fragments_of(mesh: Mesh, camera: Camera, scale: int) -> Fragments:
    width, height = camera.width * scale, camera.height * scale
    points = camera.scaled(scale, width, height).project(mesh.vertices)
    return rasterize(points, mesh.vertices[:, 2], mesh.faces, width, height)


def array_version(mesh: Mesh, fragments: Fragments, scale: int) -> np.ndarray:
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    assert mesh.texture is not None
    uv = fragments.interpolate(mesh.uvs, mesh.uv_faces)
    rows, columns = mesh.texture.shape[:2]
    x, y = uv[..., 0] * columns - 0.5, (1 - uv[..., 1]) * rows - 0.5
    color = cv2.remap(
        mesh.texture.astype(np.float32),
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    coverage = fragments.mask.astype(np.float64)
    height, width = (side // scale for side in coverage.shape)

    def blocks(values: np.ndarray) -> np.ndarray:
        return values.reshape(height, scale, width, scale, -1).mean((1, 3))

    alpha = blocks(coverage)
    mean = blocks(color * coverage[..., None]) / np.maximum(alpha, 1e-9)
    return np.concatenate([mean, alpha * 255], axis=2)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_equals_the_array_version(scale: int) -> None:
    mesh, camera = slanted_square()
    fragments = fragments_of(mesh, camera, scale)
    drawn = shade_texture(fragments, mesh.uvs, mesh.uv_faces, mesh.texture, supersample=scale)
    assert drawn.shape == (100, 120, 4)
    assert 0.3 < (drawn[..., 3] == 255).mean() < 0.9
    # OpenCV's remap rounds positions to 1/32 of a texel.
    np.testing.assert_allclose(drawn, array_version(mesh, fragments, scale), atol=2)


def test_corners_show_their_texels() -> None:
    mesh, camera = slanted_square()
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0, 0], texture[1, 1] = (255, 0, 0), (0, 0, 255)
    fragments = fragments_of(mesh, camera, 1)
    drawn = shade_texture(fragments, mesh.uvs, mesh.uv_faces, texture)
    rows, columns = np.nonzero(drawn[..., 3])
    top_left = np.argmin(rows + columns)
    np.testing.assert_array_equal(drawn[rows[top_left], columns[top_left], :3], (255, 0, 0))


def test_background_shows_where_nothing_is() -> None:
    mesh, camera = slanted_square()
    clear = render_mesh(mesh, camera, 120, 100, supersample=2)
    filled = render_mesh(mesh, camera, 120, 100, supersample=2, background=(10, 20, 30))
    assert (filled[..., 3] == 255).all()
    empty, solid = clear[..., 3] == 0, clear[..., 3] == 255
    np.testing.assert_array_equal(filled[empty][:, :3], np.full((empty.sum(), 3), (10, 20, 30)))
    np.testing.assert_array_equal(filled[solid], clear[solid])
