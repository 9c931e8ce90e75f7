"""Does the motion tell the truth? It is rendered back over every frame, and measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vitruvian.geometry.rotations import transformed
from vitruvian.result.checks import silhouette_iou
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import CORE, HEELS, TOES, marks_of_joints
from vitruvian.types.record import Record
from vitruvian.video.floor import landmarks_of, sole_heights
from vitruvian.video.pose import joints_of, seen_at
from vitruvian.video.scene import Mover, MovingScene

_SOLES = np.stack([HEELS, TOES], axis=1)


@dataclass(frozen=True, eq=False, repr=False)
class MotionChecks(Record):
    """How well one person's motion agrees with the clip, and how steady it is.

    Attributes:
        numbers: (S,) frames of the first clip in which they were found.
        ious: (S,) of the avatar's silhouette and the matte, NaN where there is none.
        keypoint_errors: (S,) mean distance of the visible landmarks of trunk and limbs from
            where they were found / height of the person in the picture.
        jitter: mean jerk of the joints about the root, m/s³.
        root_jitter: mean jerk of the root, m/s³.
        slide_mm: median movement of standing feet from one frame to the next; NaN where nobody
            stands.
        sunk_mm: how deep the lowest sole is in the floor, at worst; 0 where none is.
    """

    numbers: np.ndarray
    ious: np.ndarray
    keypoint_errors: np.ndarray
    jitter: float
    root_jitter: float
    slide_mm: float
    sunk_mm: float

    def report(self) -> dict[str, Any]:
        """Plain numbers for ``report.json``."""
        ious = self.ious[np.isfinite(self.ious)]
        errors = self.keypoint_errors[np.isfinite(self.keypoint_errors)]
        worst = int(np.nanargmin(self.ious)) if len(ious) else 0
        return {
            "silhouette_iou": _rounded(ious.mean() if len(ious) else np.nan),
            "silhouette_iou_worst": _rounded(ious.min() if len(ious) else np.nan),
            "worst_frame": int(self.numbers[worst]) if len(self.numbers) else None,
            "keypoint_error": _rounded(errors.mean() if len(errors) else np.nan, 4),
            "jitter_m_s3": _rounded(self.jitter, 1),
            "root_jitter_m_s3": _rounded(self.root_jitter, 1),
            "foot_slide_mm": _rounded(self.slide_mm, 2),
            "floor_penetration_mm": _rounded(self.sunk_mm, 1),
        }


def check_motion(scene: MovingScene, mover: Mover) -> MotionChecks:
    """Measure one person of a scene."""
    place = {int(number): index for index, number in enumerate(mover.numbers)}
    shown = [one for one in mover.sightings if one.number in place]
    points = landmarks_of(scene.model, mover.motion)
    ious, errors = [], []
    for one in shown:
        time = place[one.number]
        camera, mesh = scene.camera_at(one.number), seen_at(scene, mover, time)
        ious.append(silhouette_iou(mesh, one.figure.alpha, camera))
        matrix = scene.camera_from_reference(one.number)
        seen = transformed(points[time], matrix)
        errors.append(_keypoint_error(camera, mover, seen, one.figure))
    joints, _ = joints_of(mover, mover.motion)
    active = scene.model.active
    steady = _steady(mover)
    up = scene.world_from_camera[1]
    heights = points[:, _SOLES] @ up[:3] + up[3]
    lowest = heights - sole_heights(scene.model, mover.motion.betas)
    return MotionChecks(
        numbers=np.array([one.number for one in shown]),
        ious=np.array(ious),
        keypoint_errors=np.array(errors),
        jitter=_jerk((joints - joints[:, :1])[:, active], mover.motion.times_s, steady),
        root_jitter=_jerk(joints[:, :1], mover.motion.times_s, steady),
        slide_mm=_slide(points, mover),
        sunk_mm=1000 * max(0.0, -float(lowest.min())),
    )


def _keypoint_error(camera: Camera, mover: Mover, points: np.ndarray, figure: Figure) -> float:
    marks = figure.landmarks
    inside = ((marks.points >= 0) & (marks.points <= [camera.width, camera.height])).all(1)
    seen = CORE[(inside & (marks.visibility > 0.5))[CORE]]
    if not len(seen):
        return float("nan")
    height_px = mover.height_m * camera.focal_px / max(float(points[:, 2].mean()), 0.1)
    away = np.linalg.norm(
        camera.project(marks_of_joints(points)[seen]) - marks.points[seen], axis=1
    )
    return float(away.mean() / height_px)


def _steady(mover: Mover) -> np.ndarray:
    """(T - 3,) bool, where four successive times follow each other evenly."""
    steps = np.diff(mover.motion.times_s)
    if len(steps) < 3:
        return np.zeros(0, bool)
    three = np.stack([steps[:-2], steps[1:-1], steps[2:]])
    return np.asarray(three.max(0) < 1.5 * np.median(steps))


def _jerk(points: np.ndarray, times_s: np.ndarray, steady: np.ndarray) -> float:
    """Mean norm of third differences per time³ of points (T, N, 3); NaN for less than four."""
    if not steady.any():
        return float("nan")
    step = float(np.median(np.diff(times_s)))
    jerk = np.linalg.norm(np.diff(points, n=3, axis=0), axis=2)[steady]
    return float(jerk.mean() / step**3)


def _slide(points: np.ndarray, mover: Mover) -> float:
    feet = points[:, _SOLES].mean(2)
    moved = np.linalg.norm(np.diff(feet, axis=0), axis=2)[mover.still[:-1]]
    return 1000 * float(np.median(moved)) if len(moved) else float("nan")


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
