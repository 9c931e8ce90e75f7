"""Where other programs' keypoints are among our landmarks."""

from __future__ import annotations

import numpy as np

from vitruvian.types.keypoints import COCO_NAMES, LANDMARK_NAMES

# OpenPose's names of BODY_25, of which neck and mid_hip are means of two landmarks.
BODY_25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee",
    "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", "left_foot_index",
    "left_small_toe", "left_heel", "right_foot_index", "right_small_toe", "right_heel",
)  # fmt: skip
COCO_18 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
LAYOUTS = {
    "openpose": BODY_25,
    "openpose-coco": COCO_18,
    "coco": COCO_NAMES,
    "blazepose": LANDMARK_NAMES,
}
_MEANS = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
}


def to_landmarks(rows: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Our landmarks from another program's keypoints.

    Args:
        rows: (N, 3) x, y, confidence by ``names``.

    Returns:
        Points (33, 2), NaN where nothing is told, and confidence (33,), 0 there.
    """
    points = np.full((len(LANDMARK_NAMES), 2), np.nan)
    confidence = np.zeros(len(LANDMARK_NAMES))
    for row, name in zip(rows, names, strict=True):
        if name in LANDMARK_NAMES and row[2] > 0:
            index = LANDMARK_NAMES.index(name)
            points[index], confidence[index] = row[:2], min(row[2], 1.0)
    return points, confidence


def from_landmarks(
    points: np.ndarray, confidence: np.ndarray, names: tuple[str, ...]
) -> np.ndarray:
    """Another program's keypoints (N, 3), x, y and confidence, from our landmarks (33, 2), (33,).

    What our landmarks lack is 0, 0, 0, as programs write what they did not see.
    """
    out = np.zeros((len(names), 3))
    for row, name in zip(out, names, strict=True):
        sources = [n for n in _MEANS.get(name, (name,)) if n in LANDMARK_NAMES]
        if not sources:
            continue
        indices = [LANDMARK_NAMES.index(source) for source in sources]
        row[:2], row[2] = points[indices].mean(0), confidence[indices].min()
    return out
