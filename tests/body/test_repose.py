"""A surface in other poses, against the body model and the plain definition of skinning."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from vitruvian.body.model import repose
from vitruvian.body.model.model import body_model
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.errors import WeightsError
from vitruvian.types.body import Body
from vitruvian.types.face import FaceShape
from vitruvian.types.mesh import Mesh


def somebody(seed: int = 0) -> Body:
    rng = np.random.default_rng(seed)
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[model.active[1:]] = rng.normal(0, 0.15, (len(model.active) - 1, 3))
    pose[0] = [np.pi, 0.2, 0]
    betas = rng.normal(0, 0.7, 10)
    posed = model.forward(betas, pose, np.array([0.1, 0, 3.0]))
    height = model.stature(betas)
    return Body(model, betas, pose, posed.joints[0], height, posed.vertices, posed.joints)


@pytest.mark.parametrize("number", range(4))
def test_the_body_itself_goes_where_the_model_puts_it(number: int) -> None:
    body = somebody()
    pose = shown_poses(body_model())[number].rotations
    found = reposed(rest_mesh(body.as_mesh(), body), body, pose)
    assert found.frame == "body"
    assert found.vertices[:, 1].min() == 0
    expected = body_model().forward(body.betas, pose, np.zeros(3)).vertices
    expected = expected - [0, expected[:, 1].min(), 0]
    off = np.linalg.norm(found.vertices - expected, axis=1)
    # A few vertices in sharp bends are not where their skin's inverse has them.
    assert np.median(off) < 1e-4
    assert np.quantile(off, 0.999) < 0.01


def test_the_photographs_pose_gives_the_surface_back() -> None:
    body = somebody()
    mesh = body.as_mesh()
    found = reposed(rest_mesh(mesh, body), body, body.pose).vertices
    offset = mesh.vertices[:, 1].min()
    np.testing.assert_allclose(
        found[:, 1], mesh.vertices[:, 1] - offset, atol=2e-3
    )  # y, lifted onto the ground
    moved = found - (mesh.vertices - body.translation)
    np.testing.assert_allclose(moved[:, [0, 2]], 0, atol=2e-3)


def test_a_persons_own_face_goes_along() -> None:
    body = somebody()
    model = body.model
    offsets = np.zeros_like(body.vertices)
    offsets[model.regions.face > 0] = [0.002, -0.003, 0.006]
    joint_offsets = np.zeros_like(body.joints)
    joint_offsets[[model.joint_index[f"eye.{side}"] for side in "LR"]] = [0.002, -0.003, 0.006]
    face = FaceShape(offsets, joint_offsets, 0.01)
    posed = model.forward(body.betas, body.pose, body.translation, face=face)
    changed = replace(body, vertices=posed.vertices, joints=posed.joints, face=face)

    rest = rest_mesh(changed.as_mesh(), changed)
    np.testing.assert_allclose(rest.vertices, model.rest(body.betas)[0] + offsets, atol=1e-4)
    pose = shown_poses(model)[1].rotations
    moved = (
        reposed(rest, changed, pose).vertices
        - reposed(rest_mesh(body.as_mesh(), body), body, pose).vertices
    )
    assert np.linalg.norm(moved[model.regions.face > 0.99], axis=1) == pytest.approx(
        0.007, abs=2e-4
    )


def test_the_poses_are_what_they_are_called() -> None:
    model = body_model()
    poses = {
        pose.name: model.forward(np.zeros(0), pose.rotations) for pose in shown_poses(body_model())
    }
    assert list(poses) == ["T-pose", "walking", "arms raised", "sitting"]
    index = model.joint_index

    def joint(pose: str, name: str) -> np.ndarray:
        return poses[pose].joints[index[name]]

    for side, sign in (("L", 1), ("R", -1)):
        arm = joint("T-pose", f"wrist.{side}") - joint("T-pose", f"upperarm01.{side}")
        assert sign * arm[0] > 0.99 * np.linalg.norm(arm)
        assert joint("arms raised", f"wrist.{side}")[1] > joint("arms raised", "head")[1]
        thigh = joint("sitting", f"lowerleg01.{side}") - joint("sitting", f"upperleg01.{side}")
        assert thigh[2] > 0.6 * np.linalg.norm(thigh)
    stride = joint("walking", "foot.L") - joint("walking", "foot.R")
    assert abs(stride[2]) > 0.5
    for posed in poses.values():
        assert posed.rotations[0, 2, 2] > 0.7  # the pelvis faces +z
        assert posed.joints[index["head"], 1] - posed.joints[0, 1] > 0.4


def test_only_a_surface_at_rest_with_a_skin_can_be_posed() -> None:
    body = somebody()
    rest = rest_mesh(body.as_mesh(), body)
    pose = shown_poses(body_model())[0].rotations
    for bad in (replace(rest, skin_weights=None), Mesh(rest.vertices, rest.faces, "camera")):
        with pytest.raises(ValueError, match="at rest in the frame 'body'"):
            reposed(bad, body, pose)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"poses": [{"rotations": {}}]}), None])
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, monkeypatch, text: str | None) -> None:
    if text is not None:
        (tmp_path / "shown_poses.json").write_text(text)
    monkeypatch.setattr(repose, "DATA", tmp_path)
    with pytest.raises(WeightsError, match="cannot be read: reinstall"):
        shown_poses.__wrapped__(body_model())
