"""The head and the face of a body, from the points of a face mesh whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.fit.face import FittedHead, fit_head
from vitruvian.body.fit.face_points import eye_distance
from vitruvian.body.model.face import face_model
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.body.model.skeleton import HEAD, NECK
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.networks.face_mesh import LEFT_EYE, LIPS, RIGHT_EYE
from vitruvian.types.camera import Camera
from vitruvian.types.face import FaceShape

CAMERA = Camera.centered(2400, 800, 1000)


def standing(
    model: BodyModel, *, yaw: float = 0.0, higher: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Betas, local rotations and translation of somebody upright before the camera."""
    rotations = np.tile(np.eye(3), (len(model.parents), 1, 1))
    turn = matrix_from_axis_angle(np.array([0, yaw, 0]))
    rotations[0] = matrix_from_axis_angle(np.array([np.pi, 0, 0])) @ turn
    return np.zeros(10), rotations, np.array([0.1, 0.5 - higher, 3.0])


def own_face(seed: int, **actions: float) -> FaceShape:
    """Somebody's face: shapes at random, and what the face does."""
    model, faces = body_model(), face_model()
    rng = np.random.default_rng(seed)
    shape = np.tensordot(0.7 * rng.normal(size=len(faces.identity)), faces.identity, 1)
    for name, strength in actions.items():
        shape = shape + strength * faces.actions[faces.action_names.index(name)]
    offsets = np.zeros_like(model.template)
    offsets[faces.vertices] = shape
    return FaceShape(offsets, np.zeros((len(model.parents), 3)), 0.0)


def as_seen(vertices: np.ndarray) -> np.ndarray:
    """The points (478, 3) that the network would find on posed vertices (V, 3)."""
    faces = face_model()
    points = faces.points_of(vertices)
    ray = points.mean(0) / np.linalg.norm(points.mean(0))
    depth = points @ ray  # it is shown the face alone, wherever that is in the picture
    pixels = CAMERA.project(points)
    metres = points[:, 2].mean() / CAMERA.focal_px
    lying = np.concatenate([pixels, (depth - depth.mean())[:, None] / metres], axis=1)
    lying[:, 2] = lying[:, 2] / faces.depth_scale + faces.depth_bias * eye_distance(lying)
    eyes = [np.tile(lying[eye[:16]].mean(0), (5, 1)) for eye in (RIGHT_EYE, LEFT_EYE)]
    return np.concatenate([lying, *eyes])


def fitted(seed: int, turn: list[float], yaw: float = 0.0) -> tuple[FittedHead, np.ndarray]:
    """The head that is found of somebody who turned it, and the true vertices."""
    model = body_model()
    betas, rotations, translation = standing(model, yaw=yaw)
    turned = rotations.copy()
    turned[model.joint_index[HEAD]] = matrix_from_axis_angle(np.array(turn))
    true = model.forward_rotations(betas, turned, translation, face=own_face(seed)).vertices
    head = fit_head(model, as_seen(true), CAMERA, betas, rotations, translation)
    assert head is not None
    return head, true


@pytest.mark.parametrize(("turn", "yaw"), [([0.1, 0.3, -0.1], 0.0), ([-0.2, 0, 0.1], 0.6)])
def test_a_face_is_found_again(turn, yaw) -> None:
    model = body_model()
    head, true = fitted(3, turn, yaw)
    assert head.shape.error < 0.01
    betas, _, translation = standing(model)
    found = model.forward_rotations(betas, head.rotations, translation, face=head.shape).vertices
    bare = model.forward_rotations(betas, standing(model, yaw=yaw)[1], translation).vertices
    face = model.regions.face > 0.9

    def off(vertices: np.ndarray) -> float:
        """Across the view and, the distance set aside, along it."""
        gap = (vertices - true)[face]
        gap[:, 2] -= gap[:, 2].mean()
        return float(np.linalg.norm(gap, axis=1).mean())

    assert off(found) < 0.004 < 0.5 * off(bare)


@pytest.mark.parametrize("higher", [-1.0, 1.0])
def test_a_face_high_in_the_picture_is_not_tipped(higher: float) -> None:
    """The network's depths are along the ray to the face, not along the picture's axis."""
    model = body_model()
    betas, rotations, translation = standing(model, higher=higher)
    true = model.forward_rotations(betas, rotations, translation, face=own_face(4))
    head = fit_head(model, as_seen(true.vertices), CAMERA, betas, rotations, translation)
    assert head is not None
    _, joints = model.rest(betas)
    number = model.joint_index[HEAD]
    found, before = (
        model.joint_motion(joints, one, translation).rotations[number]
        for one in (head.rotations, rotations)
    )
    tipped = np.rad2deg(np.linalg.norm(axis_angle_from_matrix(found @ before.T)))
    assert tipped < 2.5


def test_only_head_and_neck_change() -> None:
    model = body_model()
    head, _ = fitted(1, [0.1, 0.2, 0])
    _, before, _ = standing(model)
    changed = np.abs(head.rotations - before).max((1, 2)) > 1e-9
    assert set(np.flatnonzero(changed)) <= {model.joint_index[name] for name in (NECK, HEAD)}
    moved = np.linalg.norm(head.shape.offsets, axis=1)
    below = model.template[:, 1] < model.joint_template[model.joint_index[NECK], 1] - 0.08
    assert moved[below].max() < 0.002
    assert np.delete(moved, face_model().mouth).max() < 0.05


def test_eyeballs_keep_their_form() -> None:
    model = body_model()
    head, _ = fitted(2, [0, 0.1, 0])
    for component, side in ((2, "L"), (3, "R")):
        ball = model.components == component
        if (model.template[ball, 0].mean() > 0) != (side == "L"):
            ball = model.components == 5 - component
        joint = model.joint_index[f"eye.{side}"]
        before = model.template[ball] - model.joint_template[joint]
        after = before + head.shape.offsets[ball] - head.shape.joint_offsets[joint]
        sizes = np.linalg.norm(after, axis=1) / np.linalg.norm(before, axis=1)
        assert np.ptp(sizes) < 1e-3


def test_teeth_are_just_behind_open_lips() -> None:
    model, faces = body_model(), face_model()
    betas, rotations, translation = standing(model)
    face = own_face(0, jawOpen=0.3)
    true = model.forward_rotations(betas, rotations, translation, face=face).vertices
    head = fit_head(model, as_seen(true), CAMERA, betas, rotations, translation)
    assert head is not None
    rest = model.rest(betas)[0] + head.shape.offsets
    lips, inside = faces.points_of(rest)[LIPS], rest[faces.mouth]
    assert lips[:, 2].min() - inside[:, 2].min() < 0.015
    assert inside[:, 2].max() < lips[:, 2].max()
    assert (inside > lips.min(0) - 0.005)[:, :2].all()
    assert (inside < lips.max(0) + 0.005)[:, :2].all()


def test_what_is_no_face_changes_nothing() -> None:
    model = body_model()
    betas, rotations, translation = standing(model)
    seen = as_seen(model.forward_rotations(betas, rotations, translation).vertices)
    upside_down = seen * [1, -1, 1] + [0, 2 * seen[:, 1].mean(), 0]
    crumpled = seen + np.random.default_rng(0).normal(0, 12, seen.shape)
    elsewhere = seen + [400, 0, 0]
    giant = (seen - seen.mean(0)) * 2 + seen.mean(0)
    for points in (upside_down, crumpled, elsewhere, giant):
        assert fit_head(model, points, CAMERA, betas, rotations, translation) is None
