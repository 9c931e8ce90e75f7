"""Fitting the head of a body to the points of a face: its pose, and the person's own face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.fit.face_points import HeadPoints, HeadState
from vitruvian.body.model.face import FaceModel, face_model
from vitruvian.body.model.model import BodyModel, JointMotion
from vitruvian.body.model.skeleton import HEAD, NECK
from vitruvian.geometry.rotations import (
    axis_angle_from_matrix,
    matrix_from_axis_angle,
    rotation_between,
)
from vitruvian.networks.face_mesh import EYELIDS, LEFT_EYE, LIPS, RIGHT_EYE
from vitruvian.types.camera import Camera
from vitruvian.types.face import FaceShape
from vitruvian.types.record import Record

# A fit beyond these is none: the body's own face stays.
_MOST_TURN, _MOST_SHIFT_M, _LEAST_SIZE, _MOST_SIZE = np.deg2rad(50), 0.06, 0.8, 1.25
_MOST_ERROR = 0.06  # distances between the eyes, before the smooth field
_MOST_SMOOTH_M = 0.008
# An open mouth: its rims among the points of the lips, the points in the middle of either, from
# how wide on it is open, how far teeth are behind the lips, and what is left of its depth.
_LOWER_RIM, _MIDDLE_OF_LIPS = np.arange(20, 31), np.array([13, 14])
_UPPER_RIM = np.array([20, *range(31, 40), 30])  # with the corners
_OPEN_M, _TEETH_M, _MOUTH_DEPTH = 0.0015, 0.004, 0.05
_MOST_LEAN = np.deg2rad(25)  # of the neck


@dataclass(frozen=True, eq=False, repr=False)
class FittedHead(Record):
    """A head that was fitted.

    Attributes:
        rotations: (J, 3, 3) float64 local rotations of the whole body, with neck and head turned.
        shape: the person's own face.
    """

    rotations: np.ndarray
    shape: FaceShape


def fit_head(
    model: BodyModel,
    points: np.ndarray,
    camera: Camera,
    betas: np.ndarray,
    rotations: np.ndarray,
    translation: np.ndarray,
) -> FittedHead | None:
    """The head of a fitted body, laid on the points of a face.

    Args:
        model: of the body.
        points: (478, 3) of the face, see ``types.face.Face.points``.
        camera: that sees them, and whose frame the body is in.
        betas, rotations, translation: shape, local rotations (J, 3, 3) and place of the body.

    Returns:
        None where the points lie as no face of the model does.
    """
    faces = face_model()
    vertices, joints = model.rest(betas)
    number = model.joint_index[HEAD]
    before = model.joint_motion(joints, rotations, translation)
    head = HeadPoints(faces, faces.points_of(vertices), points, camera)
    place = _carried_by(before, number, joints, head.middle)
    state = head.solve(place)
    if state is None:
        return None
    turn = axis_angle_from_matrix(state.rotation @ before.rotations[number].T)
    if (
        np.linalg.norm(turn) > _MOST_TURN
        or np.linalg.norm(state.place - place) > _MOST_SHIFT_M
        or not _LEAST_SIZE < state.size < _MOST_SIZE
        or head.error(head.placed(state)) > _MOST_ERROR
    ):
        return None
    wanted = state.place + state.rotation @ (joints[number] - head.middle)
    rotations = _turned(model, rotations, before, wanted, state.rotation)
    motion = model.joint_motion(joints, rotations, translation)
    # What the neck does not do of the head's way, the head itself is moved by.
    moved = motion.rotations[number].T @ (wanted - motion.heads[number])
    field = np.clip(faces.smooth.T @ (head.smooth(state) @ motion.rotations[number]),
                    -_MOST_SMOOTH_M, _MOST_SMOOTH_M)  # fmt: skip
    shape = _shape(model, faces, state, vertices, joints, head.middle, moved, field)
    posed = model.forward_rotations(betas, rotations, translation, face=shape)
    error = head.error(faces.points_of(posed.vertices))
    return FittedHead(rotations, FaceShape(shape.offsets, shape.joint_offsets, error))


def _carried_by(
    motion: JointMotion, joint: int, joints: np.ndarray, point: np.ndarray
) -> np.ndarray:
    """Where a point (3,) at rest is that hangs on a joint alone."""
    return motion.rotations[joint] @ (point - joints[joint]) + motion.heads[joint]


def _turned(
    model: BodyModel,
    rotations: np.ndarray,
    motion: JointMotion,
    place: np.ndarray,
    rotation: np.ndarray,
) -> np.ndarray:
    """Local rotations (J, 3, 3) with the neck leant so that its upper end comes as near to
    ``place`` (3,) as it can, and the head turned to ``rotation`` (3, 3), camera frame."""
    out = rotations.copy()
    neck, head = model.joint_index[NECK], model.joint_index[HEAD]
    root = motion.heads[neck]
    lean = axis_angle_from_matrix(rotation_between(motion.heads[head] - root, place - root))
    lean *= min(1.0, _MOST_LEAN / max(float(np.linalg.norm(lean)), 1e-9))
    leant = matrix_from_axis_angle(lean)
    out[neck] = motion.rotations[model.parents[neck]].T @ leant @ motion.rotations[neck]
    out[head] = (leant @ motion.rotations[model.parents[head]]).T @ rotation
    return out


def _shape(
    model: BodyModel,
    faces: FaceModel,
    state: HeadState,
    vertices: np.ndarray,
    joints: np.ndarray,
    middle: np.ndarray,
    moved: np.ndarray,
    field: np.ndarray,
) -> FaceShape:
    """A solved head as offsets of the body's rest; ``error`` is not known yet."""
    directions = np.concatenate([faces.identity, faces.actions]).reshape(len(state.strengths), -1)
    own = (state.strengths.astype(np.float32) @ directions).reshape(-1, 3)
    own = state.size * own + field
    # Eyeballs keep their form: each goes where its lids go.
    at_eyes = {}
    balls = model.components[faces.vertices] > 1
    left = model.template[faces.vertices, 0] > 0
    for side, lids, ball in (("L", LEFT_EYE, balls & left), ("R", RIGHT_EYE, balls & ~left)):
        rims = np.searchsorted(faces.vertices, faces.point_vertices[lids[:EYELIDS]])
        weights = faces.point_weights[lids[:EYELIDS]]
        at_eyes[side] = np.einsum("pk,pki->i", weights, own[rims]) / EYELIDS
        own[ball] = at_eyes[side]
    offsets = np.zeros_like(vertices)
    about = vertices[faces.vertices] - middle
    offsets[faces.vertices] = own + faces.carried[:, None] * ((state.size - 1) * about + moved)
    _show_teeth(faces, vertices, offsets)
    joint_offsets = np.zeros_like(joints)
    for side, offset in at_eyes.items():
        joint = model.joint_index[f"eye.{side}"]
        joint_offsets[joint] = offset + (state.size - 1) * (joints[joint] - middle) + moved
    return FaceShape(offsets, joint_offsets, float("nan"))


