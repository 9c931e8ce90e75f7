"""What tells how people stand and what they are like: one protocol, and its implementations.

Another network is one file with a class like ``BlazePoseEstimator`` (or derived from it, where
BlazePose's landmarks are to stay), and one line in ``ESTIMATORS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

import numpy as np

from vitruvian.people.detection import Detection
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.types.estimate import BodyEstimate


class PoseEstimator(Protocol):
    """Evidence of the pose of detected people. Called from several threads at once."""

    def landmarks(
        self, image: np.ndarray, person: Detection, neighbours: Sequence[Detection]
    ) -> LandmarkEstimate:
        """Where the landmarks of ``types.keypoints`` are.

        Args:
            image: (H, W, 3) uint8 RGB.
            person: whom to look at.
            neighbours: the other detections.
        """
        ...

    def body(
        self, image: np.ndarray, landmarks: LandmarkEstimate, focal_px: float | None
    ) -> BodyEstimate | None:
        """Build, age, pose and which parts are in view; None where nothing can be told.

        Args:
            image: (H, W, 3) uint8 RGB.
            landmarks: of the person, in pixels of the image.
            focal_px: focal length in pixels of the image where it is known.
        """
        ...


# Classes by the estimators' names; a module is imported when its estimator is asked for.
ESTIMATORS = {
    "blazepose": "vitruvian.people.blazepose.BlazePoseEstimator",
}


def pose_estimator(name: str = "blazepose") -> PoseEstimator:
    """One of ``ESTIMATORS`` by its name."""
    if name not in ESTIMATORS:
        raise ValueError(
            f"there is no pose estimator {name!r}; choose from {', '.join(ESTIMATORS)}"
        )
    module, class_name = ESTIMATORS[name].rsplit(".", 1)
    estimator: PoseEstimator = getattr(import_module(module), class_name)()
    return estimator
