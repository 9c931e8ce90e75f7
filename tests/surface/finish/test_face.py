"""The face of the body on surfaces that know nothing so small."""

import cv2
import numpy as np
import pytest
import trimesh

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree
from vitruvian.surface.finish.face import _split, refined_face
from vitruvian.surface.finish.skin_transfer import nearest_vertices
from vitruvian.types.mesh import Mesh


def egg(fitted: Mesh) -> Mesh:
    """An ellipsoid as large as the body's head, where the head is."""
    head = fitted.vertices[body_model().regions.skull]
    low, high = head.min(0), head.max(0)
    ball = trimesh.creation.icosphere(subdivisions=4)
    vertices = ball.vertices * 0.47 * (high - low) + 0.5 * (low + high)
    return Mesh(vertices.astype(np.float32), ball.faces.astype(np.int32), "camera")


@pytest.fixture
def fitted() -> Mesh:
    """The rest body, turned as if it looked past the camera."""
    model = body_model()
    turn, _ = cv2.Rodrigues(np.array([0, 0.4, 0.0]))
    vertices = model.template @ turn.T * [1, -1, -1] + [0.3, 0, 3]
    return Mesh(vertices.astype(np.float32), model.faces, "camera")


def test_a_ball_gets_the_face(fitted):
    mesh = egg(fitted)
    beneath = nearest_vertices(
        mesh.vertices,
        vertex_normals(mesh.vertices, mesh.faces),
        fitted.vertices,
        vertex_normals(fitted.vertices, fitted.faces),
    )
    out, source = refined_face(body_model(), mesh, beneath, fitted)
    solid = trimesh.Trimesh(out.vertices, out.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert len(source) == len(out.vertices) > len(mesh.vertices)
    # The middle of the face, eyes to mouth, is that of the body: the nose stands out.
    face = (body_model().regions.face > 0.95) & (body_model().components == 0)
    nose = fitted.vertices[face][np.argsort(_forward(fitted)[face])[-20:]].mean(0)

    def gap(surface: Mesh) -> float:
        tree = ClosestPointTree(surface.vertices, surface.faces)
        return float(tree.query(nose[None]).distances[0])

    assert gap(out) < 0.003 < 0.01 < gap(mesh)


def _forward(fitted: Mesh) -> np.ndarray:
    turn, _ = cv2.Rodrigues(np.array([0, 0.4, 0.0]))
    return (fitted.vertices * [1, -1, -1]) @ turn[:, 2]


def test_the_back_of_the_head_stays(fitted):
    mesh = egg(fitted)
    beneath = nearest_vertices(
        mesh.vertices,
        vertex_normals(mesh.vertices, mesh.faces),
        fitted.vertices,
        vertex_normals(fitted.vertices, fitted.faces),
    )
    out, _ = refined_face(body_model(), mesh, beneath, fitted)
    behind = _forward(mesh) < np.quantile(_forward(mesh), 0.3)
    np.testing.assert_array_equal(out.vertices[: len(behind)][behind], mesh.vertices[behind])


def test_splitting_keeps_a_surface_closed_for_any_choice():
    ball = trimesh.creation.icosphere(subdivisions=2, radius=0.1)
    faces = ball.faces.astype(np.int32)
    rng = np.random.default_rng(0)
    for chance in (0.1, 0.5, 1.0):
        share = (rng.random(len(ball.vertices)) < chance).astype(np.float32)
        split = _split(ball.vertices, faces, share)
        assert split is not None
        new, pairs = split
        vertices = np.concatenate([ball.vertices, ball.vertices[pairs].mean(1)])
        solid = trimesh.Trimesh(vertices, new, process=False)
        assert solid.is_watertight
        assert solid.is_winding_consistent
        assert solid.volume == pytest.approx(ball.volume)


def test_nothing_to_split():
    ball = trimesh.creation.icosphere(subdivisions=1)
    assert _split(ball.vertices, ball.faces.astype(np.int32), np.zeros(len(ball.vertices))) is None
