"""Bodies of the SMPL family, as the user's own model file describes them.

SMPL (Loper et al., 2015), SMPL-H (Romero et al., 2017) and SMPL-X (Pavlakos et al., 2019) are one
function with 24, 52 and 55 joints: shape directions, corrections that follow the pose, a regressor
of the joints, and linear blend skinning. Nothing of them is part of this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from vitruvian.body.model import kernels
from vitruvian.body.model.model import joint_motion
from vitruvian.types.record import Record

Kind = Literal["smpl", "smplh", "smplx"]

SHAPES = 10  # betas that programs expect
_BODY = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar",
    "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
    "right_wrist",
)  # fmt: skip
_HANDS = tuple(
    f"{side}_{finger}{joint}"
    for side in ("left", "right")
    for finger in ("index", "middle", "pinky", "ring", "thumb")
    for joint in (1, 2, 3)
)
JOINT_NAMES: dict[Kind, tuple[str, ...]] = {
    "smpl": (*_BODY, "left_hand", "right_hand"),
    "smplh": (*_BODY, *_HANDS),
    "smplx": (*_BODY, "jaw", "left_eye", "right_eye", *_HANDS),
}


@dataclass(frozen=True, eq=False, repr=False)
class SmplModel(Record):
    """A model of the SMPL family. Rest frame: y up, facing +z, the left hand at +x, metres.

    Attributes:
        kind: which of the family.
        template: (V, 3) float64 vertices of the mean shape in the T-pose.
        faces: (F, 3) int32.
        shape_directions: (V, 3, K) float64 metres per unit of beta.
        pose_directions: (V, 3, 9 (J - 1)) float32 metres per entry of ``R_j - I``.
        joint_regressor: (J, V) float64; joints are this of the shaped vertices.
        weights: (V, J) float64 skinning weights, rows summing to 1.
        parents: (J,) int64, -1 for the root; parents come before their children.
        digest: of the file's content, that tells models apart.
        gender: ``male``, ``female`` or ``neutral``, as the file's name says.
    """

    kind: Kind
    template: np.ndarray
    faces: np.ndarray
    shape_directions: np.ndarray
    pose_directions: np.ndarray
    joint_regressor: np.ndarray
    weights: np.ndarray
    parents: np.ndarray
    digest: str
    gender: str = "neutral"

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints, as the family's programs have them."""
        return JOINT_NAMES[self.kind]

    @property
    def shape_count(self) -> int:
        """K, the number of betas."""
        return int(self.shape_directions.shape[2])

    @cached_property
    def joints_of_template(self) -> np.ndarray:
        """(J, 3) float64 joints of the mean shape."""
        return self.joint_regressor @ self.template

    @cached_property
    def joint_directions(self) -> np.ndarray:
        """(J, K, 3) float64 metres per unit of beta."""
        return np.ascontiguousarray(
            np.einsum("jv,vck->jkc", self.joint_regressor, self.shape_directions, optimize=True)
        )

    @cached_property
    def influences(self) -> tuple[np.ndarray, np.ndarray]:
        """Joints (V, M) int64 and weights (V, M) float64 of each vertex, the strongest first."""
        most = max(int((self.weights > 0).sum(1).max()), 1)
        joints = np.argsort(-self.weights, axis=1, kind="stable")[:, :most]
        return joints, np.take_along_axis(self.weights, joints, axis=1)

    def joints(self, betas: np.ndarray) -> np.ndarray:
        """(J, 3) float64 joints at rest of a shape (K,)."""
        return self.joints_of_template + np.einsum("jkc,k->jc", self.joint_directions, betas)

    def corrections(self, rotations: np.ndarray) -> np.ndarray:
        """(V, 3) float64 that a pose, local rotations (J, 3, 3), adds to the vertices at rest."""
        feature = (rotations[1:] - np.eye(3)).reshape(-1).astype(np.float32)
        flat = self.pose_directions.reshape(-1, len(feature)) @ feature
        return flat.reshape(-1, 3).astype(np.float64)

    def forward(
        self, betas: np.ndarray, rotations: np.ndarray, translation: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) and joints (J, 3) float64, metres.

        Args:
            betas: (K,) shape.
            rotations: (J, 3, 3) local rotations; the root's carries the body into the frame of the
                result.
            translation: (3,) that is added in the end, the family's ``transl``.
        """
        shaped = self.template + self.shape_directions @ betas + self.corrections(rotations)
        joints = self.joints(betas)
        motion = joint_motion(self.parents, joints, rotations, joints[0] + translation)
        turned = np.einsum("jab,vb->jva", motion.rotations, shaped) + motion.shift[:, None]
        return np.einsum("vj,jva->va", self.weights, turned), motion.heads

    def evaluate(
        self,
        chosen: np.ndarray,
        betas: np.ndarray,
        rotations: np.ndarray,
        root: np.ndarray,
        corrections: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Some vertices and their derivatives, the pose's corrections taken as constant.

        Args:
            chosen: (N,) indices of vertices.
            betas, rotations: as of ``forward``.
            root: (3,) position of the root joint.
            corrections: (V, 3) as ``corrections`` has them.

        Returns:
            Positions (N, 3) and derivatives (N, 3, 3 J + K + 3): axis-angle increments of the local
            rotations, betas, root.
        """
        joints, weights = self.influences
        size = 3 * len(self.parents) + self.shape_count + 3
        out, derivative = np.empty((len(chosen), 3)), np.zeros((len(chosen), 3, size))
        kernels.evaluate(
            self.parents,
            self.joints_of_template,
            self.joint_directions,
            np.ascontiguousarray(betas, np.float64),
            np.ascontiguousarray(rotations, np.float64),
            np.ascontiguousarray(root, np.float64),
            np.ascontiguousarray(self.template[chosen] + corrections[chosen]),
            np.ascontiguousarray(self.shape_directions[chosen].transpose(0, 2, 1)),
            np.ascontiguousarray(joints[chosen]),
            np.ascontiguousarray(weights[chosen]),
            np.arange(len(self.parents)),
            True,
            out,
            derivative,
        )
        return out, derivative