def _show_teeth(faces: FaceModel, vertices: np.ndarray, offsets: np.ndarray) -> None:
    """Move what is inside an open mouth up to just behind the lips (``offsets`` in place): the
    body has no teeth, and a photograph's would lie deep in the throat."""
    points = faces.points_of(vertices + offsets)
    if np.linalg.norm(np.subtract(*points[_MIDDLE_OF_LIPS])) < _OPEN_M:
        return
    lower, upper = points[LIPS[_LOWER_RIM]], points[LIPS[_UPPER_RIM]]
    inside = (vertices + offsets)[faces.mouth]
    x = np.clip(inside[:, 0], lower[:, 0].min(), lower[:, 0].max())

    # The lips are a bow: how high and how far forward they are depends on how far to a side.
    def bow(rim: np.ndarray, axis: int) -> np.ndarray:
        return np.polynomial.Polynomial.fit(rim[:, 0], rim[:, axis], 2)(x)

    y = np.clip(inside[:, 1], bow(lower, 1) - _TEETH_M, bow(upper, 1) + _TEETH_M)
    wall = bow(np.concatenate([lower, upper]), 2) - _TEETH_M
    behind = np.maximum(wall - inside[:, 2], 0)
    moved = np.stack([x, y, np.minimum(inside[:, 2], wall) + (1 - _MOUTH_DEPTH) * behind], axis=1)
    offsets[faces.mouth] += (moved - inside).astype(np.float32)
