"""Rigged GLB: a person ready to be animated."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.glb import add_mesh
from vitruvian.formats.gltf import GltfBuilder
from vitruvian.formats.humanoid import humanoid_names
from vitruvian.formats.rig import Rig
from vitruvian.geometry.rotations import quaternion_from_matrix
from vitruvian.types.mesh import Mesh

CLIP_NAME = "photo"


def write_avatar(
    mesh: Mesh,
    rig: Rig,
    path: str | Path,
    *,
    name: str = "person",
    image_format: str = "jpeg",
    unlit: bool = False,
    base_m: float = 0.0,
) -> Path:
    """Write ``avatar_glb`` of the arguments to ``path`` and return the path.

    Raises ``InputError`` when the place cannot be written.
    """
    data = avatar_glb(mesh, rig, name=name, image_format=image_format, unlit=unlit, base_m=base_m)
    return write_bytes(path, data)


def avatar_glb(
    mesh: Mesh,
    rig: Rig,
    *,
    name: str = "person",
    image_format: str = "jpeg",
    unlit: bool = False,
    base_m: float = 0.0,
) -> bytes:
    """A GLB with the mesh at rest, its skeleton, and the photograph's pose as a clip.

    The nodes hold the rest pose, feet on y = 0 and facing +z, because retargeting starts from
    there; the animation ``photo`` (two equal keys, one second apart) puts the person into the
    pose of the photograph, on the spot: viewers frame the rest pose, and would play to an empty
    view where somebody stands metres from the middle of a group. Only the root's height is the
    photograph's; ``extras.position`` of the animation moves the person to their place. A bust or a
    half figure stands on y = 0 on its cut, and the joints of its legs are below.

    Args:
        mesh: rest-pose mesh in the frame ``body``, with ``skin_joints`` and ``skin_weights``.
        rig: skeleton of the mesh and the photograph's pose.
        name: name of the mesh's node; the armature's is ``<name>-armature``.
        image_format, unlit: see ``write_glb``.
        base_m: height in the world of the cut on which the person stands in the file, metres.

    Raises:
        ValueError: the mesh has no skin, is not in the body frame, or names a joint that the
            rig lacks.
    """
    if mesh.frame != "body":
        raise ValueError(f"an avatar's mesh must be at rest in the frame 'body', got {mesh.frame}")
    joints, weights = _tidy_skin(mesh, len(rig.joint_names))
    lift = np.array([0.0, -float(mesh.vertices[:, 1].min()), 0.0])
    builder = GltfBuilder()
    index = add_mesh(
        builder,
        name,
        mesh.with_vertices(mesh.vertices + lift),
        image_format=image_format,
        unlit=unlit,
        skin=(joints, weights),
    )
    nodes = _add_skeleton(builder, rig, lift, f"{name}-armature")
    inverse_bind = np.tile(np.eye(4), (len(nodes), 1, 1))
    inverse_bind[:, :3, 3] = -(rig.joints + lift)
    skin = builder.add(
        "skins",
        {
            "inverseBindMatrices": builder.add_accessor(inverse_bind.astype(np.float32)),
            "joints": nodes,
            "skeleton": nodes[0],
        },
    )
    # Beside the skeleton, not under it: a skinned mesh follows its joints only.
    builder.add_node({"name": name, "mesh": index, "skin": skin})
    at_rest = np.asarray(rig.joints[0]) + lift
    in_place = np.array([at_rest[0], rig.root_translation[1] - base_m, at_rest[2]])
    _add_clip(
        builder,
        CLIP_NAME,
        nodes,
        times=np.array([0, 1], np.float32),
        rotations=np.stack([rig.rotations] * 2),
        root_translations=np.stack([in_place] * 2),
        position=rig.root_translation - in_place,
    )
    return builder.to_glb()


def _tidy_skin(mesh: Mesh, joint_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Joints (V, 4) and float32 weights (V, 4) as glTF asks: one entry per joint, sum 1."""
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
    return joints.astype(np.uint8 if joint_count <= 256 else np.uint16), weights


def _add_skeleton(builder: GltfBuilder, rig: Rig, lift: np.ndarray, name: str) -> list[int]:
    """Add the joints' nodes under one armature node; returns the node of every joint."""
    offsets = rig.offsets
    offsets[0] += lift
    items: list[dict[str, Any]] = []
    for original, humanoid, offset in zip(
        rig.joint_names, humanoid_names(rig.joint_names), offsets, strict=True
    ):
        extras = {"joint": original}
        items.append({"name": humanoid, "translation": offset.tolist(), "extras": extras})
    armature: dict[str, Any] = {"name": name}
    first = builder.add_node(armature) + 1
    for joint, parent in enumerate(rig.parents):
        holder = armature if parent < 0 else items[parent]
        holder.setdefault("children", []).append(first + joint)
    return [builder.add_node(item, root=False) for item in items]


def _add_clip(
    builder: GltfBuilder,
    name: str,
    nodes: list[int],
    *,
    times: np.ndarray,
    rotations: np.ndarray,
    root_translations: np.ndarray,
    position: np.ndarray,
) -> None:
    """Add an animation of T keys: rotations (T, J, 3, 3) and the root's positions (T, 3).

    ``position`` (3,), metres, is where in the world it happens.
    """
    key_times = builder.add_accessor(times, bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def add_channel(node: int, path: str, values: np.ndarray) -> None:
        output = builder.add_accessor(values.astype(np.float32))
        channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
        samplers.append({"input": key_times, "output": output, "interpolation": "LINEAR"})

    add_channel(nodes[0], "translation", root_translations)
    quaternions = quaternion_from_matrix(rotations)  # (T, J, 4)
    for joint, node in enumerate(nodes):
        # Joints that stay at rest, such as the face's, need no channel.
        if joint == 0 or np.abs(quaternions[:, joint, :3]).max() > 1e-6:
            add_channel(node, "rotation", quaternions[:, joint])
    extras = {"position": [round(float(value), 6) for value in position]}
    builder.add(
        "animations", {"name": name, "samplers": samplers, "channels": channels, "extras": extras}
    )
