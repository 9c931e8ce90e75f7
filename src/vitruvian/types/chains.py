"""Joints that a body does not have: chains in cloth that hangs around both legs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.record import Record

# Around, from the subject's left over the front; each hangs from the thigh of its side.
COLUMNS = ("side.L", "front.L", "front.R", "side.R", "back.R", "back.L")
STEM = "skirt"


def chain_joint(column: str, row: int) -> str:
    """The name of a joint: ``skirt-front1.L`` for row 0 of the column ``front.L``."""
    place, _, side = column.partition(".")
    return f"{STEM}-{place}{row + 1}.{side}"


def is_chain_joint(name: str) -> bool:
    """Whether a joint's name is one of ``chain_joint``."""
    return name.startswith(f"{STEM}-")


@dataclass(frozen=True, eq=False, repr=False)
class Chains(Record):
    """Six chains of R links around a skirt, frame ``body``, at rest.

    Joints are numbered row by row from the top, C = 6 in a row, after those of the body.

    Attributes:
        thighs: (C,) int, the joint of the body that each chain hangs from.
        heads: (C, 3) float64 metres, where the chains begin.
        tips: (R, C, 3) float64, where each link ends and the next begins.
        rotations: (R, C, 3, 3) float64, local rotations in the photograph's pose, in the
            convention of ``formats.rig.Rig``.
        carriers: (4,) int, joints of the body that draw the tips along: thighs and shanks.
        carried: (R, C, 4) how much each does, summing to 1.
        points: (M, A, 3) of the cloth that legs stay behind, ring by ring from the top.
        point_weights: (M, A, R C) how much the links carry them; the root the rest.
        collider_joints: (K,) int, joints of the body that carry capsules which cloth stays out of.
        collider_ends: (K, 2, 3) both ends of each capsule, from its joint, metres.
        collider_radii: (K,) metres.
    """

    thighs: np.ndarray
    heads: np.ndarray
    tips: np.ndarray
    rotations: np.ndarray
    carriers: np.ndarray
    carried: np.ndarray
    points: np.ndarray
    point_weights: np.ndarray
    collider_joints: np.ndarray
    collider_ends: np.ndarray
    collider_radii: np.ndarray

    def __post_init__(self) -> None:
        rows, columns = self.tips.shape[:2]
        if columns != len(COLUMNS) or self.rotations.shape != (rows, columns, 3, 3):
            raise ValueError(f"there are {len(COLUMNS)} chains, and a rotation for every link")

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Of all joints, row by row."""
        rows = range(len(self.tips))
        return tuple(chain_joint(column, row) for row in rows for column in COLUMNS)

    @property
    def joints(self) -> np.ndarray:
        """(R C, 3) rest positions of the joints."""
        return np.concatenate([self.heads[None], self.tips[:-1]]).reshape(-1, 3)

    def parents(self, body_joints: int) -> np.ndarray:
        """(R C,) int64, parents among ``body_joints`` joints of the body and these after them."""
        above = body_joints + np.arange((len(self.tips) - 1) * len(COLUMNS))
        return np.concatenate([self.thighs, above]).astype(np.int64)
