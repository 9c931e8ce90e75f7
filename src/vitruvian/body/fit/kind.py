"""What kind of person somebody is believed to be: from build, face and what the user says.

Beliefs that shape a body, no facts about a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.hints import Hint
from vitruvian.types.estimate import CHILDREN, GROUPS, BodyEstimate
from vitruvian.types.face import Face
from vitruvian.types.keypoints import ANKLES, FACE

# How many of the people in pictures are of each group, roughly; for when nothing is known.
GROUP_SHARES = {"adults": 0.85, "teenagers": 0.05, "schoolchildren": 0.06, "small children": 0.04}
_PHOTOGRAPHED = {"men": 0.425, "women": 0.425, **GROUP_SHARES}
# The shares of ``synthesis.sampling.GROUPS``, which the network of body estimates was trained with.
_LEARNT = {
    "men": 0.38, "women": 0.38, "teenagers": 0.08, "schoolchildren": 0.1, "small children": 0.06,
}  # fmt: skip
_AGES = {
    "teenagers": (12.0, 18.0), "schoolchildren": (5.0, 12.0), "small children": (0.5, 5.0),
    "men": (18.0, 70.0), "women": (18.0, 70.0),
}  # fmt: skip
# What the build's log odds of man and woman are worth: by likelihood on 193 labelled street
# photographs. The network was trained on synthetic people and is too sure of real ones.
_BUILD_FACTOR = 0.45
# Probabilities of a woman between which a body is neither a man's nor a woman's.
DOUBTFUL = (0.35, 0.65)
# Without a face, the head must be in view this surely for a child: under a mascot's head, a hood
# or an umbrella grown people have a child's proportions.
_HEAD_IN_VIEW = 0.8
_MOST_FACES = 2  # pictures of one face err alike: more count no more than so many
_MOST_BUILDS = 3  # nor do more pictures of one build
# Statures from ankles to face: who is folded up so far shows no build, who stands shows all.
_FOLDED, _UPRIGHT = 0.45, 0.8
_LEAST_TOLD = 1e-3
_FACE_OUTLIERS = 0.02  # share of faces whose age is off by any number of years
_FACE_AGE_SD = 4.0  # years: what the networks' own spread leaves out
_GIVEN_AGE_SD = 0.5


@dataclass(frozen=True)
class Kind:
    """What is believed of a person.

    Attributes:
        groups: probabilities of ``GROUPS``, summing to 1, by name.
        woman: probability of a woman or girl.
        neutral: the body is neither a man's nor a woman's.
        age: years, and age_sd, their standard deviation; nan where nothing tells them.
        basis: what the belief comes from: ``build``, ``face`` (with the build) or ``given``.
    """

    groups: dict[str, float]
    woman: float
    neutral: bool
    age: float
    age_sd: float
    basis: str

    @property
    def child(self) -> float:
        """Probability of somebody of less than about twelve years."""
        return sum(self.groups[group] for group in CHILDREN)


def believed_kind(
    estimates: Sequence[BodyEstimate] = (),
    faces: Sequence[Face] = (),
    hint: Hint | None = None,
) -> Kind | None:
    """What kind of person somebody is; None where nothing tells.

    Evidence is added as logarithms of odds. What the user says overrules it.

    Args:
        estimates: of the same person's body, from several pictures.
        faces: of the same person, from several pictures.
        hint: what the user says.
    """
    hint = hint or Hint()
    if not estimates and not faces and hint.sex is None and hint.age is None:
        return None
    heads = [estimate for estimate in estimates if _head_seen(estimate)]
    weights = group_weights(heads or estimates)
    # Of several pictures of a build the sex is told no better than of one.
    both = weights["men"] + weights["women"]
    often = _often(heads or estimates)
    woman = _BUILD_FACTOR * _logit(weights["women"] / both) / often
    if faces:
        told = np.mean([face.woman_log_odds for face in faces])
        woman += float(told) * min(len(faces), _MOST_FACES)
    age, age_sd = _age(faces, hint)
    if hint.age is not None:
        weights = _restricted(weights, _allowed(hint.age))
    elif faces:
        weights = _normal({g: w * _of_age(g, age, age_sd) for g, w in weights.items()})
    elif estimates and not heads:
        weights = _restricted(weights, ("men", "women", "teenagers"))
    share = 1 / (1 + np.exp(-np.clip(woman, -12, 12)))
    neutral = bool(DOUBTFUL[0] < share < DOUBTFUL[1])
    if hint.sex is not None:
        share = {"man": 0.0, "woman": 1.0, "neutral": 0.5}[hint.sex]
        neutral = hint.sex == "neutral"
    adults = weights["men"] + weights["women"]
    groups = weights | {"men": adults * (1 - share), "women": adults * share}
    given = hint.sex is not None or hint.age is not None
    basis = "given" if given else "face" if faces else "build"
    return Kind(
        groups={group: float(weight) for group, weight in groups.items()},
        woman=float(share),
        neutral=neutral,
        age=age,
        age_sd=age_sd,
        basis=basis,
    )


def doubts(kind: Kind | None) -> dict[str, float | str]:
    """How far what a shape suggests of a person may be off, for ``Body.phenotype``.

    ``gender_sd`` and ``maturity_sd`` in the units of ``gender`` and ``maturity``, and ``basis``:
    ``given``, ``face`` (with the build), ``build``, or ``none`` where nothing told anything.
    """
    if kind is None:
        return {"gender_sd": 0.5, "maturity_sd": 0.25, "basis": "none"}
    child = float(np.sqrt(kind.child * (1 - kind.child)) / 2)
    age = kind.age_sd / 18 if kind.child >= 0.5 and np.isfinite(kind.age_sd) else 0.0
    return {
        "gender_sd": float(np.sqrt(kind.woman * (1 - kind.woman))),
        "maturity_sd": float(np.hypot(child, age)),
        "basis": kind.basis,
    }


def group_weights(estimates: Sequence[BodyEstimate]) -> dict[str, float]:
    """The probabilities of ``GROUPS`` where groups are as frequent as in photographs.

    They were learnt where children are more frequent (Bayes' rule; Saerens et al., 2002). The mean
    evidence of several pictures, of which those count most that tell most, counts as often as
    pictures tell something new, which those that hide the legs hardly do. Without estimates, those
    frequencies.
    """
    if not estimates:
        return _normal({group: _PHOTOGRAPHED[group] for group in GROUPS})
    told = [tells_build(estimate) ** 2 for estimate in estimates]
    mean = np.average([estimate.groups for estimate in estimates], axis=0, weights=told)
    often = _often(estimates)
    return _normal(
        {
            group: _PHOTOGRAPHED[group] * (float(p) / _LEARNT[group]) ** often
            for group, p in zip(GROUPS, mean, strict=True)
        }
    )


def _often(estimates: Sequence[BodyEstimate]) -> float:
    """How many pictures' worth of evidence there is in those of some estimates, at least 1.

    Where legs are hidden, all of them err alike: half of an adult looks like a child.
    """
    if not estimates:
        return 1.0
    told = [tells_build(estimate) ** 2 for estimate in estimates]
    legs = [estimate.part("legs")["in view"] for estimate in estimates]
    seen = float(np.average(legs, weights=told))
    return 1 + (min(len(estimates), _MOST_BUILDS) - 1) * max(2 * seen - 1, 0.0)


def tells_build(estimate: BodyEstimate) -> float:
    """0..1, how much of somebody's build a picture shows: of who kneels, crouches or whose legs are
    hidden little, and a child who kneels is easily taken for an adult."""
    points = estimate.keypoints
    tall = float(np.linalg.norm(points[FACE].mean(0) - points[ANKLES].mean(0)))
    upright = float(np.clip((tall - _FOLDED) / (_UPRIGHT - _FOLDED), 0.05, 1))
    return max(float(estimate.part("legs")["in view"]) * upright, _LEAST_TOLD)


def _head_seen(estimate: BodyEstimate) -> bool:
    return bool(estimate.part("head")["in view"] >= _HEAD_IN_VIEW)


def _age(faces: Sequence[Face], hint: Hint) -> tuple[float, float]:
    if hint.age is not None:
        known = not isinstance(hint.age, str)
        return (float(hint.age), _GIVEN_AGE_SD) if known else (float("nan"), float("nan"))
    if not faces:
        return float("nan"), float("nan")
    sds = np.array([np.hypot(face.age_sd, _FACE_AGE_SD) for face in faces])
    ages = np.array([face.age for face in faces])
    sd = np.sqrt(1 / (sds**-2).mean() / min(len(faces), _MOST_FACES))
    return float(np.average(ages, weights=sds**-2)), float(sd)


def _of_age(group: str, age: float, sd: float) -> float:
    """Likelihood of a face's age in a group, whose own ages are spread evenly."""
    low, high = _AGES[group]
    ages = np.arange(low + 0.25, high, 0.5)
    near = np.exp(-(((ages - age) / sd) ** 2) / 2).mean() / (sd * np.sqrt(2 * np.pi))
    return float((1 - _FACE_OUTLIERS) * near + _FACE_OUTLIERS / 80)


def _allowed(age: float | str) -> tuple[str, ...]:
    """The groups that somebody of an age may be of."""
    if age == "child":
        return CHILDREN
    if age == "adult":
        return ("men", "women")
    years = float(age)
    found = tuple(g for g, (low, high) in _AGES.items() if low <= years < high)
    return found or (("small children",) if years < 1 else ("men", "women"))


def _restricted(weights: dict[str, float], allowed: Sequence[str]) -> dict[str, float]:
    """Only these groups; as frequent as in photographs where none of them is likely at all."""
    kept = {g: w if g in allowed else 0.0 for g, w in weights.items()}
    if sum(kept.values()) < 1e-6:
        kept = {g: _PHOTOGRAPHED[g] if g in allowed else 0.0 for g in weights}
    return _normal(kept)


def _normal(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items()}


def _logit(p: float) -> float:
    p = float(np.clip(p, 1e-4, 1 - 1e-4))
    return float(np.log(p / (1 - p)))
