"""The atlas of a free surface: nothing on top of anything else, the front as the photograph."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from surface_people import CAMERA, arms_down_body, dressed, sphere
from vitruvian.geometry.normals import face_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.finish.charts import BACK, FRONT, Charts, face_neighbors, lay_out
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

SIZE = 1024


@lru_cache(maxsize=1)
def person() -> tuple[Mesh, Charts]:
    mesh = dressed(arms_down_body())
    return mesh, lay_out(
        mesh.vertices,
        mesh.faces,
        face_normals(mesh.vertices, mesh.faces),
        CAMERA.scaled(0.5, 320, 450),
    )


def drawn_share(charts: Charts) -> float:
    """Texels that the atlas covers, as a share of the sum over the faces alone: 1 is no overlap."""
    pixels = np.stack([charts.uvs[:, 0], 1 - charts.uvs[:, 1]], 1) * SIZE
    flat = rasterize(pixels, np.ones(len(pixels), np.float32), charts.uv_faces, SIZE, SIZE)
    corners = pixels[charts.uv_faces]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return float(flat.mask.sum() / (0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])).sum())


def test_hardly_anything_lies_upon_anything():
    _, charts = person()
    assert drawn_share(charts) > 0.94
    assert charts.uvs.min() >= 0
    assert charts.uvs.max() <= 1


def test_every_corner_is_a_vertex_of_its_face():
    mesh, charts = person()
    assert charts.uv_faces.shape == mesh.faces.shape
    owner = np.full(len(charts.uvs), -1)
    owner[charts.uv_faces.ravel()] = mesh.faces.ravel()
    assert (owner[charts.uv_faces] == mesh.faces).all()


def test_the_front_is_the_picture():
    """Texture coordinates of the front differ from pixels by one scale and shift."""
    mesh, charts = person()
    front = charts.label == FRONT
    corners = np.unique(charts.uv_faces[front])
    owner = np.zeros(len(charts.uvs), int)
    owner[charts.uv_faces.ravel()] = mesh.faces.ravel()
    pixels = CAMERA.project(mesh.vertices[owner[corners]])
    uvs = charts.uvs[corners] * [1, -1]
    scale = np.ptp(uvs, axis=0) / np.ptp(pixels, axis=0)
    np.testing.assert_allclose(scale[0], scale[1], rtol=1e-3)
    np.testing.assert_allclose(uvs - uvs.mean(0), (pixels - pixels.mean(0)) * scale, atol=2e-4)


def test_front_and_back_are_most_of_it():
    mesh, charts = person()
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    shares = np.bincount(charts.label, areas, minlength=4) / areas.sum()
    assert shares[FRONT] > 0.35
    assert shares[BACK] > 0.35


def test_a_ball_is_two_discs():
    ball = sphere(0.3, (0, 0, 3), rings=32)
    charts = lay_out(
        ball.vertices,
        ball.faces,
        face_normals(ball.vertices, ball.faces),
        Camera.centered(300, 100, 100),
    )
    assert set(np.unique(charts.label)) == {FRONT, BACK}
    assert drawn_share(charts) > 0.97


def test_neighbours_share_the_edge():
    ball = sphere(0.3, (0, 0, 3), rings=10)
    neighbors = face_neighbors(ball.faces, len(ball.vertices))
    assert (neighbors >= 0).all()
    for k in range(3):
        edge = ball.faces[:, [k, (k + 1) % 3]]
        other = ball.faces[neighbors[:, k]]
        assert ((other[:, :, None] == edge[:, None]).any(1)).all()
        assert (neighbors[:, k] != np.arange(len(ball.faces))).all()
