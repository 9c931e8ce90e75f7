"""What is believed of a person's shape before landmarks and outline are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import BodyModel, ShapePrior
from vitruvian.types.estimate import CHILDREN, GROUPS, BodyEstimate

# How many of the people in pictures are of each group, roughly; for when nobody asked the network.
GROUP_SHARES = {"adults": 0.85, "teenagers": 0.05, "schoolchildren": 0.06, "small children": 0.04}
_PHOTOGRAPHED = {"men": 0.425, "women": 0.425, **GROUP_SHARES}
# The shares of ``synthesis.sampling.GROUPS``, which the network of body estimates was trained with.
_LEARNT = {
    "men": 0.38, "women": 0.38, "teenagers": 0.08, "schoolchildren": 0.1, "small children": 0.06,
}  # fmt: skip


def shape_prior(
    model: BodyModel,
    count: int,
    height_m: float | None = None,
    estimates: Sequence[BodyEstimate] = (),
) -> ShapePrior:
    """What is believed of the first ``count`` betas before looking at landmarks and outline.

    Without body estimates, the Gaussian of the group that somebody of that stature most likely is
    of. With them, a Gaussian with the moments of the groups' mixture, each by its probability and,
    where the stature is given, by how likely it is in that group; where it is not, either of
    grown people or of children.

    Args:
        model: of the betas.
        count: K'.
        height_m: stature where it is known.
        estimates: of the same person, from several pictures.
    """
    if not estimates:
        return _cached_prior(model, likely_group(model, height_m), count)
    weights = group_weights(estimates)
    if height_m is not None:
        weights = {g: w * _stature_likelihood(model, g, height_m) for g, w in weights.items()}
        if sum(weights.values()) <= 1e-12:
            return _cached_prior(model, likely_group(model, height_m), count)
    elif not _is_child(estimates):
        # A mean of child and adult is neither: one or the other, whichever is likelier.
        weights = {g: 0.0 if g in CHILDREN else w for g, w in weights.items()}
    else:
        weights = {g: w if g in CHILDREN else 0.0 for g, w in weights.items()}
    mean, covariance = _mixture_moments(model, weights, count)
    return ShapePrior(mean, np.linalg.inv(np.linalg.cholesky(covariance)))


def _is_child(estimates: Sequence[BodyEstimate]) -> bool:
    """Whether to take somebody for a child. Without their head in view there is no telling."""
    weights = group_weights(estimates)
    child = sum(weights[group] for group in CHILDREN)
    head = np.mean([estimate.part("head")["in view"] for estimate in estimates])
    return bool(child >= 0.5 and head >= 0.5)


def group_weights(estimates: Sequence[BodyEstimate]) -> dict[str, float]:
    """The mean probabilities of ``GROUPS`` where groups are as frequent as in photographs.

    They were learnt where children are more frequent (Bayes' rule; Saerens et al., 2002).
    """
    mean = np.mean([estimate.groups for estimate in estimates], axis=0)
    weights = {
        group: float(p) * _PHOTOGRAPHED[group] / _LEARNT[group]
        for group, p in zip(GROUPS, mean, strict=True)
    }
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items()}


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


def _mixture_moments(
    model: BodyModel, weights: dict[str, float], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a mixture of the groups' Gaussians."""
    total = sum(weights.values())
    mean = np.zeros(count)
    second = np.zeros((count, count))
    for group, weight in weights.items():
        group_mean, covariance = _group_moments(model, group, count)
        mean += weight / total * group_mean
        second += weight / total * (covariance + np.outer(group_mean, group_mean))
    return mean, second - np.outer(mean, mean)


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
