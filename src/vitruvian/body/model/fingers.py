"""The fingers of somebody who does nothing with them.

The body model rests with fingers spread and straight, as scanned hands are held out. Hands that
hang are not so: the fingers lie beside each other, bent a little at every joint. A photograph of a
whole person rarely says more.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.skeleton import LEFT, finger
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle

# Degrees by which knuckle, middle and last joint of index to little finger are bent; resting hands
# are bent the more the nearer the little finger.
_BENT_DEG = {2: (10, 20, 10), 3: (14, 24, 12), 4: (18, 26, 12), 5: (20, 26, 12)}
_CLOSED = 0.7  # share of the angle to the middle finger that is closed
_THUMB_CLOSED_DEG, _THUMB_BENT_DEG = 12, (10, 12)  # towards the index; at its outer joints


@lru_cache(maxsize=4)
def relaxed_fingers(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """Indices (N,) of the joints of both hands' fingers and their rotations (N, 3, 3) at ease.

    In the model's convention for local rotations.
    """
    left = _left_hand(model)
    pose = np.zeros((len(model.parents), 3))
    for joint, rotation in left.items():
        pose[joint] = axis_angle_from_matrix(rotation[None])[0]
    pose = pose + model.mirrored_pose(pose)
    joints = np.flatnonzero(np.abs(pose).sum(1) > 0)
    return joints, matrix_from_axis_angle(pose[joints])


def _left_hand(model: BodyModel) -> dict[int, np.ndarray]:
    def place(number: int, joint: int) -> np.ndarray:
        return np.asarray(model.joint_template[at(number, joint)])

    def at(number: int, joint: int) -> int:
        return model.joint_index[finger(number, joint)[LEFT]]

    across = place(5, 1) - place(2, 1)
    middle = _unit(place(3, 2) - place(3, 1))
    palm = _unit(np.cross(middle, across))
    # Out of the palm, where the thumb is.
    palm *= np.sign((place(1, 3) - place(2, 1)) @ palm)
    # One hinge for all, that about which the model's fingers rest a little bent: so they stay
    # side by side.
    bones = {f: [place(f, n) for n in (1, 2, 3)] for f in _BENT_DEG}
    hinge = _unit(np.sum([_unit(np.cross(b - a, c - b)) for a, b, c in bones.values()], axis=0))
    goal = _unit(middle - (middle @ palm) * palm)
    out = {}
    for number, bends in _BENT_DEG.items():
        along = bones[number][1] - bones[number][0]
        flat = _unit(along - (along @ palm) * palm)
        angle = np.arctan2(np.cross(flat, goal) @ palm, flat @ goal)
        closing = _turn(palm, _CLOSED * angle)
        joints = [at(number, n) for n in (1, 2, 3)]
        out[joints[0]] = _turn(hinge, np.deg2rad(bends[0])) @ closing
        for joint, bend in zip(joints[1:], bends[1:], strict=True):
            out[joint] = _turn(closing.T @ hinge, np.deg2rad(bend))
    along = _unit(place(1, 3) - place(1, 2))
    index = _unit(place(2, 1) - place(1, 2))
    hinge = _unit(np.cross(along, index))
    out[at(1, 1)] = _turn(hinge, np.deg2rad(_THUMB_CLOSED_DEG))
    for joint, bend in enumerate(_THUMB_BENT_DEG, 2):
        out[at(1, joint)] = _turn(hinge, np.deg2rad(bend))
    return out


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


def _turn(axis: np.ndarray, angle: float) -> np.ndarray:
    return np.asarray(matrix_from_axis_angle((axis * angle)[None])[0])


def pose_of(model: BodyModel, rotations: np.ndarray) -> np.ndarray:
    """Axis-angle (J, 3) of fitted local rotations (J, 3, 3), with fingers at ease."""
    pose = axis_angle_from_matrix(rotations)
    fingers, at_ease = relaxed_fingers(model)
    pose[fingers] = axis_angle_from_matrix(at_ease)
    return pose
