"""What the errors of a body in successive frames come to, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.lab.evaluation.metrics.body import mpjpe, pa_mpjpe
from vitruvian.lab.evaluation.metrics.video import acceleration_error, jitter
from vitruvian.types.keypoints import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS

# The joints whose landmarks mean the same on every body, as in common sets of 12.
JOINTS = np.array([*SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES])
_LEAST_FRAMES = 4  # in a row, from which on motion is measured


@dataclass(frozen=True)
class SeenFrame:
    """A frame in which the person was found; camera frame, metres.

    Attributes:
        index: of the frame among those with a truth.
        found, true: (33, 3) BlazePose's landmarks of the fitted body and of the truth.
        stature: of the body.
    """

    index: int
    found: np.ndarray
    true: np.ndarray
    stature: float


def pose_numbers(seen: Sequence[SeenFrame]) -> dict[str, float]:
    """Means over frames; {} without any."""
    if not seen:
        return {}
    rows = []
    for one in seen:
        found, true = _about_hips(one.found)[JOINTS], _about_hips(one.true)[JOINTS]
        away = found - true
        root = one.found[HIPS].mean(0) - one.true[HIPS].mean(0)
        rows.append(
            (
                mpjpe(found, true, root=None),
                pa_mpjpe(found, true),
                1000 * float(np.linalg.norm(away[:, :2], axis=1).mean()),
                1000 * float(np.abs(away[:, 2]).mean()),
                1000 * float(np.linalg.norm(root)),
            )
        )
    keys = ("mpjpe_mm", "pa_mpjpe_mm", "across_mm", "along_mm", "root_mm")
    numbers = dict(zip(keys, np.mean(rows, axis=0).tolist(), strict=True))
    statures = [100 * one.stature for one in seen]
    return {
        **numbers,
        "stature_cm": float(np.mean(statures)),
        "stature_sd_cm": float(np.std(statures)),
    }


def motion_numbers(
    seen: Sequence[SeenFrame], camera_from_world: np.ndarray, fps: float
) -> dict[str, float]:
    """Steadiness over the longest unbroken row of frames; {} where that is short.

    Args:
        seen: in order.
        camera_from_world: (3, 3) rotation of the camera, which stands still.
        fps: of the frames with a truth.
    """
    row = longest_row(seen)
    if len(row) < _LEAST_FRAMES:
        return {}
    found = np.stack([one.found[JOINTS] for one in row]) @ camera_from_world
    true = np.stack([one.true[JOINTS] for one in row]) @ camera_from_world
    about = [np.stack([_about_hips(p)[JOINTS] for p in (one.found, one.true)]) for one in row]
    own, truth = np.stack(about, axis=1)
    return {
        "acceleration": acceleration_error(own, truth, fps=fps),
        "jitter": jitter(found, fps=fps),
        "true_jitter": jitter(true, fps=fps),
    }


def longest_row(seen: Sequence[SeenFrame]) -> list[SeenFrame]:
    """The most frames that follow each other without a gap."""
    best: list[SeenFrame] = []
    row: list[SeenFrame] = []
    for one in seen:
        row = [*row, one] if row and one.index == row[-1].index + 1 else [one]
        best = max(best, row, key=len)
    return best


def _about_hips(points: np.ndarray) -> np.ndarray:
    return points - points[HIPS].mean(0)
