"""Names for points of the body: BlazePose's 33 landmarks and COCO's 17 keypoints among them."""

from __future__ import annotations

import numpy as np

from vitruvian.body.model import BodyModel, PointSet
from vitruvian.people.figure import LANDMARK_NAMES

COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

# Indices (17,) of COCO's keypoints, in COCO's order, among BlazePose's landmarks.
COCO_LANDMARKS = np.array([LANDMARK_NAMES.index(name) for name in COCO_NAMES])


def landmark_subset(model: BodyModel, names: tuple[str, ...]) -> PointSet:
    """The named landmarks of ``model.keypoints`` as a ``PointSet`` of their own.

    Raises ``ValueError`` for a name that is none of ``LANDMARK_NAMES``.
    """
    unknown = [name for name in names if name not in LANDMARK_NAMES]
    if unknown:
        raise ValueError(f"unknown landmarks {unknown}; choose from {LANDMARK_NAMES}")
    chosen = np.array([LANDMARK_NAMES.index(name) for name in names])
    points = model.keypoints
    return PointSet(
        points.template[chosen],
        points.directions[:, chosen],
        points.joints[chosen],
        points.weights[chosen],
    )
