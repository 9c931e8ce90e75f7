"""The residuals of a fit: one small class each.

A term of one time adds to the equations of that time's unknowns, in this order: rotation increments
of the active joints (3 A), betas (K), translation (3), scale of the metric landmarks (1). A term of
what all times share adds to the equations of betas (K) and scale (1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vitruvian.body.fit.contour import ContourTargets
from vitruvian.body.fit.limbs import Limb, sight
from vitruvian.body.fit.observations import PoseTarget
from vitruvian.body.fit.pose_prior import PosePrior
from vitruvian.body.fit.solver import NormalEquations
from vitruvian.body.fit.views import Evidence
from vitruvian.body.model.model import BodyModel, PointSet, ShapePrior
from vitruvian.geometry.rotations import axis_angle_from_matrix
from vitruvian.hints import Direction
from vitruvian.types.keypoints import HIPS

_NEAREST_M = 0.1  # in front of the camera, as far as projections go
_LEAST_TILT = 0.2  # depth of a limb of a known direction, of its length: 12 degrees at least
_TILT_SD_M = 0.01
_SURE = 4.0  # times as far off, of landmarks that are sure


class Moment:
    """The body at one time, as its terms see it.

    Attributes:
        rotations: (J, 3, 3) local; betas: (K,); translation: (3,); scale of metric landmarks.
        turns: (A - 1, 3) axis-angle of the active joints but the root.
        points, derivative: (33, 3) keypoints and (33, 3, 3 A + K + 3).
    """

    def __init__(
        self,
        model: BodyModel,
        rotations: np.ndarray,
        betas: np.ndarray,
        translation: np.ndarray,
        scale: float,
    ) -> None:
        self.model, self.rotations, self.betas = model, rotations, betas
        self.translation, self.scale = translation, scale
        self.turns = axis_angle_from_matrix(rotations[model.active[1:]])
        self.points, self.derivative = self.follow(model.keypoints())

    def follow(self, points: PointSet) -> tuple[np.ndarray, np.ndarray]:
        """Where points (N) of the body are, and the derivatives (N, 3, 3 A + K + 3)."""
        places, derivative = self.model.evaluate(
            points, self.betas, self.rotations, self.translation, self.model.active
        )
        assert derivative is not None
        return places, derivative


class Term(Protocol):
    """Residuals of one time."""

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """Add cost and derivatives."""
        ...


class SharedTerm(Protocol):
    """Residuals of what all times share."""

    def add(self, system: NormalEquations, betas: np.ndarray, scale: float) -> None:
        """Add cost and derivatives."""
        ...


@dataclass(frozen=True)
class WorldLandmarks:
    """Metric landmarks of a view, relative to the hips, with a free scale; sd: (3,) or (33, 3)."""

    evidence: Evidence
    sd: np.ndarray
    robust: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        observed = self.evidence.observed
        points, derivative = self.evidence.moving(moment.points, moment.derivative)
        root = points[HIPS].mean(0)
        residual = (points - root - moment.scale * observed.world) / self.sd
        relative = derivative - derivative[HIPS].mean(0)
        rows = np.concatenate([relative, -observed.world[:, :, None]], axis=2) / self.sd[..., None]
        used = observed.world_weights > 0
        system.add_robust(residual[used], rows[used], observed.world_weights[used], self.robust)


@dataclass(frozen=True)
class ImageLandmarks:
    """Landmarks in a view's picture. factor: (33,), 1 / standard deviation of x / z and y / z;
    those of which the view is sure stop counting farther off."""

    evidence: Evidence
    factor: np.ndarray
    robust: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        observed = self.evidence.observed
        seen = self.evidence.moving(moment.points, moment.derivative)
        residual, rows = _reprojection(*seen, observed.rays, self.factor[:, None])
        weights, sure = observed.image_weights, self.evidence.view.sure
        if sure is None:
            system.add_robust(residual, rows, weights, self.robust)
            return
        for chosen, robust in ((~sure, self.robust), (sure, _SURE * self.robust)):
            system.add_robust(residual[chosen], rows[chosen], weights[chosen], robust)


@dataclass(frozen=True)
class Contour:
    """Vertices on the body's outline, across the outline of a view's matte; factor: a number."""

    evidence: Evidence
    targets: ContourTargets
    vertices: PointSet
    factor: float
    robust: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        seen = self.evidence.moving(*moment.follow(self.vertices))
        residual, rows = _reprojection(*seen, self.targets.rays, self.factor)
        across = np.einsum("nc,nc->n", residual, self.targets.normals)[:, None]
        rows = np.einsum("ncu,nc->nu", rows, self.targets.normals)[:, None]
        system.add_robust(across, rows, self.targets.weights, self.robust)


@dataclass(frozen=True)
class EstimatedPose:
    """The pose of a body estimate; robust, for it may be wrong."""

    target: PoseTarget
    weight: float
    robust: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        residual = self.target.residual(moment.rotations[moment.model.active])
        count = len(residual)
        rows = np.zeros((count, 3, 3 * count))
        for axis in range(3):
            rows[np.arange(count), axis, 3 * np.arange(count) + axis] = 1 / self.target.sd
        system.add_robust(residual, rows, np.full(count, self.weight), self.robust)


@dataclass(frozen=True)
class UsualPose:
    """The Gaussian of captured poses, and limits; the root's orientation is free."""

    prior: PosePrior
    weight: float
    limit_weight: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        pose = moment.turns.ravel()
        whitening = self.prior.whitening * self.weight
        system.add(whitening @ (pose - self.prior.mean), whitening, 3)
        beyond = pose - np.clip(pose, self.prior.lower, self.prior.upper)
        broken = np.flatnonzero(beyond)
        if len(broken):
            rows = self.limit_weight * np.eye(len(pose))[broken]
            system.add(beyond[broken] * self.limit_weight, rows, 3)


