"""What a network believes of one person's body before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.record import Record

GROUPS = ("men", "women", "teenagers", "schoolchildren", "small children")
CHILDREN = ("schoolchildren", "small children")
PARTS = ("head", "arms", "hands", "legs", "feet")
STATES = ("in view", "cut", "hidden")
WHOLES = ("full", "cut", "occluded")
# In the body model's order of joints that a fit moves, see ``body.model.skeleton.ACTIVE_JOINTS``.
JOINTS = 22
BETAS = 10


@dataclass(frozen=True, eq=False, repr=False)
class BodyEstimate(Record):
    """What the network believes of one person.

    Frame: the camera's axes, as if the camera looked straight at the person's hips (as
    ``Landmarks.world``).

    Attributes:
        groups: (5,) probabilities of ``GROUPS``.
        stature_m: most likely; stature_sd: relative standard deviation.
        betas, betas_sd: (BETAS,) shape of the body model and standard deviations.
        keypoints: (33, 3) of the body model about the hips' middle, in statures.
        keypoint_sd: (33, 2) standard deviations across and along the view, in statures.
        rotations: (22, 3, 3) of the joints that a fit moves: the root's turns the body's frame
            into the frame named above, the others are local.
        rotation_sd: (22,) radians.
        parts: (5, 3) probabilities of ``STATES`` for ``PARTS``.
        whole: (3,) probabilities of ``WHOLES``.
    """

    groups: np.ndarray
    stature_m: float
    stature_sd: float
    betas: np.ndarray
    betas_sd: np.ndarray
    keypoints: np.ndarray
    keypoint_sd: np.ndarray
    rotations: np.ndarray
    rotation_sd: np.ndarray
    parts: np.ndarray
    whole: np.ndarray

    @property
    def female(self) -> float:
        """Probability that the body is a woman's, were it an adult's."""
        men, women = self.groups[:2] + 1e-6
        return float(women / (men + women))

    @property
    def child(self) -> float:
        """Probability of somebody of less than about twelve years."""
        return float(self.groups[3:].sum())

    def part(self, name: str) -> dict[str, float]:
        """Probabilities of ``STATES`` for one of ``PARTS``."""
        values = self.parts[PARTS.index(name)]
        return {state: float(value) for state, value in zip(STATES, values, strict=True)}
