"""Hands that lie on the body: what a hand is before in the picture, and a pull of its depth there.

Across the view a hand is seen, along it hardly anything tells where it is. But a hand before trunk,
head or thigh mostly lies on them: see docs/experiments/hands-on-the-body.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.fit.limbs import LIMBS
from vitruvian.body.fit.solver import NormalEquations
from vitruvian.body.fit.terms import Moment
from vitruvian.body.fit.views import Evidence
from vitruvian.body.model.model import BodyModel, PointSet
from vitruvian.types.keypoints import (
    ARMS,
    HIPS,
    INDEX_FINGERS,
    LITTLE_FINGERS,
    SHOULDERS,
    WRISTS,
)
from vitruvian.types.regions import HEAD, LEFT_LEG, RIGHT_LEG, TRUNK

# Keypoints of either hand, whose mean is about the middle of the palm.
PALMS = np.stack([WRISTS, INDEX_FINGERS, LITTLE_FINGERS], axis=1)
REST = 0.017  # statures, how far a palm's middle is before the skin or cloth that it lies on
# How likely a hand lies on the body that a fit has so many statures before it: logarithms of odds
# at none and per stature. Chosen for the least errors of synthetic people who touch themselves and
# of others together.
_ODDS, _ODDS_PER_STATURE = 1.0, -21.0
# What is added for those on straight legs: who poses touches more than who moves.
_STANDING = 1.7
_LEAST = 0.3  # probability; hands that less likely lie on the body are left alone
_STRIDE = 3  # every so many vertices of the body are looked at
_BEFORE = 0.018  # statures, how far a vertex may be from a hand in the picture to be behind it
_BESIDE = 0.045  # likewise, for hands that clothes, hair or a telephone keep beside it
_SEEN = 0.5  # visibility
_BEHIND = 0.05  # statures; deeper in the body than that it is on the other side
_DEEP = 0.03  # statures, what still counts as front
_ABOVE_HIPS = 0.15  # trunks; hands beside the body below that hang


@dataclass(frozen=True)
class Contact:
    """A hand before the body in a picture.

    Attributes:
        side: 0 left, 1 right.
        vertex: of the body's front behind it.
        ray: (3,) unit direction from the camera to the hand.
        gap: how far the palm's middle is before that vertex along the ray, statures.
        rest: how far it is where it lies there.
        lies: 0..1 probability that it does.
    """

    side: int
    vertex: int
    ray: np.ndarray
    gap: float
    rest: float
    lies: float


@lru_cache(maxsize=2)
def _touched(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N,) that hands may lie on, the skin of trunk, head and legs, and which are legs."""
    part = model.regions.part
    on = np.isin(part, (TRUNK, HEAD, LEFT_LEG, RIGHT_LEG)) & (model.components == 0)
    chosen = np.flatnonzero(on)[::_STRIDE]
    return chosen, np.isin(part[chosen], (LEFT_LEG, RIGHT_LEG))


def hands_before(
    model: BodyModel,
    one: Evidence,
    vertices: np.ndarray,
    points: np.ndarray,
    stature: float,
    *,
    stands: bool,
) -> tuple[Contact, ...]:
    """The visible hands that are before trunk, head or legs in a view and likely lie on them.

    Args:
        model: of the body.
        one: the view; hands of arms of which the user says where they point are left out.
        vertices: (V, 3) posed, in the camera frame.
        points: (33, 3) keypoints of the body in that frame, metres.
        stature: metres.
        stands: on straight legs.
    """
    chosen, legs = _touched(model)
    at = vertices[chosen].astype(np.float64)
    hips = points[HIPS].mean(0)
    trunk = points[SHOULDERS].mean(0) - hips
    out = []
    for side, palm in enumerate(PALMS):
        told = any(LIMBS[limb].ends[1] in ARMS[side] for limb in one.directions)
        if one.observed.visibility[palm].mean() < _SEEN or told:
            continue
        hand = points[palm].mean(0)
        ray = hand / np.linalg.norm(hand)
        along = at @ ray
        apart = np.linalg.norm(at - along[:, None] * ray, axis=1) / stature
        near, rest = np.flatnonzero(apart < _BEFORE), REST
        if not len(near) and (hand - hips) @ trunk > _ABOVE_HIPS * trunk @ trunk:
            near, rest = np.flatnonzero((apart < _BESIDE) & ~legs), 0.0
        if not len(near):
            continue
        # Of what is in front there, that which is straight behind the hand.
        front = near[along[near] < along[near].min() + _DEEP * stature]
        first = front[apart[front].argmin()]
        gap = float(along[first] - hand @ ray) / stature
        lies = _probability(gap, stands=stands)
        if gap > -_BEHIND and lies > _LEAST:
            out.append(Contact(side, int(chosen[first]), ray, gap, rest, lies))
    return tuple(out)


def _probability(gap: float, *, stands: bool) -> float:
    """That a hand which is fitted ``gap`` statures before the body lies on it."""
    odds = _ODDS + _ODDS_PER_STATURE * max(gap, 0.0) + (_STANDING if stands else 0.0)
    return float(1 / (1 + np.exp(-odds)))


@dataclass(frozen=True)
class TouchingHand:
    """A hand before the body, drawn to its surface as strongly as it is likely to lie there.

    Attributes:
        evidence: the view; contact: of it; surface: the contact's vertex.
        rest: how far a palm's middle is before what it lies on, metres; sd: likewise.
        weight: on the residual.
    """

    evidence: Evidence
    contact: Contact
    surface: PointSet
    rest: float
    sd: float
    weight: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``terms.Term``."""
        palm, ray = PALMS[self.contact.side], self.contact.ray
        points, derivative = self.evidence.moving(moment.points, moment.derivative)
        behind, moves = self.evidence.moving(*moment.follow(self.surface))
        gap = (behind[0] - points[palm].mean(0)) @ ray
        rows = (self.weight / self.sd * ray @ (moves[0] - derivative[palm].mean(0)))[None]
        system.add(np.array([self.weight * (gap - self.rest) / self.sd]), rows)
