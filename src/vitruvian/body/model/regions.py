"""Parts of the body that surface and texture treat differently, from the body model alone."""

from __future__ import annotations

import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.skeleton import LEFT, RIGHT
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.types.body import ParametricModel
from vitruvian.types.keypoints import EARS, EYES
from vitruvian.types.regions import HEAD, LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK, Regions


def _smooth_step(values: np.ndarray, start: float, end: float) -> np.ndarray:
    t = np.clip((values - start) / (end - start), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _descendants(model: ParametricModel, *names: str) -> np.ndarray:
    """(J,) bool, the joints and all below them."""
    below = np.zeros(len(model.parents), bool)
    below[[model.joint_index[name] for name in names]] = True
    for joint, parent in enumerate(model.parents):
        below[joint] |= parent >= 0 and below[parent]
    return below


def _weight_of(model: ParametricModel, joints: np.ndarray) -> np.ndarray:
    """(V,) skinning weight that the joints (J,) bool have on each vertex."""
    return (model.skin_weights * joints[model.skin_joints]).sum(1)


def find_regions(model: ParametricModel, landmarks: np.ndarray) -> Regions:
    """The regions of a body model; ``BodyModel.regions`` keeps them.

    landmarks: (33, 3) BlazePose's on the body at rest.
    """
    part = np.full(len(model.template), TRUNK, np.uint8)
    limbs = {
        LEFT_ARM: skeleton.SHOULDERS[LEFT],
        RIGHT_ARM: skeleton.SHOULDERS[RIGHT],
        LEFT_LEG: skeleton.HIPS[LEFT],
        RIGHT_LEG: skeleton.HIPS[RIGHT],
        HEAD: skeleton.NECK,
    }
    for label, name in limbs.items():
        part[_weight_of(model, _descendants(model, name)) > 0.5] = label

    head_joint = model.joint_template[model.joint_index[skeleton.HEAD]]
    on_head = _weight_of(model, _descendants(model, skeleton.NECK))
    height = model.template[:, 1] - head_joint[1]
    head = on_head * _smooth_step(height, -0.06, 0.0)
    skull = model.template[on_head > 0.99]
    crown, front, back = skull[:, 1].max(), skull[:, 2].max(), skull[:, 2].min()
    # The face: the front of the skull up to where hair begins.
    forward = (model.template[:, 2] - back) / (front - back)
    eyes = landmarks[EYES, 1].mean()
    hairline = eyes + 0.5 * (crown - eyes)
    face = head * _smooth_step(forward, 0.50, 0.62)
    face = face * (1 - _smooth_step(model.template[:, 1], hairline - 0.015, hairline + 0.02))

    front_of_neck = on_head * _smooth_step(forward, 0.42, 0.55)
    throat = front_of_neck * (1 - _smooth_step(height, 0.0, 0.05))
    ear = landmarks[EARS, 1].mean()
    hair = on_head * (1 - face) * _smooth_step(model.template[:, 1], ear - 0.01, ear + 0.03)

    edges = directed_edges(model.faces)
    edges = np.unique(np.sort(edges, axis=1), axis=0).astype(np.int32)
    hands = _descendants(model, *skeleton.WRISTS)
    feet = _descendants(model, *skeleton.ANKLES)
    return Regions(
        part=part,
        head=head.astype(np.float32),
        skull=_weight_of(model, _descendants(model, skeleton.HEAD)) > 0.9,
        face=face.astype(np.float32),
        throat=throat.astype(np.float32),
        hair=hair.astype(np.float32),
        hand=_smooth_step(_weight_of(model, hands), 0.3, 0.9),
        foot=_smooth_step(_weight_of(model, feet), 0.3, 0.9),
        axis=_bone_axes(model),
        mirror=model.vertex_mirror,
        edges=edges,
    )


def _bone_axes(model: ParametricModel) -> np.ndarray:
    """Directions (V, 3) of the bones by skinning weight; of chains with one way to go on."""
    directions = np.tile(np.array([0.0, 1.0, 0.0]), (len(model.parents), 1))
    for joint in range(len(model.parents)):
        children = np.flatnonzero(model.parents == joint)
        if len(children) == 1:
            offset = model.joint_template[children[0]] - model.joint_template[joint]
            length = np.linalg.norm(offset)
            if length > 1e-4:
                directions[joint] = offset / length
    # A bone's direction has no sign: flip all of them upwards before they are averaged.
    directions *= np.where(directions[:, 1] < 0, -1.0, 1.0)[:, None]
    blended = (directions[model.skin_joints] * model.skin_weights[..., None]).sum(1)
    length = np.linalg.norm(blended, axis=1, keepdims=True)
    return (blended / np.maximum(length, 1e-6)).astype(np.float32)
