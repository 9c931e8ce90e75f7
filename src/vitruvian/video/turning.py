"""How a camera moves during a clip, from what stays where it is behind the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from vitruvian.geometry.rotations import axis_angle_from_matrix, turn_between
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.record import Record
from vitruvian.video.sights import Sight
from vitruvian.video.travelling import path_of
from vitruvian.video.verticals import Edges, edges_of, segments_of
from vitruvian.video.zooming import Zoom, ZoomFollower

_LONG_SIDE = 640  # pixels of the frames that features are followed in
_MOST, _LEAST = 300, 30  # features
_MOST_MOVING = 450  # where the camera moves: they are soon lost, and tell its path
_GRAIN_PX = 0.7  # blur against it before features are followed
_AROUND_PEOPLE = 0.06  # of their size: features nearer to them are left alone
_BACK_PX = 1.0  # followed there and back, a feature must return this near
_OUTLIER_PX = 1.5  # residuals from which on features count less and less
_AGREES_PX = 3.0
_LOST = 0.5  # share of a keyframe's features that must be left
_FAR = 0.2  # of the picture's longer side: features moved farther call for a new keyframe
_STILL_PX = 2.0  # turns that move the picture's middle by less are the noise of a still camera
_TRAVELS = 0.5  # share of features that a turn explains, below which the camera travels as well
# Before a wall, a way along it looks much like a turn: up to this share a path is looked for.
_TURNS = 0.9
_BETTER = 0.1  # share of features by which a path must explain more than a turn or a zoom
# Two shots: their frames, of so many pixels, are alike by less than this (correlation; without cuts
# .5 and more, between shots .42 at most), and so few features are found again (.21, .14).
_GLANCE, _CUT_LIKE, _CUT_FOUND = (32, 18), 0.45, 0.17
_ROUNDS = 8
_KEYFRAMES = 12  # whose edges tell what is upright
_APART_PX = 9
_CORNERS: dict[str, Any] = {"qualityLevel": 0.01, "minDistance": _APART_PX, "blockSize": 7}
_FLOW: dict[str, Any] = {"winSize": (21, 21), "maxLevel": 3}
_FLOW_MOVING: dict[str, Any] = {"winSize": (31, 31), "maxLevel": 3}


@dataclass(frozen=True, eq=False, repr=False)
class Turning(Record):
    """How a camera turned, and travelled.

    Attributes:
        rotations: (3, 3) by number of the frame, from the first frame's camera axes to its own.
        travels: whether the camera changed its place as well, so that turning explains little of
            what moved.
        places: (3,) of the camera by number of the frame, in the first frame's camera axes,
            metres; None where it stays, or its path could not be found.
        points: (N, 3) what is behind the people, in the same axes and unit; None as ``places``.
        zoom: how the lens zooms; None where it does not.
    """

    rotations: dict[int, np.ndarray]
    travels: bool
    places: dict[int, np.ndarray] | None = None
    points: np.ndarray | None = None
    zoom: Zoom | None = None

    def lens(self, camera: Camera, number: int) -> Camera:
        """The camera in a frame, of what it is in the first."""
        if self.zoom is None:
            return camera
        return replace(camera, focal_px=camera.focal_px * self.zoom.ratios[number])

    def matrix(self, number: int) -> np.ndarray:
        """(4, 4) from the first frame's camera to that of another frame."""
        out = np.eye(4)
        out[:3, :3] = self.rotations[number]
        if self.places is not None:
            out[:3, 3] = -self.rotations[number] @ self.places[number]
        return out

    def scaled(self, factor: float) -> Turning:
        """The same with the path so many times as long."""
        assert self.places is not None
        return replace(
            self,
            places={n: factor * place for n, place in self.places.items()},
            points=None if self.points is None else factor * self.points,
        )


def small_grey(pixels: np.ndarray, camera: Camera) -> np.ndarray:
    """What a camera's motion is told from: (h, w) uint8 of a frame (H, W, 3) of the camera."""
    small = cv2.resize(pixels, _small(camera)[1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))


def _small(camera: Camera) -> tuple[float, tuple[int, int]]:
    """Scale and size of the frames in which features are followed."""
    scale = min(1.0, _LONG_SIDE / max(camera.width, camera.height))
    return scale, (round(camera.width * scale), round(camera.height * scale))


