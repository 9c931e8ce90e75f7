"""Rigged GLB: a person ready to be animated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.glb import add_mesh
from vitruvian.formats.gltf import GltfBuilder
from vitruvian.formats.rig import Clip
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.geometry.rotations import quaternion_from_matrix


def write_avatar_glb(
    avatar: RiggedAvatar, path: str | Path, *, image_format: str = "jpeg", unlit: bool = False
) -> Path:
    """Write ``avatar_glb`` of the arguments to ``path`` and return the path.

    Raises ``InputError`` when the place cannot be written.
    """
    return write_bytes(path, avatar_glb(avatar, image_format=image_format, unlit=unlit))


def avatar_glb(avatar: RiggedAvatar, *, image_format: str = "jpeg", unlit: bool = False) -> bytes:
    """A GLB with the mesh at rest, its skeleton and its clips.

    Args:
        avatar: whose nodes hold the rest pose, because retargeting starts from there.
        image_format, unlit: see ``write_glb``.
    """
    builder = GltfBuilder()
    build_avatar(builder, avatar, image_format=image_format, unlit=unlit)
    return builder.to_glb()


def build_avatar(
    builder: GltfBuilder, avatar: RiggedAvatar, *, image_format: str = "jpeg", unlit: bool = False
) -> list[int]:
    """Add the avatar to a file that is being built; returns the node of every joint."""
    mesh = avatar.mesh
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    kind = np.uint8 if len(avatar.joints) <= 256 else np.uint16
    index = add_mesh(
        builder,
        avatar.name,
        mesh,
        image_format=image_format,
        unlit=unlit,
        skin=(mesh.skin_joints.astype(kind), mesh.skin_weights),
    )
    nodes = _add_skeleton(builder, avatar)
    # Of the matrices that take a joint's axes to its place at rest, the inverse.
    inverse_bind = np.tile(np.eye(4), (len(nodes), 1, 1))
    inverse_bind[:, :3, :3] = avatar.axes.swapaxes(1, 2)
    inverse_bind[:, :3, 3] = -np.einsum("jba,jb->ja", avatar.axes, avatar.joints)
    skin = builder.add(
        "skins",
        {
            "inverseBindMatrices": builder.add_accessor(inverse_bind.astype(np.float32)),
            "joints": nodes,
            "skeleton": nodes[0],
        },
    )
    # Beside the skeleton, not under it: a skinned mesh follows its joints only.
    builder.add_node({"name": avatar.name, "mesh": index, "skin": skin})
    # Joints that stay at rest in all clips, such as the face's, need no channels.
    moved = np.zeros(len(nodes), bool)
    moved[0] = True
    for clip in avatar.clips:
        moved |= np.abs(clip.rotations - np.eye(3)).max((0, 2, 3)) > 1e-6
    for clip in avatar.clips:
        _add_clip(builder, avatar, clip, nodes, np.flatnonzero(moved))
    return nodes


def _add_skeleton(builder: GltfBuilder, avatar: RiggedAvatar) -> list[int]:
    """Add the joints' nodes under one armature node; returns the node of every joint."""
    offsets = avatar.rest_offsets
    turns = quaternion_from_matrix(avatar.rest_rotations)
    items: list[dict[str, Any]] = []
    for original, name, offset, turn in zip(
        avatar.joint_names, avatar.bone_names, offsets, turns, strict=True
    ):
        item = {"name": name, "translation": offset.tolist(), "extras": {"joint": original}}
        if np.abs(turn[:3]).max() > 1e-9:
            item["rotation"] = turn.tolist()
        items.append(item)
    armature: dict[str, Any] = {"name": avatar.armature}
    first = builder.add_node(armature) + 1
    for joint, parent in enumerate(avatar.parents):
        holder = armature if parent < 0 else items[parent]
        holder.setdefault("children", []).append(first + joint)
    return [builder.add_node(item, root=False) for item in items]


def _add_clip(
    builder: GltfBuilder, avatar: RiggedAvatar, clip: Clip, nodes: list[int], moved: np.ndarray
) -> None:
    """Add an animation, with a channel for each of the joints ``moved``."""
    key_times = builder.add_accessor(clip.times_s.astype(np.float32), bounds=True)
    ends: int | None = None
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def add_channel(node: int, path: str, values: np.ndarray) -> None:
        nonlocal ends
        keys = key_times
        if np.abs(values - values[:1]).max() < 1e-6:  # what stays needs no more than the ends
            if ends is None:
                ends = builder.add_accessor(clip.times_s[[0, -1]].astype(np.float32), bounds=True)
            keys, values = ends, values[[0, -1]]
        output = builder.add_accessor(values.astype(np.float32))
        channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
        samplers.append({"input": keys, "output": output, "interpolation": "LINEAR"})

    add_channel(nodes[0], "translation", avatar.root_places(clip))
    quaternions = avatar.local_quaternions(clip.rotations)
    for joint in moved:
        add_channel(nodes[joint], "rotation", quaternions[:, joint])
    animation: dict[str, Any] = {"name": clip.name, "samplers": samplers, "channels": channels}
    if clip.extras:
        animation["extras"] = dict(clip.extras)
    builder.add("animations", animation)
