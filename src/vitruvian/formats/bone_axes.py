"""Axes of bones at rest: y along the limb, as Blender draws bones and engines expect hinges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vitruvian.body.model.skeleton import HEAD, ROOT, TOES, UPPER_SPINE, WRISTS, finger
from vitruvian.types.chains import is_chain_joint

_UP, _AHEAD = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
# Where bones lead that have several children, or none; others go to their only child, and without
# one on as their parent.
_STRAIGHT_UP = (ROOT, HEAD)
_STRAIGHT_AHEAD = (*TOES, "eye.L", "eye.R")
_TOWARDS = {UPPER_SPINE: ("neck01",), **dict(zip(WRISTS, zip(finger(3, 1)), strict=True))}


def limb_axes(joint_names: Sequence[str], parents: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Axes (J, 3, 3) of every bone, columns x, y and z in the file's axes.

    y runs along the bone, from its joint to the next of its limb. z is as far ahead as it can be
    (of feet, hands and what is on them: up, out of the back), so that x is the hinge of knees and
    toes; an upright trunk keeps the file's axes, and left mirrors right.

    Args:
        joint_names: J names of the body model.
        parents: (J,) parents first, -1 for the root.
        joints: (J, 3) rest positions.
    """
    index = {name: i for i, name in enumerate(joint_names)}
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(parents):
        if not is_chain_joint(joint_names[joint]) or is_chain_joint(joint_names[parent]):
            children.setdefault(int(parent), []).append(joint)  # a thigh goes on to the knee
    along = np.zeros((len(joints), 3))
    for joint, (name, parent) in enumerate(zip(joint_names, parents, strict=True)):
        mine = children.get(joint, [])
        goals = [index[goal] for goal in _TOWARDS.get(name, ()) if goal in index]
        if not goals:
            # A limb goes on where it branches last: helpers are leaves.
            goals = [child for child in mine if children.get(child)] or mine
        if name in _STRAIGHT_UP:
            way = _UP
        elif name in _STRAIGHT_AHEAD:
            way = _AHEAD
        else:
            way = joints[goals[0]] - joints[joint] if len(goals) == 1 else np.zeros(3)
        length = np.linalg.norm(way)
        if length < 1e-4 and is_chain_joint(name) and not is_chain_joint(joint_names[parent]):
            along[joint] = -_UP  # of one link
        elif length < 1e-4:  # joints that lie on their parent's go on as it does
            along[joint] = along[parent] if parent >= 0 else _UP
        else:
            along[joint] = way / length
    out = np.empty((len(joints), 3, 3))
    for joint, y in enumerate(along):
        # Flat bones: of the two, the axis that is further from the bone.
        ahead = _UP if abs(y @ _AHEAD) > 0.7 or _is_of_hand(joint_names[joint]) else _AHEAD
        z = ahead - (ahead @ y) * y
        z /= np.linalg.norm(z)
        out[joint] = np.stack([np.cross(y, z), y, z], 1)
    return out


def _is_of_hand(name: str) -> bool:
    return name.startswith(("wrist", "metacarpal", "finger"))
