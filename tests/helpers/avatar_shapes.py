"""A small person for the formats of avatars: the body model's, textured, in a pose, with clips."""

from __future__ import annotations

from functools import cache

import numpy as np

from format_shapes import quarter_atlas
from vitruvian.body.model.model import body_model
from vitruvian.formats import AvatarStyle, Rig, RiggedAvatar, rig_avatar
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.options import RigKind
from vitruvian.types.mesh import Mesh


@cache
def small_avatar(kind: RigKind = "game") -> RiggedAvatar:
    """An avatar at rest in an A-pose, with all clips."""
    model = body_model()
    vertices, joints = model.rest(model.shape_prior("women").mean)
    pose = np.zeros((len(model.joint_names), 3))
    pose[model.active] = np.random.default_rng(7).normal(0, 0.25, (len(model.active), 3))
    mesh = Mesh(
        vertices=vertices,
        faces=model.faces,
        frame="body",
        uvs=model.uvs,
        uv_faces=model.uv_faces,
        texture=quarter_atlas(),
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    turns = matrix_from_axis_angle(pose)
    rig = Rig(model.joint_names, model.parents, joints, turns, np.array([0.3, 0.95, -2.0]))
    return rig_avatar(mesh, rig, name="anna", style=AvatarStyle(kind=kind))


def joints_at(avatar: RiggedAvatar, clip: str, key: int) -> np.ndarray:
    """(J, 3) where the joints are at a key of a clip, by forward kinematics in the file's axes."""
    motion = next(one for one in avatar.clips if one.name == clip)
    turns, places = motion.rotations[key].copy(), avatar.joints.copy()
    places[0] = motion.roots[key] + avatar.joints[0] * (1, 0, 1)
    for joint, parent in enumerate(avatar.parents):
        if parent >= 0:
            places[joint] = places[parent] + turns[parent] @ (
                avatar.joints[joint] - avatar.joints[parent]
            )
            turns[joint] = turns[parent] @ turns[joint]
    return places


def skinned_at(avatar: RiggedAvatar, clip: str, key: int) -> np.ndarray:
    """(V, 3) where the vertices are at a key of a clip, by linear blend skinning."""
    motion = next(one for one in avatar.clips if one.name == clip)
    turns = motion.rotations[key].copy()
    for joint, parent in enumerate(avatar.parents):
        if parent >= 0:
            turns[joint] = turns[parent] @ turns[joint]
    places = joints_at(avatar, clip, key)
    out = np.zeros(avatar.mesh.vertices.shape)
    for joints, weights in zip(
        avatar.mesh.skin_joints.T.astype(int), avatar.mesh.skin_weights.T, strict=True
    ):
        arm = avatar.mesh.vertices - avatar.joints[joints]
        moved = places[joints] + np.einsum("vij,vj->vi", turns[joints], arm)
        out += weights[:, None] * moved
    return out
