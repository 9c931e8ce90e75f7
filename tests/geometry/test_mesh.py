"""The mesh: normals, transforms, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.geometry.normals import face_normals, vertex_normals
from vitruvian.types.mesh import Mesh

# A box of 2 x 4 x 6 about the origin, counter-clockwise from outside.
CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-2, 2) for z in (-3, 3)], np.float32)
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
BOX_FACES = np.array([t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))], np.int32)
BOX = Mesh(CORNERS, BOX_FACES)


def test_face_normals_point_out_of_a_box():
    centers = CORNERS[BOX_FACES].mean(1)
    normals = face_normals(BOX.vertices, BOX.faces)
    assert (np.einsum("fc,fc->f", normals, centers) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(np.abs(normals).max(1), 1)  # along the axes


def test_vertex_normals_of_a_sphere_point_along_the_radius():
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    heights = np.linspace(-0.95, 0.95, 21)
    ring = np.sqrt(1 - heights**2)
    points = np.stack(
        [
            np.outer(ring, np.cos(angles)),
            np.outer(ring, np.sin(angles)),
            np.repeat(heights[:, None], 40, 1),
        ],
        axis=-1,
    ).reshape(-1, 3)
    index = np.arange(21 * 40).reshape(21, 40)
    a, b = index[:-1], np.roll(index, -1, 1)[:-1]
    c, d = np.roll(index, -1, 1)[1:], index[1:]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    faces = faces[rng.permutation(len(faces))].astype(np.int32)
    normals = vertex_normals(points, faces)
    inner = np.abs(points[:, 2]) < 0.9
    assert (np.einsum("vc,vc->v", normals, points)[inner] > 0.995).all()


def test_a_degenerate_face_and_a_lone_vertex_have_no_normal():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 5, 5]], np.float32)
    mesh = Mesh(vertices, np.array([[0, 1, 2]], np.int32))
    np.testing.assert_array_equal(face_normals(mesh.vertices, mesh.faces), 0)
    np.testing.assert_array_equal(vertex_normals(mesh.vertices, mesh.faces), 0)


def test_transforming_moves_points_and_names_the_frame():
    world_from_camera = np.array([[0, 0, 2, 1], [0, 2, 0, 2], [-2, 0, 0, 3], [0, 0, 0, 1.0]])
    mesh = Mesh(CORNERS, BOX_FACES, "camera").transformed(world_from_camera, "world")
    assert mesh.frame == "world"
    assert mesh.vertices.dtype == np.float32
    homogeneous = np.c_[CORNERS, np.ones(8)] @ world_from_camera.T
    np.testing.assert_allclose(mesh.vertices, homogeneous[:, :3])
    np.testing.assert_allclose(
        face_normals(mesh.vertices, mesh.faces),
        face_normals(BOX.vertices, BOX.faces) @ (world_from_camera[:3, :3] / 2).T,
        atol=1e-6,
    )


def test_other_vertices_leave_everything_else():
    colors = np.arange(24, dtype=np.uint8).reshape(8, 3)
    mesh = Mesh(CORNERS, BOX_FACES, "camera", vertex_colors=colors)
    moved = mesh.with_vertices(CORNERS.astype(np.float64) + 1)
    assert moved.frame == "camera"
    assert moved.vertices.dtype == np.float32
    assert moved.vertex_colors is colors
    np.testing.assert_array_equal(mesh.vertices, CORNERS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vertices": np.zeros((8, 2))}, r"vertices must have shape \(V, 3\), got \(8, 2\)"),
        ({"faces": np.zeros((4, 4), int)}, r"faces must have shape \(F, 3\), got \(4, 4\)"),
        ({"uvs": np.zeros((5, 2))}, "uvs and uv_faces go together"),
        (
            {"uvs": np.zeros((5, 2)), "uv_faces": np.zeros((2, 3), int)},
            r"uv_faces must have the shape of faces \(12, 3\), got \(2, 3\)",
        ),
    ],
)
def test_wrong_shapes_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Mesh(**{"vertices": CORNERS, "faces": BOX_FACES, **change})
