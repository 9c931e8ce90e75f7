"""Spring bones of VRM 1.0: chains of a skirt that programs let swing.

https://github.com/vrm-c/vrm-specification/tree/master/specification/VRMC_springBone-1.0
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.formats.gltf import GltfBuilder
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.types.chains import COLUMNS, Chains, chain_joint

_CLOTH_M = 0.01  # radius of a joint
_LEAST_M = 0.02  # radius of a capsule
_STIFFNESS, _LIMP = 1.2, 0.4  # of the first link, and of the last
_GRAVITY, _DRAG = 0.2, 0.5
_FRONT = COLUMNS.index("front.L")  # a chain that every rig has


def spring_bones(
    builder: GltfBuilder, avatar: RiggedAvatar, nodes: list[int]
) -> dict[str, Any] | None:
    """The extension ``VRMC_springBone`` of an avatar; None where it has no chains.

    A spring for each chain, which collides with capsules of hips, thighs, shanks and feet. The end
    of each chain becomes a node of its own, because the last joint of a spring only says where the
    one before ends.

    Args:
        builder: of the file; the ends of chains are added to it.
        avatar: as it is in the file.
        nodes: of its joints.
    """
    chains = avatar.chains
    if chains is None:
        return None
    number = {name: i for i, name in enumerate(avatar.joint_names)}
    shift = _shift_of(avatar, chains)
    springs = []
    for place, column in enumerate(COLUMNS):
        links = [chain_joint(column, row) for row in range(len(chains.tips))]
        links = [name for name in links if name in number]
        if not links:
            continue
        last = number[links[-1]]
        offset = avatar.axes[last].T @ (chains.tips[-1, place] + shift - avatar.joints[last])
        name = f"{avatar.bone_names[last]}End"
        end = builder.add_node({"name": name, "translation": offset.tolist()}, root=False)
        builder.adopt(nodes[last], end)
        springs.append(
            {
                "name": column,
                "joints": [
                    *(
                        _joint(nodes[number[name]], row / max(len(links) - 1, 1))
                        for row, name in enumerate(links)
                    ),
                    _joint(end, 1.0),  # its settings say nothing, but must be there
                ],
                "colliderGroups": [0],
            }
        )
    return {
        "specVersion": "1.0",
        "colliders": _colliders(avatar, chains, nodes),
        "colliderGroups": [{"name": "legs", "colliders": list(range(len(chains.collider_radii)))}],
        "springs": springs,
    }


def _joint(node: int, share: float) -> dict[str, Any]:
    """A joint of a spring; ``share`` 0..1 of the way to the last."""
    return {
        "node": node,
        "hitRadius": _CLOTH_M,
        "stiffness": round(_STIFFNESS + share * (_LIMP - _STIFFNESS), 3),
        "gravityPower": _GRAVITY,
        "gravityDir": [0.0, -1.0, 0.0],
        "dragForce": _DRAG,
    }


def _colliders(avatar: RiggedAvatar, chains: Chains, nodes: list[int]) -> list[dict[str, Any]]:
    """Capsules of hips, legs and feet, so thin that no joint is inside of one at rest."""
    number = {name: i for i, name in enumerate(avatar.joint_names)}
    own = body_model().joint_names
    tips = chains.tips.reshape(-1, 1, 3)
    out = []
    for joint, ends, radius in zip(
        chains.collider_joints, chains.collider_ends, chains.collider_radii, strict=True
    ):
        place = number[own[joint]]
        start = avatar.joints[place] - _shift_of(avatar, chains) + ends[0]
        bone = ends[1] - ends[0]
        along = np.clip(((tips - start) @ bone) / max(float(bone @ bone), 1e-9), 0, 1)
        near = float(np.linalg.norm(tips - start - along[..., None] * bone, axis=-1).min())
        offset, tail = ends @ avatar.axes[place]
        capsule = {
            "offset": offset.tolist(),
            "tail": tail.tolist(),
            "radius": round(max(min(float(radius), near - _CLOTH_M), _LEAST_M), 4),
        }
        out.append({"node": nodes[place], "shape": {"capsule": capsule}})
    return out


def _shift_of(avatar: RiggedAvatar, chains: Chains) -> np.ndarray:
    """(3,) from where the chains' numbers are to the file, which stands on the ground."""
    first = avatar.joint_names.index(chain_joint(COLUMNS[_FRONT], 0))
    return np.asarray(avatar.joints[first] - chains.heads[_FRONT])
