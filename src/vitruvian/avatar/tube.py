"""Coordinates around trunk and legs, in which cloth that hangs around both legs is a height map.

A centre line leads from the waist to the middle between the hips, and on between both legs. A point
has the level of the nearest place on it (0 at the hips, 1 at the knees, 2 at the ankles, in a
leg's own measure; negative above), an angle around it (0 at the left, a quarter of a turn on at the
front) and a distance from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.skeleton import LEGS, LOWER_SPINE, MIDDLE_SPINE
from vitruvian.types.body import ParametricModel

_STEP = 0.02  # of a level, between places on the centre line
TOP, BOTTOM = -0.5, 2.3  # levels at its ends


@dataclass(frozen=True)
class Axis:
    """The centre line of a body in a pose.

    Attributes:
        levels: (N,) of its places.
        centers: (N, 3) metres.
        frames: (N, 3, 3) rows: towards the left, towards the front, up the line; unit vectors.
        legs: (N, 2, 3) the places of the left and the right leg's bone at the same levels.
    """

    levels: np.ndarray
    centers: np.ndarray
    frames: np.ndarray
    legs: np.ndarray

    @staticmethod
    def of(model: ParametricModel, joints: np.ndarray) -> Axis:
        """That of a body whose joints are at (J, 3)."""
        index = model.joint_index
        legs = np.array([[joints[index[name]] for name in leg] for leg in LEGS])
        spine = joints[index[MIDDLE_SPINE]] - joints[index[LOWER_SPINE]]
        upward = spine / max(float(np.linalg.norm(spine)), 1e-6)
        levels = np.arange(TOP, BOTTOM + _STEP / 2, _STEP)
        places = np.array([_along(leg, levels, upward) for leg in legs]).transpose(1, 0, 2)
        centers = places.mean(1)
        # Rounded at hips and knees, where the line bends.
        for _ in range(8):
            centers[1:-1] = (centers[:-2] + 2 * centers[1:-1] + centers[2:]) / 4
        up = -np.gradient(centers, axis=0)
        up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-6)
        left = legs[0, 0] - legs[1, 0]
        left = left - up * (up @ left)[:, None]
        left /= np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6)
        front = np.cross(left, up)
        return Axis(levels, centers, np.stack([left, front, up], 1), places)

    def of_points(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Level (P,), angle (P,) -pi..pi and distance (P,) of points (P, 3)."""
        squared = (
            np.square(points).sum(1)[:, None]
            - 2 * points @ self.centers.T
            + np.square(self.centers).sum(1)
        )
        place = squared.argmin(1)
        offset = np.einsum("pab,pb->pa", self.frames[place], points - self.centers[place])
        step = float(np.linalg.norm(self.centers[1:] - self.centers[:-1], axis=1).mean())
        level = self.levels[place] - np.clip(offset[:, 2] / max(step, 1e-6), -1, 1) * _STEP
        return level, np.arctan2(offset[:, 1], offset[:, 0]), np.hypot(offset[:, 0], offset[:, 1])

    def points(self, level: np.ndarray, angle: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Points (..., 3) from their coordinates (...)."""
        level, angle, distance = np.broadcast_arrays(level, angle, distance)
        centers = np.stack([np.interp(level, self.levels, c) for c in self.centers.T], -1)
        place = np.clip(np.rint((level - TOP) / _STEP).astype(int), 0, len(self.levels) - 1)
        left, front = self.frames[place, 0], self.frames[place, 1]
        aside = np.cos(angle)[..., None] * left + np.sin(angle)[..., None] * front
        return np.asarray(centers + distance[..., None] * aside)

    def across(self, level: np.ndarray, angle: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Where points are from the left leg's bone (0) to the right one's (1) at their level."""
        place = np.clip(np.rint((level - TOP) / _STEP).astype(int), 0, len(self.levels) - 1)
        legs = self.legs[place]
        apart = np.einsum(
            "...c,...c->...", legs[..., 0, :] - legs[..., 1, :], self.frames[place, 0]
        )
        return np.asarray(0.5 - distance * np.cos(angle) / np.maximum(apart, 0.12))


def _along(leg: np.ndarray, levels: np.ndarray, upward: np.ndarray) -> np.ndarray:
    """Places (N, 3) of levels (N,) along a leg (3, 3), and upwards from its hip."""
    hip, knee, ankle = leg
    thigh, shank = knee - hip, ankle - knee
    above = np.minimum(levels, 0)[:, None] * -np.linalg.norm(thigh) * upward
    return np.asarray(
        hip
        + above
        + np.clip(levels, 0, 1)[:, None] * thigh
        + np.maximum(levels - 1, 0)[:, None] * shank
    )
