"""Which joints a rig keeps: all of them, or those that engines move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model.skeleton import (
    ANKLES,
    CLAVICLES,
    ELBOWS,
    HEAD,
    HIPS,
    KNEES,
    NECK,
    ROOT,
    SHOULDERS,
    SPINE,
    TOES,
    WRISTS,
    finger,
)
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.options import RigKind
from vitruvian.types.chains import COLUMNS, Chains, chain_joint

# Joints that only share in what their neighbours do: twist, and the flesh of hips and shoulders.
# Nothing else hangs on them in a file, so that a bone goes from joint to joint of the limb.
_HELPERS = (
    "pelvis", "upperleg02", "lowerleg02", "shoulder01", "upperarm02", "lowerarm02", "breast",
)  # fmt: skip

# 52 joints, those of a humanoid: no twist, no metacarpals, no single toes, no eyes.
GAME_JOINTS = frozenset(
    (
        ROOT, *SPINE, NECK, HEAD, *CLAVICLES, *SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES,
        *TOES, *(name for f in range(1, 6) for n in (1, 2, 3) for name in finger(f, n)),
    )
)  # fmt: skip


def reduced(avatar: RiggedAvatar, kind: RigKind) -> RiggedAvatar:
    """The avatar with the joints of a kind of rig.

    Joints that go give their weights to the nearest ancestor that stays, and their rotations in
    clips to their children; both leave every pose as it was where the joint itself never turns, as
    in all of ours. Weights of one vertex may then name a joint twice.

    Args:
        avatar: its axes are the file's.
        kind: ``full``: all joints, with those that only take up twist as leaves; ``game``: 52, and
            in skirts up to 8 more.
    """
    names = avatar.joint_names
    helper = np.array([name.partition(".")[0] in _HELPERS for name in names])
    helper[0] = False
    gone = np.zeros(len(names), bool)
    if kind == "game" and set(names) >= GAME_JOINTS:
        avatar = _with_four_chains(avatar)
        kept = GAME_JOINTS | _game_links(avatar.chains)
        gone = np.array([name not in kept for name in names])
    # The nearest ancestor, or itself, that may have children.
    holder = np.arange(len(names))
    carrier = np.arange(len(names))
    for joint, parent in enumerate(avatar.parents):
        if helper[joint] or gone[joint]:
            holder[joint] = holder[parent]
        if gone[joint]:
            carrier[joint] = carrier[parent]
    clips = []
    for clip in avatar.clips:
        rotations = clip.rotations.copy()
        for joint, parent in enumerate(avatar.parents):
            if parent < 0:
                continue
            # What the passed-over joints between here and the new parent do.
            while parent != holder[parent]:
                rotations[:, joint] = clip.rotations[:, parent] @ rotations[:, joint]
                parent = avatar.parents[parent]
        clips.append(replace(clip, rotations=rotations[:, ~gone]))
    # Where they begin is free: they turn about the limb. Programs that draw bones from joint to
    # joint (Blender) then draw the limb's whole.
    joints = np.where(helper[:, None], avatar.joints[holder], avatar.joints)
    number = np.cumsum(~gone) - 1
    mesh = avatar.mesh
    assert mesh.skin_joints is not None
    skin = number[carrier[mesh.skin_joints]].astype(np.uint16)
    parents = np.array([-1 if p < 0 else number[holder[p]] for p in avatar.parents])
    return replace(
        avatar,
        mesh=replace(mesh, skin_joints=skin),
        joint_names=tuple(name for name, away in zip(names, gone, strict=True) if not away),
        parents=parents[~gone],
        joints=joints[~gone],
        axes=avatar.axes[~gone],
        clips=tuple(clips),
    )


def _game_links(chains: Chains | None) -> frozenset[str]:
    """The joints of chains that a small rig keeps: before and behind, the first and one halfway."""
    if chains is None:
        return frozenset()
    rows = sorted({0, (len(chains.tips) + 1) // 2} - {len(chains.tips)})
    columns = [column for column in COLUMNS if not column.startswith("side")]
    return frozenset(chain_joint(column, row) for row in rows for column in columns)


def _with_four_chains(avatar: RiggedAvatar) -> RiggedAvatar:
    """The avatar with what hangs on chains at its sides given to those before and behind."""
    if avatar.chains is None:
        return avatar
    mesh, number = avatar.mesh, {name: i for i, name in enumerate(avatar.joint_names)}
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    front, back = np.arange(len(number)), np.arange(len(number))
    for row in range(len(avatar.chains.tips)):
        for side in "LR":
            beside = number[chain_joint(f"side.{side}", row)]
            front[beside] = number[chain_joint(f"front.{side}", row)]
            back[beside] = number[chain_joint(f"back.{side}", row)]
    joints = np.concatenate([front[mesh.skin_joints], back[mesh.skin_joints]], 1)
    halves = np.concatenate([mesh.skin_weights, mesh.skin_weights], 1) / 2
    touched = np.flatnonzero((front != np.arange(len(number)))[mesh.skin_joints].any(1))
    new_joints, new_weights = mesh.skin_joints.copy(), mesh.skin_weights.copy()
    if len(touched):
        dense = np.zeros((len(touched), len(number)), np.float32)
        rows = np.repeat(np.arange(len(touched)), joints.shape[1])
        np.add.at(dense, (rows, joints[touched].ravel()), halves[touched].ravel())
        strongest = np.argsort(-dense, axis=1, kind="stable")[:, : mesh.skin_joints.shape[1]]
        kept = np.take_along_axis(dense, strongest, 1)
        new_joints[touched] = strongest
        new_weights[touched] = kept / kept.sum(1, keepdims=True)
    return replace(avatar, mesh=replace(mesh, skin_joints=new_joints, skin_weights=new_weights))
