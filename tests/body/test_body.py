"""The result of a fit as data: mesh, JSON, joints by name."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import face_normals
from vitruvian.result.body_file import describe_body
from vitruvian.types.body import Body


@pytest.fixture
def body() -> Body:
    model = body_model()
    betas = model.shape_prior("women", 10).mean
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    posed = model.forward(betas, pose, np.array([0.1, 0.2, 3.0]))
    return Body(
        body_model(),
        betas,
        pose,
        np.array([0.1, 0.2, 3.0]),
        model.stature(betas),
        posed.vertices,
        posed.joints,
        phenotype=model.describe_shape(betas),
    )


def test_root_by_pi_faces_the_camera(body: Body) -> None:
    assert body.joint("head")[1] < body.joint("root")[1], "the camera's y points down"
    assert body.joint("toes.L")[2] < body.joint("foot.L")[2], "the toes point to the camera"
    assert body.joint("wrist.L")[0] > 0.1, "the left hand is on the picture's right"


def test_json_gives_the_body_back(body: Body) -> None:
    model = body_model()
    read = json.loads(json.dumps(describe_body(body), allow_nan=False))
    pose = np.array([read["pose"][name] for name in model.joint_names])
    again = model.forward(np.array(read["betas"]), pose, np.array(read["translation"]))
    np.testing.assert_allclose(again.vertices, body.vertices, atol=2e-4)
    assert read["keypoint_error"] is None
    assert read["height"] == pytest.approx(body.height_m, abs=1e-3)
    assert set(read["joints"]) == set(model.joint_names)
    assert read["phenotype"]["gender"] > 0.7


def test_mesh_carries_texture_and_skin(body: Body) -> None:
    mesh = body.as_mesh()
    assert mesh.frame == "camera"
    assert mesh.uvs is not None
    assert mesh.skin_weights is not None
    np.testing.assert_allclose(mesh.vertices, body.vertices)
    outwards = np.einsum(
        "fi,fi->f",
        face_normals(mesh.vertices, mesh.faces),
        mesh.vertices[mesh.faces].mean(1) - body.joint("spine03"),
    )
    assert (outwards > 0).mean() > 0.6
