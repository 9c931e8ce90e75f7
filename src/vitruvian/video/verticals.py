"""Which way is up, by what is upright behind the people: corners of rooms, doors, posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.types.camera import Camera
from vitruvian.types.record import Record

_SHORTEST = 0.04  # of the picture's longer side: shorter segments are texture
_WITNESS = 0.1  # of it: as much of an edge counts as one witness
_MOST_WITNESSES = 2.0  # that one segment counts for
_TRUST = 0.5  # in each: edges of one thing are not independent
_WHOLE = 0.8  # of the picture's height: longer ones are where bars beside a film begin
_MOST = 200  # segments of a frame
_MOST_TOLD = 400  # edges of all frames
_ANGLE_SD = np.deg2rad(1.0)  # of an edge that is upright
_ODDS = 10.0  # how much denser upright edges lie about upright than others lie anywhere
_LEAST_AGREE = 5.0  # edges that agree: two always meet, and a thing often has two alike
_GUESS_SD = np.deg2rad(8.0)  # of the direction that people tell
_LEVEL = np.deg2rad(30.0)  # from level, as far as a guess can tell
_LEVEL_DIRECTIONS = 3  # that many edges may have in common
_LEAST_SUPPORT = 2.0  # of such a direction, weighted edges
_CROSSED = 40  # edges whose crossings are tried for one
_REACH_DEG, _STEP_DEG = 24, 0.5  # of the directions that are tried


@dataclass(frozen=True, eq=False, repr=False)
class Edges(Record):
    """Straight edges behind the people, in one frame of reference.

    Attributes:
        planes: (N, 3) unit normals of the planes through the camera and each edge.
        middles: (N, 3) unit directions from the camera to their middles.
        weights: (N,) how many witnesses each is.
        frames: in which they were seen.
    """

    planes: np.ndarray
    middles: np.ndarray
    weights: np.ndarray
    frames: int

    def upright(self, guess: np.ndarray) -> np.ndarray:
        """The likeliest direction (3,) of what is upright, near a guess.

        An upright edge points to where all upright ones meet; one that does not says nothing.
        Without five that agree, in one frame, the guess stays as it is.

        Args:
            guess: (3,) unit vector.
        """
        tried, away = _around(guess)
        close = np.exp(-((self._aside(tried) / _ANGLE_SD) ** 2) / 2)
        able = ~self._lying(guess)
        likely = np.log1p(_ODDS * close) @ (self.weights * able)
        best = int(np.argmax(likely - (away / _GUESS_SD) ** 2 / 2))
        agree = float(close[best] @ able) / np.sqrt(self.frames)
        return np.asarray(tried[best] if away[best] > 0 and agree > _LEAST_AGREE else guess)

    def _aside(self, directions: np.ndarray) -> np.ndarray:
        """(M, N) angles in the picture between edges and where directions (M, 3) vanish."""
        across = np.sqrt(np.maximum(1 - (directions @ self.middles.T) ** 2, 1e-12))
        sine = np.abs(directions @ self.planes.T) / across
        return np.asarray(np.arcsin(np.minimum(sine, 1.0)))

    def _lying(self, guess: np.ndarray) -> np.ndarray:
        """(N,) bool, edges of many that meet where something level does.

        Boards of a floor that run away from the camera look upright one by one.
        """
        out = np.zeros(len(self.weights), bool)
        for _ in range(_LEVEL_DIRECTIONS):
            # Of the heaviest that are left, where every two meet.
            left = np.flatnonzero(~out)
            left = left[np.argsort(-self.weights[left], kind="stable")[:_CROSSED]]
            pairs = np.cross(self.planes[left][:, None], self.planes[left][None])
            pairs = pairs[np.triu_indices(len(left), 1)]
            size = np.linalg.norm(pairs, axis=1)
            pairs = pairs[size > 1e-3] / size[size > 1e-3][:, None]
            pairs = pairs[np.abs(pairs @ guess) < np.sin(_LEVEL)]
            if not len(pairs):
                break
            aside = self._aside(pairs)
            support = np.exp(-((aside / _ANGLE_SD) ** 2) / 2) @ (self.weights * ~out)
            best = int(np.argmax(support))
            if support[best] < _LEAST_SUPPORT:
                break
            out |= aside[best] < 2 * _ANGLE_SD
        return out


def segments_of(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Straight segments (N, 2, 2) in a picture, end points in pixels; the longest come first.

    Line segment detector of von Gioi et al. (2010).

    Args:
        grey: (h, w) uint8.
        mask: (h, w) uint8, 0 where somebody is.
    """
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    ends = np.zeros((0, 2, 2)) if found is None else np.reshape(found, (-1, 2, 2)).astype(float)
    height, width = grey.shape
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    column, row = ends.mean(1).T.astype(int)
    behind = mask[row.clip(0, height - 1), column.clip(0, width - 1)] > 0
    kept = behind & (length > _SHORTEST * max(grey.shape)) & (length < _WHOLE * height)
    order = np.argsort(-length[kept], kind="stable")[:_MOST]
    return np.asarray(ends[kept][order])


def edges_of(
    frames: Sequence[tuple[np.ndarray, Camera, np.ndarray]],
) -> Edges | None:
    """Edges of several frames in one frame of reference; None without any.

    Args:
        frames: of each its segments, as of ``segments_of``, its camera, and the rotation (3, 3)
            from the reference to its axes.
    """
    planes, middles, weights = [], [], []
    for ends, camera, rotation in frames:
        rays = camera.rays(ends.reshape(-1, 2) + 0.5) @ rotation
        rays = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).reshape(-1, 2, 3)
        normal, middle = np.cross(rays[:, 0], rays[:, 1]), rays.sum(1)
        planes.append(normal / np.linalg.norm(normal, axis=1, keepdims=True))
        middles.append(middle / np.linalg.norm(middle, axis=1, keepdims=True))
        length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        witnesses = length / (_WITNESS * max(camera.width, camera.height))
        # Frames show much the same: together they are worth one.
        weights.append(np.minimum(witnesses, _MOST_WITNESSES) * _TRUST / len(frames))
    if not any(len(each) for each in planes):
        return None
    each = np.concatenate(weights)
    kept = np.argsort(-each, kind="stable")[:_MOST_TOLD]
    return Edges(
        np.concatenate(planes)[kept], np.concatenate(middles)[kept], each[kept], len(frames)
    )


def _around(middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (N, 3) around one, and how far (N,) they are from it, radians."""
    aside = np.cross(middle, [0.0, 0, 1])
    aside = aside / np.linalg.norm(aside)
    count = round(_REACH_DEG / _STEP_DEG)
    steps = np.deg2rad(_STEP_DEG) * np.arange(-count, count + 1)
    both = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    away = np.linalg.norm(both, axis=1)
    near = away <= np.deg2rad(_REACH_DEG)
    both, away = both[near], away[near]
    directions = middle + np.tan(both) @ np.stack([aside, np.cross(aside, middle)])
    return directions / np.linalg.norm(directions, axis=1, keepdims=True), away
