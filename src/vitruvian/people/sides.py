"""Which of two legs or arms is the left one, where looks at somebody contradict each other.

Seen from the side, or under a skirt, the legs look alike: one pass of BlazePose may name them the
other way than its pass over the mirror image does, and their mean is neither. The detector, which
reads the same joints, says which are right, if it is sure; else most of a few further looks do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.people.detection import Detection
from vitruvian.types.keypoints import (
    ANKLES,
    COCO_LANDMARKS,
    ELBOWS,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    LANDMARK_NAMES,
    LITTLE_FINGERS,
    SHOULDERS,
    TOES,
    WRISTS,
    indices_of,
)

_THUMBS = indices_of(["left_thumb", "right_thumb"])
# Pairs (N, 2) of landmarks that are exchanged together, left first.
_LEGS = np.stack([KNEES, ANKLES, HEELS, TOES])
_ARMS = np.stack([ELBOWS, WRISTS, LITTLE_FINGERS, INDEX_FINGERS, _THUMBS])
_TRUNK = np.stack([SHOULDERS, HIPS])
_LIMBS = (_LEGS, _ARMS)
_CONTRADICTION = 0.02  # sizes of the person
_SURE = 0.5  # score of the detector's keypoints of a limb, from which on it is not wrong
# Names of the trunk's sides by the detector that contradict as much need as sure a trunk: whoever
# is seen from behind without a head has been turned about.
_TURNED = 0.03


def contradiction(one: np.ndarray, other: np.ndarray, pairs: np.ndarray, size: float) -> float:
    """How much better ``one`` fits ``other`` with the sides of some pairs exchanged than as it is.

    Args:
        one, other: (33, 2) landmarks, pixels.
        pairs: (N, 2) landmarks, left first.
        size: of the person, pixels.

    Returns:
        Mean distance as they are less that with the sides exchanged, over ``size``: positive where
        the two name the sides differently, about the distance of left from right.
    """
    as_is = np.linalg.norm(one[pairs] - other[pairs], axis=-1).mean()
    exchanged = np.linalg.norm(one[pairs[:, ::-1]] - other[pairs], axis=-1).mean()
    return float(as_is - exchanged) / size


@dataclass(frozen=True)
class Dispute:
    """A pair of limbs whose sides are named differently.

    Attributes:
        pairs: (N, 2) landmarks of the limbs, left first.
        sure: the detector contradicts, and is believed.
        trunk_agrees: the detector and BlazePose name the sides of the trunk alike.
    """

    pairs: np.ndarray
    sure: bool
    trunk_agrees: bool


def disputes(looks: Sequence[np.ndarray], person: Detection, size: float) -> list[Dispute]:
    """The limbs whose sides looks, or all of them and the detector, name differently.

    Args:
        looks: two or more times (33, 2) landmarks, pixels.
        person: what the detector says.
        size: of the person, pixels.
    """
    points, scores = _of_detector(person)
    mean = np.mean(looks, axis=0)
    trunk_agrees = contradiction(mean, points, _TRUNK, size) < _TURNED
    believed = trunk_agrees or scores[_TRUNK].mean(0).min() >= _SURE
    out = []
    for pairs in _LIMBS:
        apart = any(
            contradiction(one, other, pairs, size) > _CONTRADICTION
            for number, one in enumerate(looks)
            for other in looks[:number]
        )
        known = pairs[:2]  # the detector has no fingers and toes
        sure = believed and scores[known].mean(0).min() >= _SURE
        against = contradiction(mean, points, known, size) > _CONTRADICTION
        if apart or (sure and against):
            out.append(Dispute(pairs, bool(sure), bool(trunk_agrees)))
    return out


def agreeing(
    looks: Sequence[np.ndarray], found: Sequence[Dispute], person: Detection, size: float
) -> list[int]:
    """The looks that name the sides of all disputed limbs as the detector does, or, where it is
    not sure, as most of all looks do; arguments as of ``disputes``."""
    points, _ = _of_detector(person)
    kept = np.ones(len(looks), bool)
    for one in found:
        known = one.pairs[:2]
        if one.sure:
            against = [contradiction(look, points, known, size) for look in looks]
        else:
            # As the first has them, or the other way round?
            first = [contradiction(look, looks[0], one.pairs, size) for look in looks]
            vote = sum(first) + contradiction(points, looks[0], known, size)
            against = [value if vote < 0 else -value for value in first]
        kept &= np.array(against) < 0
    return [int(number) for number in np.flatnonzero(kept)]


def exchanged(values: np.ndarray, found: Sequence[Dispute]) -> np.ndarray:
    """Values (33, ...) of landmarks with left and right of the disputed limbs exchanged."""
    out = values.copy()
    for one in found:
        out[one.pairs] = values[one.pairs[:, ::-1]]
    return out


def _of_detector(person: Detection) -> tuple[np.ndarray, np.ndarray]:
    """The detector's keypoints as landmarks (33, 2), nan where it has none, and scores (33,)."""
    points = np.full((len(LANDMARK_NAMES), 2), np.nan)
    scores = np.zeros(len(LANDMARK_NAMES))
    points[COCO_LANDMARKS], scores[COCO_LANDMARKS] = person.keypoints, person.keypoint_scores
    return points, scores
