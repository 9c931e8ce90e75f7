"""A skeleton in its rest pose, and the pose of the photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    """

    joint_names: tuple[str, ...]
    parents: np.ndarray
    joints: np.ndarray
    rotations: np.ndarray
    root_translation: np.ndarray

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

    @property
    def offsets(self) -> np.ndarray:
        """(J, 3) rest positions relative to the parent's; the root's own position."""
        offsets = np.array(self.joints, dtype=np.float64)
        offsets[1:] -= np.asarray(self.joints)[np.asarray(self.parents)[1:]]
        return offsets
