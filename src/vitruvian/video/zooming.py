"""A lens that zooms: told from a camera that travels by all of the background growing alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.rotations import turn_between
from vitruvian.types.camera import Camera

_OUTLIER_PX = 1.5  # residuals from which on features count less and less
_AGREES_PX = 3.0
_ROUNDS = 10
_LEAST = 30  # features
_LEAST_ZOOM = 1.06  # ratio of the longest to the shortest focal length that is no noise
# Share of the features that turn and zoom explain. A camera that went nearer in a synthetic clip,
# past things at different distances, looks like a zoom to half of them.
_EXPLAINS = 0.75
_BETTER = 0.25  # share of the features that a turn alone does not explain
_LEAST_FRAMES = 3  # in which it is so
_DONE = 1.02  # ratio within which a lens is where it began, or will end


@dataclass(frozen=True)
class Zoom:
    """How a lens zooms.

    Attributes:
        ratios: focal length over that of the first frame, by number of the frame.
        rotations: (3, 3) by number of the frame, from the first frame's camera axes to its own.
        start_s, end_s: seconds between which it zooms.
        ratio: focal length at the end over that at the beginning, or the farthest between.
        explained: share of the features that turn and zoom explain.
    """

    ratios: dict[int, float]
    rotations: dict[int, np.ndarray]
    start_s: float
    end_s: float
    ratio: float
    explained: float


class ZoomFollower:
    """Follows turn and zoom together, from keyframe to keyframe.

    Args:
        camera: of the frames that features are followed in, as the lens is in the first.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._numbers: list[tuple[int, float]] = []
        self._rotations: list[np.ndarray] = []
        self._ratios: list[float] = []
        self._explained: list[float] = []
        self._key = np.eye(3), 1.0

    def look(self, number: int, time_s: float, before: np.ndarray, after: np.ndarray) -> None:
        """The next frame: features (N, 2) pixels in the keyframe and in it."""
        rotation, ratio, explained = np.eye(3), 1.0, 1.0
        if self._numbers:
            rotation, ratio, explained = self._rotations[-1], self._ratios[-1], 0.0
        if len(before) >= _LEAST:
            rotation, ratio, explained = self._found(before, after, ratio)
        self._numbers.append((number, time_s))
        self._rotations.append(rotation)
        self._ratios.append(ratio)
        self._explained.append(explained)

    def set_key(self) -> None:
        """The last frame is the keyframe from now on."""
        self._key = self._rotations[-1], self._ratios[-1]

    def zoom(self, by_turning: Sequence[float]) -> Zoom | None:
        """How the lens zoomed; None where it did not, or nothing tells.

        Args:
            by_turning: for each frame the share of its features that a turn alone explains.
        """
        logs = np.log(self._ratios)
        if not len(logs) or np.ptp(logs) < np.log(_LEAST_ZOOM):
            return None
        explained = np.array(self._explained)
        better = explained - np.array(by_turning) > _BETTER
        if better.sum() < _LEAST_FRAMES or np.median(explained[better]) < _EXPLAINS:
            return None
        if np.median(explained) < _EXPLAINS:
            return None
        left = np.flatnonzero(np.abs(logs - logs[0]) > np.log(_DONE))
        arriving = np.flatnonzero(np.abs(logs - logs[-1]) > np.log(_DONE))
        first, last = max(left[0] - 1, 0), min(arriving[-1] + 1, len(logs) - 1)
        numbers = [number for number, _ in self._numbers]
        farthest = logs[np.abs(logs - logs[0]).argmax()] - logs[0]
        return Zoom(
            dict(zip(numbers, np.exp(logs - logs[0]).tolist(), strict=True)),
            dict(zip(numbers, self._rotations, strict=True)),
            self._numbers[first][1],
            self._numbers[last][1],
            float(np.exp(farthest)),
            float(np.median(explained)),
        )

    def _found(
        self, before: np.ndarray, after: np.ndarray, ratio: float
    ) -> tuple[np.ndarray, float, float]:
        """Rotation and ratio of the present frame, and the share of features that they explain."""
        key_rotation, key_ratio = self._key
        focal = self._camera.focal_px
        start, end = (self._from_centre(points) for points in (before, after))
        rays = _directions(start / (focal * key_ratio))
        weight = np.ones(len(rays))
        for _ in range(_ROUNDS):
            turn = turn_between(rays, _directions(end / (focal * ratio)), weight)
            seen = rays @ turn.T
            flat = focal * seen[:, :2] / np.maximum(seen[:, 2:], 1e-3)
            share = weight[:, None] * flat
            ratio = float((share * end).sum() / max(float((share * flat).sum()), 1e-9))
            ratio = float(np.clip(ratio, 0.05, 20.0))
            away = np.linalg.norm(ratio * flat - end, axis=1)
            # Robust from the start: what walks through the picture zooms no lens.
            weight = 1 / (1 + (away / max(_OUTLIER_PX, float(np.median(away)))) ** 2)
        return turn @ key_rotation, ratio, float((away < _AGREES_PX).mean())

    def _from_centre(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(points + 0.5 - np.array(self._camera.principal_point), np.float64)


def _directions(flat: np.ndarray) -> np.ndarray:
    rays = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))