class TurnFollower:
    """Follows features of the background from frame to frame.

    Each frame is aligned with a keyframe, so errors add up from keyframe to keyframe only.

    Args:
        camera: of the frames.
    """

    def __init__(self, camera: Camera) -> None:
        self._scale, self._size = _small(camera)
        self._camera = camera.scaled(self._scale, *self._size)
        self._rotations: dict[int, np.ndarray] = {}
        self._explained: list[float] = []
        self._zoom = ZoomFollower(self._camera)
        self._grey: np.ndarray | None = None
        self._key_rotation = np.eye(3)
        self._key_points = np.zeros((0, 2), np.float32)
        self._points = np.zeros((0, 2), np.float32)
        self._begun = 0
        self._moves = False
        self._ids = np.zeros(0, int)
        self._next_id = 0
        self._sights: list[Sight] = []
        self._segments: dict[int, np.ndarray] = {}  # of keyframes

    def look(self, number: int, time_s: float, grey: np.ndarray, figures: Sequence[Figure]) -> None:
        """The next frame, of ``small_grey``, and the people in it."""
        rotation = np.eye(3)
        sharp, grey = grey, cv2.GaussianBlur(grey, (0, 0), _GRAIN_PX)
        if self._grey is not None:
            self._follow(grey)
            rotation = self._turned()
        self._zoom.look(number, time_s, self._key_points, self._points)
        self._rotations[number] = rotation
        self._grey = grey
        gone = len(self._points) < max(_LEAST, _LOST * self._begun)
        shift = np.linalg.norm(self._points - self._key_points, axis=1)
        mask = self._background(figures)
        behind = self._behind(mask)
        if gone or np.median(shift) > _FAR * max(self._size):
            self._moves = self._moves or (len(shift) > 0 and np.median(shift) > _STILL_PX)
            self._points, self._ids = self._points[behind], self._ids[behind]
            self._segments[number] = segments_of(sharp, mask)
            self._find(grey, mask)
            self._key_points, self._key_rotation = self._points.copy(), rotation
            self._zoom.set_key()
            self._begun = len(self._points)
            behind = np.ones(len(self._ids), bool)
        self._sights.append(Sight(number, time_s, self._ids[behind], self._points[behind]))

    def cut(self, grey: np.ndarray) -> bool:
        """Whether the next frame, of ``small_grey``, is of another shot."""
        if self._grey is None:
            return False
        before, after = (
            cv2.resize(one, _GLANCE, interpolation=cv2.INTER_AREA).ravel().astype(float)
            for one in (self._grey, grey)
        )
        before, after = before - before.mean(), after - after.mean()
        if before @ after >= _CUT_LIKE * np.linalg.norm(before) * np.linalg.norm(after):
            return False
        if len(self._points) < _LEAST:
            return True
        _, found = self._found_again(cv2.GaussianBlur(grey, (0, 0), _GRAIN_PX))
        return bool(found.mean() < _CUT_FOUND)

    def turning(self, sights: Sequence[Sight] = ()) -> Turning | None:
        """How the camera moved; None where it stood still, or nothing tells.

        A path is looked for only where a turn does not explain what moved; its unit is about the
        distance of what is behind the people.

        Args:
            sights: all of ``handed_over``.
        """
        if not self._explained or np.median(self._explained) == 0:
            return None
        explained = float(np.median(self._explained))
        zoom = self._zoom.zoom([1.0, *self._explained])
        turns = axis_angle_from_matrix(np.stack(list(self._rotations.values())))
        still = np.linalg.norm(turns, axis=1).max() * self._camera.focal_px < _STILL_PX
        if zoom is None and still:
            return None
        path = path_of(self._camera, sights) if explained < _TURNS and sights else None
        otherwise = explained if zoom is None else zoom.explained
        if path is not None and path.explained > otherwise + _BETTER:
            return Turning(path.rotations, True, path.places, path.points)
        if zoom is not None:
            return Turning(zoom.rotations, travels=False, zoom=zoom)
        return Turning(self._rotations, explained < _TRAVELS)

    def edges(self, turning: Turning | None) -> Edges | None:
        """Straight edges behind the people, in the first frame's camera axes; None without any.

        Args:
            turning: how the camera moved.
        """
        numbers = list(self._segments)
        chosen = np.unique(np.linspace(0, len(numbers) - 1, _KEYFRAMES).round().astype(int))
        frames = []
        for number in (numbers[index] for index in chosen):
            lens, turned = self._camera, np.eye(3)
            if turning is not None:
                lens, turned = turning.lens(lens, number), turning.rotations[number]
            frames.append((self._segments[number], lens, turned))
        return edges_of(frames)

    def handed_over(self) -> list[Sight]:
        """What was seen of the background since this was asked last."""
        sights, self._sights = self._sights, []
        return sights

    def _behind(self, mask: np.ndarray) -> np.ndarray:
        """(N,) bool, the features that nobody is before."""
        width, height = self._size
        column, row = np.round(self._points).astype(int).T
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        return inside & (mask[row.clip(0, height - 1), column.clip(0, width - 1)] > 0)

    def _find(self, grey: np.ndarray, mask: np.ndarray) -> None:
        """Add corners where no feature is."""
        for x, y in np.round(self._points).astype(int).tolist():
            cv2.circle(mask, (x, y), _APART_PX, 0, -1)
        wanted = (_MOST_MOVING if self._moves else _MOST) - len(self._points)
        found = cv2.goodFeaturesToTrack(grey, wanted, mask=mask, **_CORNERS) if wanted > 0 else None
        corners = np.zeros((0, 2)) if found is None else found
        corners = corners.reshape(-1, 2).astype(np.float32)
        self._points = np.concatenate([self._points, corners])
        new = self._next_id + np.arange(len(corners))
        self._next_id += len(corners)
        self._ids = np.concatenate([self._ids, new])

    def _follow(self, grey: np.ndarray) -> None:
        if not len(self._points):
            return
        there, kept = self._found_again(grey)
        self._points, self._key_points = there[kept], self._key_points[kept]
        self._ids = self._ids[kept]

    def _found_again(self, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the features (N, 2) are in the next frame, and which of them (N,) surely."""
        assert self._grey is not None
        flow = _FLOW_MOVING if self._moves else _FLOW
        there, found, _ = cv2.calcOpticalFlowPyrLK(self._grey, grey, self._points, None, **flow)  # type: ignore[call-overload]
        back, _, _ = cv2.calcOpticalFlowPyrLK(grey, self._grey, there, None, **flow)  # type: ignore[call-overload]
        return there, (found.ravel() == 1) & (
            np.linalg.norm(back - self._points, axis=1) < _BACK_PX
        )

    def _turned(self) -> np.ndarray:
        """Rotation (3, 3) of the present frame."""
        last = next(reversed(self._rotations.values()))
        if len(self._points) < _LEAST:
            self._explained.append(0.0)
            return last
        before, after = (self._rays(points) for points in (self._key_points, self._points))
        start = last @ self._key_rotation.T
        turn, away = start, _away(start, before, after)
        scale = _OUTLIER_PX / self._camera.focal_px
        for _ in range(_ROUNDS):
            # Robust from the start: what walks through the picture must not turn the camera.
            weight = 1 / (1 + (away / max(scale, float(np.median(away)))) ** 2)
            turn = turn_between(before, after, weight)
            away = _away(turn, before, after)
        agree = away * self._camera.focal_px < _AGREES_PX
        self._explained.append(float(agree.mean()))
        if agree.sum() >= _LEAST // 2:
            turn = turn_between(before[agree], after[agree], np.ones(int(agree.sum())))
        return np.asarray(turn @ self._key_rotation)

    def _rays(self, points: np.ndarray) -> np.ndarray:
        rays = self._camera.rays(points + 0.5)
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))

    def _background(self, figures: Sequence[Figure]) -> np.ndarray:
        """(h, w) uint8, 255 where nobody is near."""
        width, height = self._size
        mask = np.full((height, width), 255, np.uint8)
        for figure in figures:
            margin = _AROUND_PEOPLE * figure.size
            low = np.floor((figure.box[:2] - margin) * self._scale).astype(int)
            high = np.ceil((figure.box[2:] + margin) * self._scale).astype(int)
            mask[max(low[1], 0) : max(high[1], 0), max(low[0], 0) : max(high[0], 0)] = 0
        return mask


def _away(turn: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(before @ turn.T - after, axis=1))
