"""What a fit takes from body cues: targets, pose, and what kind of person it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vitruvian.body.fit.observations import Observations, to_person
from vitruvian.body.model import skeleton
from vitruvian.body.model.model import BodyModel, ShapePrior
from vitruvian.geometry.rotations import axis_angle_from_matrix
from vitruvian.types.estimate import CHILDREN, GROUPS, PARTS, BodyEstimate
from vitruvian.types.keypoints import HIPS

# How many of the people in pictures are of each group, roughly; for when nobody asked the network.
GROUP_SHARES = {"adults": 0.85, "teenagers": 0.05, "schoolchildren": 0.06, "small children": 0.04}
_PHOTOGRAPHED = {"men": 0.425, "women": 0.425, **GROUP_SHARES}
# The shares of ``synthesis.sampling.GROUPS``, with which the network of cues was trained.
_LEARNT = {
    "men": 0.38, "women": 0.38, "teenagers": 0.08, "schoolchildren": 0.1, "small children": 0.06,
}  # fmt: skip
# Factors on the network's standard deviations across and along the view: they are those of
# synthetic people, real ones surprise it more, and across the view the landmarks know better.
_DOUBT = np.array([3.0, 1.5])
_LEAST_KEYPOINT_SD = 0.008  # statures
_LEAST_ROTATION_SD = 0.1  # radians


@dataclass(frozen=True)
class PoseTarget:
    """Rotations that the cues suggest.

    Attributes:
        rotations: (A, 3, 3) of the active joints; the root's leads into the camera frame.
        sd: (A,) radians.
    """

    rotations: np.ndarray
    sd: np.ndarray

    def residual(self, rotations: np.ndarray) -> np.ndarray:
        """(A, 3) rotation vectors from the target to ``rotations`` (A, 3, 3), over ``sd``.

        Their derivative with respect to ``R <- exp(w) R`` is about 1 / sd where they are small.
        """
        away = axis_angle_from_matrix(rotations @ self.rotations.transpose(0, 2, 1))
        return away / self.sd[:, None]


def guided(observed: Observations, cues: BodyEstimate) -> Observations:
    """Observations whose metric landmarks are the cues', in statures."""
    world = cues.keypoints @ to_person(observed.rays).T
    across, along = np.maximum(_DOUBT * cues.keypoint_sd, _LEAST_KEYPOINT_SD).T
    sd = np.stack([across, across, along], axis=1)
    world = world - world[HIPS].mean(0)
    return replace(observed, world=world, world_weights=np.ones(len(world)), world_sd=sd)


def pose_target(observed: Observations, cues: BodyEstimate) -> PoseTarget:
    """The cues' pose in the camera frame."""
    rotations = cues.rotations.copy()
    rotations[0] = to_person(observed.rays) @ rotations[0]
    return PoseTarget(rotations, np.maximum(cues.rotation_sd, _LEAST_ROTATION_SD))


def shape_prior(
    model: BodyModel, count: int, height_m: float | None, cues: BodyEstimate | None
) -> ShapePrior:
    """What is believed of the first ``count`` betas before looking at landmarks and outline.

    Without cues, the Gaussian of the group that somebody of that stature most likely is of. With
    them, a Gaussian with the moments of the groups' mixture, each by the cues' probability and,
    where the stature is given, by how likely it is in that group; where it is not, either of
    grown people or of children.
    """
    if cues is None:
        return _cached_prior(model, likely_group(model, height_m), count)
    weights = group_weights(cues)
    if height_m is not None:
        weights = {g: w * _stature_likelihood(model, g, height_m) for g, w in weights.items()}
        if sum(weights.values()) <= 1e-12:
            return _cached_prior(model, likely_group(model, height_m), count)
    elif not _is_child(cues):
        # A mean of child and adult is neither: one or the other, whichever is likelier.
        weights = {g: 0.0 if g in CHILDREN else w for g, w in weights.items()}
    else:
        weights = {g: w if g in CHILDREN else 0.0 for g, w in weights.items()}
    mean, covariance = _mixture_moments(model, weights, count)
    return ShapePrior(mean, np.linalg.inv(np.linalg.cholesky(covariance)))


def _is_child(cues: BodyEstimate) -> bool:
    """Whether to take somebody for a child. Without their head in view there is no telling."""
    weights = group_weights(cues)
    child = sum(weights[group] for group in CHILDREN)
    return child >= 0.5 and cues.part("head")["in view"] >= 0.5


def group_weights(cues: BodyEstimate) -> dict[str, float]:
    """The cues' probabilities of ``GROUPS`` where groups are as frequent as in photographs.

    They were learnt where children are more frequent (Bayes' rule; Saerens et al., 2002).
    """
    weights = {
        group: float(p) * _PHOTOGRAPHED[group] / _LEARNT[group]
        for group, p in zip(GROUPS, cues.groups, strict=True)
    }
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items()}


def guessed_parts(cues: BodyEstimate | None) -> tuple[str, ...]:
    """Parts of the body (``networks.cues.PARTS``) that are more likely out of view than in it."""
    if cues is None:
        return ()
    return tuple(name for name, row in zip(PARTS, cues.parts, strict=True) if row[0] < 0.5)


def guessed_joints(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Joints of those parts."""
    return tuple(joint for part in parts for joint in skeleton.PART_JOINTS[part])


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
