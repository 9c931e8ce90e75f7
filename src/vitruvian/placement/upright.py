"""Which way is up: the direction that makes standing people stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vitruvian.body.model.skeleton import ANKLES, HIPS, LEFT, LEGS, NECK, RIGHT
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.body import Body

_CAMERA_UP = np.array([0.0, -1.0, 0.0])
_PRIOR_WEIGHT = 0.35  # of a level camera, against 1 for each person who clearly stands
_MAX_TILT = np.deg2rad(35)
_STANDS = 0.3  # how surely somebody has to be straight to tell that the picture is turned
_TURNED = np.deg2rad(30)  # about a quarter or half turn
# Where heads point in the picture (x right, y down), and the turn that makes that up.
_TURNS = {
    (1.0, 0.0): ("to the right", "a quarter to the left"),
    (-1.0, 0.0): ("to the left", "a quarter to the right"),
    (0.0, 1.0): ("down", "upside down"),
}


def _fade(value: float, start: float, end: float) -> float:
    """1 up to ``start``, 0 from ``end`` on, linear between."""
    return float(np.clip((end - value) / (end - start), 0, 1))


def _angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    cosine = a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9)
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def standing(body: Body) -> tuple[float, np.ndarray]:
    """How surely a body stands straight, 0..1, and its axis from feet to neck (3,), unit length.

    A body stands when a leg is straight and the trunk continues the legs; sitting, crouching,
    jumping with bent knees or bending over counts for nothing.
    """
    joint = body.joint
    hips = (joint(HIPS[LEFT]) + joint(HIPS[RIGHT])) / 2
    ankles = (joint(ANKLES[LEFT]) + joint(ANKLES[RIGHT])) / 2
    neck = joint(NECK)
    bends = []
    for hip, knee, ankle in LEGS:
        thigh = joint(hip) - joint(knee)
        shank = joint(knee) - joint(ankle)
        bends.append(_angle_deg(thigh, shank))
    trunk_bend = _angle_deg(neck - hips, hips - ankles)
    axis = neck - ankles
    axis = axis / max(np.linalg.norm(axis), 1e-9)
    straight_leg = max(_fade(min(bends), 30, 55), 0.0) * _fade(max(bends), 60, 95)
    return straight_leg * _fade(trunk_bend, 22, 45), axis


def estimate_up(bodies: Sequence[Body], weights: Sequence[float]) -> np.ndarray:
    """The world's up direction (3,) in the camera frame.

    The mean axis of those who stand, drawn towards a level camera when few do. Landmark networks
    let people lean towards the camera by some degrees, the more so the more the camera looks
    down; turning the world instead of the people keeps their knees straight.

    Args:
        bodies: fitted bodies in the camera frame.
        weights: trust in each, 0..1, such as whether the whole figure is in view.
    """
    total = _CAMERA_UP * _PRIOR_WEIGHT
    for body, weight in zip(bodies, weights, strict=True):
        score, axis = standing(body)
        if axis @ _CAMERA_UP > np.cos(_MAX_TILT):
            total = total + axis * score * weight
    up = total / np.linalg.norm(total)
    tilt = np.arccos(np.clip(up @ _CAMERA_UP, -1, 1))
    if tilt > _MAX_TILT:
        axis = np.cross(_CAMERA_UP, up)
        up = matrix_from_axis_angle(axis / np.linalg.norm(axis) * _MAX_TILT) @ _CAMERA_UP
    return up


def turn_warning(bodies: Sequence[Body]) -> str | None:
    """The sentence for a photograph that seems to lie on its side or on its head, or None.

    It does when nobody stands straight in it as it is, and everybody would after the same quarter
    or half turn. People also lie and stand on their hands, so this says "if".
    """
    heads = []
    for body in bodies:
        score, axis = standing(body)
        if score > _STANDS:
            heads.append(axis[:2] / max(float(np.linalg.norm(axis[:2])), 1e-9))
    if not heads or len(heads) < len(bodies) / 2:
        return None
    for direction, (where, turn) in _TURNS.items():
        if all(head @ np.array(direction) > np.cos(_TURNED) for head in heads):
            return (
                f"People's heads point {where} in this picture: if it lies on its side or upside "
                f"down, turn the picture {turn} and try again."
            )
    return None
