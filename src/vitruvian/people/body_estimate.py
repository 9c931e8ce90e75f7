"""Body cues of a person whose landmarks are known."""

from __future__ import annotations

import numpy as np

from vitruvian.networks.body_estimate import BodyEstimateNetwork, framed
from vitruvian.people.landmarks import PoseEstimate
from vitruvian.types.estimate import BodyEstimate


def estimate_body(
    estimate: PoseEstimate, width: int, height: int, focal_px: float | None = None
) -> BodyEstimate | None:
    """What the network of body cues says of a person; None where its weights are absent.

    Args:
        estimate: of the person, in pixels of a picture of ``width`` x ``height``.
        focal_px: focal length in those pixels where it is known.
    """
    if estimate.features is None or not BodyEstimateNetwork.available():
        return None
    landmarks = framed(
        estimate.points[None],
        estimate.visibility[None],
        estimate.world[None],
        np.array([estimate.disagreement]),
        (width, height),
        np.array([np.nan if focal_px is None else focal_px]),
    )
    return BodyEstimateNetwork()(estimate.features, landmarks)
