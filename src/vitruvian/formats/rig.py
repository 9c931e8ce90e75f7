"""A skeleton in its rest pose, the pose of the photograph, and clips of motion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vitruvian.types.chains import Chains
from vitruvian.types.record import Record


@dataclass(frozen=True)
class Rig:
    """What turns a mesh with ``skin_joints`` and ``skin_weights`` into an avatar.

    At rest every joint's axes are parallel to the body frame's (y up, facing +z); the pose turns
    them: ``global[j] = global[parent] @ rotations[j]``.

    Attributes:
        joint_names: J names, as the body model has them; unique.
        parents: (J,) int, the parent of each joint, which comes before it; -1 for the only root.
        joints: (J, 3) float, rest positions in metres, body frame (that of the rest mesh).
        rotations: (J, 3, 3) float, local rotations of the pose; the root's also carries the
            body frame into the world.
        root_translation: (3,) float, position of the root joint in the pose, metres, world frame.
        chains: further joints, which the mesh's skin numbers after these.
    """

    joint_names: tuple[str, ...]
    parents: np.ndarray
    joints: np.ndarray
    rotations: np.ndarray
    root_translation: np.ndarray
    chains: Chains | None = None

    def __post_init__(self) -> None:
        count = len(self.joint_names)
        expected = {
            "parents": (count,),
            "joints": (count, 3),
            "rotations": (count, 3, 3),
            "root_translation": (3,),
        }
        for name, shape in expected.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name} must have shape {shape}, got {np.shape(getattr(self, name))}"
                )
        if len(set(self.joint_names)) != count:
            raise ValueError("joint_names must be unique")
        parents = np.asarray(self.parents)
        if parents[0] != -1 or (parents[1:] < 0).any() or (parents >= np.arange(count)).any():
            raise ValueError("parents must begin with the only root and precede their children")


@dataclass(frozen=True, eq=False, repr=False)
class Clip(Record):
    """An animation of a rig.

    Attributes:
        name: as programs list it, such as ``walk``.
        times_s: (T,) float seconds, ascending from 0.
        rotations: (T, J, 3, 3) float local rotations, in the convention of ``Rig``.
        roots: (T, 3) float positions of the root joint, metres: y up from the ground, x and z from
            where the rig stands at rest.
        extras: plain values that go into the file beside it, such as the speed of a walk.
    """

    name: str
    times_s: np.ndarray
    rotations: np.ndarray
    roots: np.ndarray
    extras: Mapping[str, Any] = field(default_factory=dict)