@dataclass(frozen=True)
class StraightKnees:
    """Knees held to be straight, by their rows among the active joints; sd in radians."""

    joints: tuple[int, ...]
    sd: float

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        rows = np.eye(3) / self.sd
        for joint in self.joints:
            system.add(moment.turns[joint - 1] / self.sd, rows, 3 * joint)


@dataclass(frozen=True)
class DirectedLimb:
    """A limb that the user says points towards a view's camera or away from it."""

    evidence: Evidence
    limb: Limb
    direction: Direction

    def add(self, system: NormalEquations, moment: Moment) -> None:
        """As of ``Term``."""
        points, derivative = self.evidence.moving(moment.points, moment.derivative)
        inner, outer = self.limb.ends
        along = points[outer] - points[inner]
        wanted = sight(self.evidence.observed, self.limb) / _TILT_SD_M
        wanted = wanted if self.direction == "away" else -wanted
        missing = _LEAST_TILT * np.linalg.norm(along) / _TILT_SD_M - along @ wanted
        if missing <= 0:
            return
        rows = -wanted @ (derivative[outer] - derivative[inner])
        system.add(np.array([missing]), rows[None])


@dataclass(frozen=True)
class UsualShape:
    """The Gaussian of shapes of the kind of person that this is."""

    prior: ShapePrior
    weight: float

    def add(self, system: NormalEquations, betas: np.ndarray, scale: float) -> None:
        """As of ``SharedTerm``."""
        whitening = self.prior.whitening * self.weight
        residual = whitening @ (betas - self.prior.mean)
        system.add(residual, whitening)


@dataclass(frozen=True)
class KnownStature:
    """A stature that was given, metres."""

    model: BodyModel
    height_m: float
    sd: float

    def add(self, system: NormalEquations, betas: np.ndarray, scale: float) -> None:
        """As of ``SharedTerm``."""
        slope = self.model.stature_gradient[: len(betas)]
        error = self.model.stature(betas) - self.height_m
        rows = slope[None] / self.sd
        system.add(np.array([error / self.sd]), rows)


@dataclass(frozen=True)
class LandmarkScale:
    """The metric landmarks are about as large as expected; sd is relative."""

    sd: float

    def add(self, system: NormalEquations, betas: np.ndarray, scale: float) -> None:
        """As of ``SharedTerm``."""
        rows = np.array([[1 / self.sd]])
        system.add(np.array([(scale - 1) / self.sd]), rows, len(betas))


def _reprojection(
    points: np.ndarray, derivative: np.ndarray, rays: np.ndarray, factor: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (N, 2) of the rays to ``points`` (N, 3) and their derivatives (N, 2, n)."""
    z = np.maximum(points[:, 2:3], _NEAREST_M)
    projected = points[:, :2] / z
    residual = (projected - rays) * factor
    rows = derivative[:, :2] - projected[:, :, None] * derivative[:, 2:3]
    return residual, rows * (factor / z)[:, :, None]
