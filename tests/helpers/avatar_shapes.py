"""A small person for the formats of avatars: the body model's, textured, in a pose, with clips."""

from __future__ import annotations

from functools import cache

import numpy as np

from format_shapes import quarter_atlas
from surface_people import posed_body
from vitruvian.avatar.chains import chain_skin, chains_of, with_points
from vitruvian.avatar.shell import topology
from vitruvian.avatar.tube import Axis
from vitruvian.body.model.model import body_model
from vitruvian.formats import AvatarStyle, Rig, RiggedAvatar, rig_avatar
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.options import RigKind
from vitruvian.types.mesh import Mesh


@cache
def skirted_avatar(kind: RigKind = "game") -> RiggedAvatar:
    """Somebody who stands in a long skirt, which is all that the mesh has besides their feet."""
    body = posed_body({})
    model, joints = body.model, body.rest()[1]
    levels, angles = np.linspace(-0.2, 1.8, 30), np.linspace(-np.pi, np.pi, 24, endpoint=False)
    distance = np.repeat(np.linspace(0.16, 0.26, len(levels))[:, None], len(angles), 1)
    chains = chains_of(body, levels, np.broadcast_to(angles, distance.shape), distance)
    cloth = Axis.of(model, joints).points(levels[:, None], angles[None], distance)
    chains = with_points(chains, levels, angles, cloth)
    skin_joints, skin_weights = chain_skin(model, levels, angles)
    count = len(model.template)
    feet = model.faces[(model.regions.foot[model.faces] > 0).all(1)]
    shell = topology(len(levels), len(angles))[0]
    shell = shell[(shell < cloth.shape[0] * cloth.shape[1]).all(1)]
    mesh = Mesh(
        vertices=np.concatenate([body.rest()[0], cloth.reshape(-1, 3)]).astype(np.float32),
        faces=np.concatenate([feet, shell + np.int32(count)]),
        frame="body",
        skin_joints=np.concatenate([model.skin_joints, skin_joints]),
        skin_weights=np.concatenate([model.skin_weights, skin_weights]),
    )
    turns = matrix_from_axis_angle(body.pose)
    rig = Rig(model.joint_names, model.parents, joints, turns, np.array([0, 0.95, 0]), chains)
    return rig_avatar(mesh, rig, name="berta", style=AvatarStyle(kind=kind))


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
