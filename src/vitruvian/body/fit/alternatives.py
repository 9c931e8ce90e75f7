"""The second best pose of a body: the most doubtful limb on its other side.

How surely a limb points towards the camera or away from it is what the body estimate's own standard
deviations say. They are calibrated: of limbs that were said to point the other way with a
probability of 30 to 40 %, 35 % did. See docs/experiments/limb-flips.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erf, sqrt

import numpy as np

from vitruvian.body.fit.limbs import LIMBS, Limb, sight
from vitruvian.body.fit.observations import camera_from_centred
from vitruvian.body.fit.schedule import Solved
from vitruvian.body.fit.views import Evidence, View
from vitruvian.body.model.model import BodyModel
from vitruvian.hints import Direction, Hint
from vitruvian.types.body import Alternative, Body
from vitruvian.types.keypoints import CORE, HIPS

_SURER = 1.1  # than the estimate's standard deviations along the view say
_CLOSE = 0.25  # probability of the other side from which on it is said
_LEAST_SHORTENED = 0.35  # sine of the angle to the picture: those that lie in it look alike flipped
_SEEN = 0.5  # visibility of both ends; hidden limbs are guesses anyhow
_LEAST_MOVED = 0.05  # of the limb's outer end, in statures


@dataclass(frozen=True)
class Doubt:
    """A limb that may well point the other way.

    Attributes:
        limb: one of ``hints.LIMBS``; direction: the other one.
        probability: 0..1 that it points there.
    """

    limb: str
    direction: Direction
    probability: float


def most_doubtful(model: BodyModel, solved: Solved) -> Doubt | None:
    """The limb of one fitted view of one time whose direction is least sure.

    None where all are sure enough, the user has told them, or there is no body estimate.
    """
    (one,) = solved.evidence
    if one.target is None:
        return None
    away = _away(model, one, solved)
    doubts = [
        Doubt(name, "towards" if away[name] > 0 else "away", _doubt(one, limb, away[name]))
        for name, limb in LIMBS.items()
        if name not in one.directions
    ]
    most = max(doubts, key=lambda doubt: doubt.probability, default=None)
    return None if most is None or most.probability < _CLOSE else most


def other_way(view: View, doubt: Doubt) -> View:
    """A view of which it is told that a limb points where it may."""
    hint = view.figure.hint or Hint()
    limbs = {**(hint.limbs or {}), doubt.limb: doubt.direction}
    return replace(view, figure=replace(view.figure, hint=replace(hint, limbs=limbs)))


def alternative(doubt: Doubt, body: Body, other: Body) -> tuple[Alternative, ...]:
    """``other``, which was fitted the other way, as an alternative to ``body``; nothing where the
    limb's outer end is much where it was."""
    end = body.model.joint_index[LIMBS[doubt.limb].end]
    before, after = (one.joints[end] - one.joints[0] for one in (body, other))
    if np.linalg.norm(after - before) < _LEAST_MOVED * body.height_m:
        return ()
    return (Alternative(doubt.limb, doubt.direction, doubt.probability, other),)


def _away(model: BodyModel, one: Evidence, solved: Solved) -> dict[str, float]:
    """Of each limb how far its outer end is behind its inner one, as fitted, metres."""
    state = solved.state
    points, _ = model.evaluate(
        model.keypoints(),
        state.betas,
        state.rotations[0],
        state.translation[0],
        model.active,
        jacobian=False,
    )
    seen = one.seen(points)
    return {
        name: float((seen[limb.ends[1]] - seen[limb.ends[0]]) @ sight(one.observed, limb))
        for name, limb in LIMBS.items()
    }


def _doubt(one: Evidence, limb: Limb, away: float) -> float:
    """Probability that a limb points to the other side than it was fitted; 0 where nobody asks."""
    estimate = one.view.figure.estimate
    assert estimate is not None
    inner, outer = limb.ends
    if one.observed.visibility[[inner, outer]].min() < _SEEN:
        return 0.0
    # How much shorter it is in the picture than in space, on the scale of all joints.
    about = one.observed.points_px - one.observed.points_px[HIPS].mean(0)
    points = estimate.keypoints - estimate.keypoints[HIPS].mean(0)
    scale = np.linalg.norm(points[CORE, :2]) / max(float(np.linalg.norm(about[CORE])), 1e-9)
    along = points[outer] - points[inner]
    across = scale * np.linalg.norm(about[outer] - about[inner])
    flat = min(float(across / max(float(np.linalg.norm(along)), 1e-9)), 1.0)
    if sqrt(1 - flat**2) < _LEAST_SHORTENED:
        return 0.0
    sd = float(np.hypot(*estimate.keypoint_sd[[inner, outer], 1]))
    straight = camera_from_centred(one.observed.rays)
    behind = along @ straight.T @ sight(one.observed, limb) * np.sign(away)
    return 0.5 * (1 - erf(_SURER * float(behind) / max(sd, 1e-9) / sqrt(2)))
