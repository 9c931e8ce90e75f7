"""What is believed of a person's shape before landmarks and outline are looked at."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.fit.kind import GROUP_SHARES, Kind
from vitruvian.body.model.model import BodyModel, ShapePrior
from vitruvian.types.estimate import CHILDREN

# Where and how sharply ``gender`` (0 male, 1 female) is held for a body that is to be neither.
NEUTRAL_GENDER, _NEUTRAL_SD = 0.35, 0.07
_GENDERS, _GENDER_SD = (0.1, 0.9), 0.15  # of men and women; for groups of both
_YEARS = 18.0  # of ``maturity`` 1
_GROWING = ("teenagers", *CHILDREN)


def shape_prior(
    model: BodyModel, count: int, height_m: float | None = None, kind: Kind | None = None
) -> ShapePrior:
    """What is believed of the first ``count`` betas before looking at landmarks and outline.

    Of somebody of whom nothing is known, the Gaussian of the group that somebody of that stature
    most likely is of. Else a Gaussian with the moments of the groups' mixture, each by its
    probability and, where the stature is given, by how likely it is in that group; where it is
    not, either of grown people or of children. The groups of those who still grow are narrowed to
    the age, where something tells it; adults of doubtful sex get a build between men's and women's.

    Args:
        model: of the betas.
        count: K'.
        height_m: stature where it is known.
        kind: what kind of person it is believed to be.
    """
    if kind is None:
        return _cached_prior(model, likely_group(model, height_m), count)
    weights = dict(kind.groups)
    if height_m is not None:
        weights = {g: w * _stature_likelihood(model, g, height_m) for g, w in weights.items()}
        if sum(weights.values()) <= 1e-12:
            return _cached_prior(model, likely_group(model, height_m), count)
    else:
        # A mean of child and adult is neither: one or the other, whichever is likelier.
        child = kind.child >= 0.5
        weights = {g: w if (g in CHILDREN) == child else 0.0 for g, w in weights.items()}
    if kind.neutral:
        half = (weights["men"] + weights["women"]) / 2
        weights |= {"men": half, "women": half}
    moments = {group: _group_moments(model, group, count) for group in weights}
    gender, maturity = (model.trait(name, count) for name in ("gender", "maturity"))
    if np.isfinite(kind.age):
        at_age = kind.age / _YEARS, kind.age_sd / _YEARS
        for group in _GROWING:
            moments[group] = _conditioned(*moments[group], *maturity, *at_age)
    as_sex = float(np.interp(kind.woman, [0, 1], _GENDERS)), _GENDER_SD
    moments["teenagers"] = _conditioned(*moments["teenagers"], *gender, *as_sex)
    mean, covariance = _mixture(moments, weights)
    if kind.neutral and weights["men"] > 0:
        mean, covariance = _conditioned(mean, covariance, *gender, NEUTRAL_GENDER, _NEUTRAL_SD)
    return ShapePrior(mean, np.linalg.inv(np.linalg.cholesky(covariance)))


def likely_group(model: BodyModel, height_m: float | None) -> str:
    """The group of people, of ``SHAPE_GROUPS``, that somebody of this stature most likely is in.

    By Bayes' rule from each group's Gaussian of statures; adults when nothing is known.
    """
    if height_m is None:
        return "adults"
    scores = {
        group: share * _stature_likelihood(model, group, height_m)
        for group, share in GROUP_SHARES.items()
    }
    return max(scores, key=lambda group: scores[group])


def _stature_likelihood(model: BodyModel, group: str, height_m: float) -> float:
    mean, deviation = _group_stature(model, group)
    return float(np.exp(-(((height_m - mean) / deviation) ** 2) / 2) / deviation)


def _mixture(
    moments: dict[str, tuple[np.ndarray, np.ndarray]], weights: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a mixture of Gaussians."""
    total = sum(weights.values())
    mean = np.asarray(sum(w / total * moments[g][0] for g, w in weights.items()))
    second = sum(
        w / total * (moments[g][1] + np.outer(moments[g][0], moments[g][0]))
        for g, w in weights.items()
    )
    return mean, np.asarray(second) - np.outer(mean, mean)


def _conditioned(
    mean: np.ndarray,
    covariance: np.ndarray,
    slope: np.ndarray,
    offset: float,
    value: float,
    sd: float,
) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian of betas of which ``slope @ betas + offset`` was measured as ``value``."""
    with_betas = covariance @ slope
    gain = with_betas / (slope @ with_betas + sd**2)
    moved = mean + gain * (value - offset - slope @ mean)
    return moved, covariance - np.outer(gain, with_betas)


@lru_cache(maxsize=16)
def _group_moments(model: BodyModel, group: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    prior = _cached_prior(model, group, count)
    root = np.linalg.inv(prior.whitening)
    return prior.mean, root @ root.T


@lru_cache(maxsize=16)
def _group_stature(model: BodyModel, group: str) -> tuple[float, float]:
    """Mean and standard deviation of a group's statures, metres."""
    prior = model.shape_prior(group)
    deviation = np.linalg.norm(np.linalg.solve(prior.whitening.T, model.stature_gradient))
    return model.stature(prior.mean), float(deviation)


@lru_cache(maxsize=16)
def _cached_prior(model: BodyModel, group: str, count: int) -> ShapePrior:
    return model.shape_prior(group, count)
