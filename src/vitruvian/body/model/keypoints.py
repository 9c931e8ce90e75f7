"""Names for points of the body: BlazePose's 33 landmarks and COCO's 17 keypoints among them."""

from __future__ import annotations

import numpy as np

from vitruvian.body.model.model import BodyModel, PointSet
from vitruvian.types.keypoints import LANDMARK_NAMES


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
