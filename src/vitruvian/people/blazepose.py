"""Pose evidence from BlazePose and from the network that reads its features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vitruvian.networks.body_estimate import BodyEstimateNetwork, framed
from vitruvian.people.detection import Detection
from vitruvian.people.landmarks import LandmarkEstimate, estimate_landmarks
from vitruvian.types.estimate import BodyEstimate


class BlazePoseEstimator:
    """BlazePose's landmarks, and a body estimate from its inner features; see ``PoseEstimator``."""

    def landmarks(
        self, image: np.ndarray, person: Detection, neighbours: Sequence[Detection]
    ) -> LandmarkEstimate:
        """BlazePose's landmarks of a person, as ``estimate_landmarks`` finds them."""
        return estimate_landmarks(image, person, neighbours)

    def body(
        self, image: np.ndarray, landmarks: LandmarkEstimate, focal_px: float | None
    ) -> BodyEstimate | None:
        """What the network says of a person; None where its weights are absent."""
        if landmarks.features is None or not BodyEstimateNetwork.available():
            return None
        height, width = image.shape[:2]
        within = framed(
            landmarks.points[None],
            landmarks.visibility[None],
            landmarks.world[None],
            np.array([landmarks.disagreement]),
            (width, height),
            np.array([np.nan if focal_px is None else focal_px]),
        )
        return BodyEstimateNetwork()(landmarks.features, within, landmarks.reflected)
