"""From a mesh at rest and its rig to an avatar, in the rest pose, rig and names that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from vitruvian.body.model.clips import fitted_motions
from vitruvian.body.model.hanging import Skeleton
from vitruvian.body.model.model import body_model
from vitruvian.formats.bone_axes import limb_axes
from vitruvian.formats.bone_names import UNREAL_ROOT, bone_names
from vitruvian.formats.rest_pose import in_rest_pose
from vitruvian.formats.rig import Clip, Rig
from vitruvian.formats.rig_kinds import reduced
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.options import BoneNames, Rest, RigKind
from vitruvian.types.mesh import Mesh

PHOTO_CLIP = "photo"


@dataclass(frozen=True)
class AvatarStyle:
    """How an avatar is written; what each choice is for is in ``options``.

    Attributes:
        rest: ``a``: arms straight and 45 degrees down; ``t``: level; ``model``: as the given mesh
            rests, for which nothing is skinned.
        kind: ``full``, all joints; ``game``, those that engines move (at most 60).
        names: whose bone names.
        limbs: whether the bones' y axes run along the limbs; without, all axes are the file's.
        clips: whether the body's motions come with it.
    """

    rest: Rest | Literal["model"] = "a"
    kind: RigKind = "full"
    names: BoneNames = "humanoid"
    limbs: bool = True
    clips: bool = True


def rig_avatar(
    mesh: Mesh,
    rig: Rig,
    *,
    name: str = "person",
    style: AvatarStyle | None = None,
    base_m: float = 0.0,
    legs: bool = True,
    motions: Sequence[Clip] | None = None,
) -> RiggedAvatar:
    """The avatar of a mesh at rest and its rig.

    It stands on the ground, facing +z. Its first clip ``photo`` (two equal keys, one second apart)
    puts the person into the pose of the photograph, on the spot: viewers frame the rest pose, and
    would play to an empty view where somebody stands metres from the middle of a group. Only the
    root's height is the photograph's; ``extras["position"]`` moves the person to their place. A
    bust or a half figure stands on y = 0 on its cut, and the joints of its legs are below.

    Motions of the body follow, cycles on the spot; ``extras["speed"]`` says how fast the person
    would move ahead, metres per second.

    Args:
        mesh: rest-pose mesh in the frame ``body``, with ``skin_joints`` and ``skin_weights``.
        rig: skeleton of the mesh and the photograph's pose.
        name: of the person.
        style: see ``AvatarStyle``.
        base_m: height in the world of the cut on which the person stands in the file, metres.
        legs: whether the mesh has legs and feet; without, there are only the motions that need
            none.
        motions: clips of ``rig`` in place of the body's motions.

    Raises:
        ValueError: the mesh has no skin, is not in the body frame, or names a joint that the
            rig lacks.
    """
    style = style or AvatarStyle()
    if mesh.frame != "body":
        raise ValueError(f"an avatar's mesh must be at rest in the frame 'body', got {mesh.frame}")
    skeleton = Skeleton.of(rig.parents, np.asarray(rig.joints, np.float64), rig.chains)
    mesh = _with_tidy_skin(mesh, len(skeleton.joints))
    here = np.array([0.0, rig.root_translation[1] - base_m, 0.0])
    there = rig.root_translation - here - [rig.joints[0, 0], 0, rig.joints[0, 2]]
    if motions is None:
        motions = _motions(mesh, rig, legs) if style.clips else ()
    photo = Clip(
        PHOTO_CLIP,
        np.array([0.0, 1.0]),
        np.stack([rig.rotations] * 2),
        np.stack([here] * 2),
        {"position": [round(float(value), 6) for value in there]},
    )
    names, clips = rig.joint_names, [photo, *motions]
    if rig.chains is not None:
        names += rig.chains.joint_names
        hung = rig.chains.rotations.reshape(1, -1, 3, 3).repeat(2, 0)
        clips = [
            replace(photo, rotations=np.concatenate([photo.rotations, hung], 1)),
            *(_with_chains(clip, skeleton) for clip in motions),
        ]
    avatar = RiggedAvatar(
        name=name,
        armature=f"{name}-armature",
        mesh=mesh,
        joint_names=names,
        bone_names=names,
        parents=np.asarray(skeleton.parents, np.int64),
        joints=skeleton.joints,
        axes=np.tile(np.eye(3), (len(names), 1, 1)),
        clips=tuple(clips),
        chains=rig.chains,
    )
    if style.rest != "model":
        avatar = in_rest_pose(avatar, style.rest)
    avatar = reduced(avatar, style.kind)
    avatar = replace(avatar, mesh=_with_tidy_skin(avatar.mesh, len(avatar.joints)))
    avatar = _on_the_ground(avatar)
    if style.limbs:
        avatar = replace(avatar, axes=limb_axes(avatar.joint_names, avatar.parents, avatar.joints))
    names = bone_names(avatar.joint_names, style.names)
    armature = UNREAL_ROOT if style.names == "unreal" else avatar.armature
    return replace(avatar, bone_names=names, armature=armature)


def _with_chains(clip: Clip, skeleton: Skeleton) -> Clip:
    """A clip of the body's joints with what its chains do."""
    roots = clip.roots + skeleton.joints[0] * (1, 0, 1)
    cycle = bool(clip.extras.get("loop", False))
    return replace(clip, rotations=skeleton.moving(clip.rotations, roots, cycle=cycle))


def _motions(mesh: Mesh, rig: Rig, legs: bool) -> list[Clip]:
    """The body's motions on this rig; none for rigs that are not the body model's."""
    if rig.joint_names != body_model().joint_names:
        return []
    return [
        Clip(
            motion.name,
            motion.times_s,
            motion.rotations,
            motion.roots,
            {"loop": True} | ({"speed": round(motion.speed, 4)} if motion.speed else {}),
        )
        for motion in fitted_motions(mesh, np.asarray(rig.joints, np.float64), legs=legs)
    ]


def _on_the_ground(avatar: RiggedAvatar) -> RiggedAvatar:
    """The avatar lifted or lowered until its lowest point at rest is on y = 0."""
    lift = np.array([0.0, -float(avatar.mesh.vertices[:, 1].min()), 0.0])
    mesh = avatar.mesh.with_vertices(avatar.mesh.vertices + lift)
    return replace(avatar, mesh=mesh, joints=avatar.joints + lift)


def _with_tidy_skin(mesh: Mesh, joint_count: int) -> Mesh:
    """The mesh with a skin as glTF asks: one entry per joint, weights float32 of sum 1."""
    if mesh.skin_joints is None or mesh.skin_weights is None:
        raise ValueError("an avatar's mesh needs skin_joints and skin_weights")
    joints = mesh.skin_joints.astype(np.int64)
    weights = np.maximum(mesh.skin_weights.astype(np.float64), 0)
    if joints.max(initial=0) >= joint_count:
        raise ValueError(f"skin_joints names joint {joints.max()} of {joint_count}")
    for first, second in combinations(range(joints.shape[1]), 2):
        twice = joints[:, first] == joints[:, second]
        weights[twice, first] += weights[twice, second]
        weights[twice, second] = 0
    total = weights.sum(1, keepdims=True)
    if (total == 0).any():
        raise ValueError("every vertex needs a joint with a positive weight")
    weights = (weights / total).astype(np.float32)
    joints[weights == 0] = 0
    return replace(mesh, skin_joints=joints.astype(np.uint16), skin_weights=weights)
