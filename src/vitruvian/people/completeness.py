"""Is the whole figure in view?

The rule, on landmarks: a person is complete when the head, both hips and at least the better seen
foot of each leg lie inside the picture and the network believes to see them. Each part gets a score
in 0..1, the least of which is the figure's; ``complete`` asks for .5.
"""

from __future__ import annotations

import numpy as np

from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.keypoints import ANKLES, EARS, EYES, HEELS, HIPS, NOSE, SHOULDERS, TOES

THRESHOLD = 0.5
_HEAD = np.concatenate([[NOSE], EYES, EARS])
_FEET = np.stack([ANKLES, HEELS, TOES], axis=1)


def completeness(
    estimate: LandmarkEstimate, width: int, height: int, body: BodyEstimate | None = None
) -> float:
    """How surely the figure is in view from head to feet, 0..1.

    Args:
        estimate: landmarks in pixels of a picture of ``width`` x ``height``.
        body: what is known of the person; without it the rule decides alone.
    """
    rule = _rule(estimate, width, height)
    return rule if body is None else float(np.sqrt(rule * body.whole[0]))


def _rule(estimate: LandmarkEstimate, width: int, height: int) -> float:
    inside = _inside(estimate.points, width, height, 0.02 * person_size(estimate))
    seen = np.minimum(inside, np.maximum(estimate.visibility, 0.3 * estimate.presence))
    head = np.max(np.minimum(inside[_HEAD], estimate.visibility[_HEAD]))
    head *= _head_room(estimate, height)
    hips = np.mean(seen[HIPS])
    feet = seen[_FEET].mean(1)
    return float(min(head, hips, 0.6 * max(feet) + 0.4 * min(feet)))


def person_size(estimate: LandmarkEstimate) -> float:
    """The diagonal-free extent of the landmarks: the longer side of their bounding box."""
    return float(np.ptp(estimate.points, axis=0).max())


def _inside(points: np.ndarray, width: int, height: int, softness: float) -> np.ndarray:
    """1 inside the picture, falling to 0 at ``softness`` pixels outside of it."""
    outside = np.maximum(-points, points - [width, height]).max(axis=1)
    return np.asarray(np.clip(1 - outside / max(softness, 1.0), 0, 1))


def _head_room(estimate: LandmarkEstimate, height: int) -> float:
    """1 when the top of the head fits, 0 when the picture ends at the brows."""
    ears = estimate.points[EARS].mean(axis=0)
    shoulders = estimate.points[SHOULDERS].mean(axis=0)
    top = ears + 0.6 * (ears - shoulders)
    reach = max(float(np.linalg.norm(ears - shoulders)), 1.0)
    over = max(-top[1], top[1] - height, 0.0)
    return float(np.clip(1 - over / (0.6 * reach), 0, 1))
