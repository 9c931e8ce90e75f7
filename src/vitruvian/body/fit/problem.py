"""The cost of one shape in several poses against all that was seen of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vitruvian.body.fit.clothes import Clothes
from vitruvian.body.fit.contour import ContourTargets
from vitruvian.body.fit.dynamics import Dynamics
from vitruvian.body.fit.limbs import LIMBS
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.pose_prior import PosePrior
from vitruvian.body.fit.solver import (
    ArrowEquations,
    FitState,
    NormalEquations,
    levenberg_marquardt,
)
from vitruvian.body.fit.terms import (
    Contour,
    DirectedLimb,
    EstimatedPose,
    ImageLandmarks,
    KnownStature,
    LandmarkScale,
    Moment,
    SharedTerm,
    StraightKnees,
    Term,
    UsualPose,
    UsualShape,
    WorldLandmarks,
)
from vitruvian.body.fit.touch import Contact, TouchingHand
from vitruvian.body.fit.views import Evidence
from vitruvian.body.model.model import BodyModel, ShapePrior

_LEAST_DEPTH_M = 0.3


@dataclass(frozen=True)
class FitProblem:
    """One person's evidence, of one time or of many, and what is believed of people.

    Attributes:
        model: that is fitted.
        evidence: views of all times.
        pose_prior, shape_prior: see there.
        options: standard deviations.
        height_m: stature where it was given.
        contours: where the outline should be, by the number of the evidence.
        straight: of each time, the rows of ``model.active`` of the knees held to be straight.
        hands: before the body in the picture, by the number of the evidence.
        dynamics: what ties the times together; None lets each be by itself.
        clothes: whose outline the mattes show; None where they are not known.
    """

    model: BodyModel
    evidence: tuple[Evidence, ...]
    pose_prior: PosePrior
    shape_prior: ShapePrior
    options: FitOptions
    height_m: float | None
    contours: Mapping[int, ContourTargets] = field(default_factory=dict)
    straight: tuple[tuple[int, ...], ...] = ()
    hands: Mapping[int, Sequence[Contact]] = field(default_factory=dict)
    dynamics: Dynamics | None = None
    clothes: Clothes | None = None

    def terms(self, state: FitState) -> list[list[Term]]:
        """The terms of each time.

        The size of a pixel in metres is that at the distance of ``state``: were it to follow the
        body, errors in the image would shrink by pulling the body closer.
        """
        options = self.options
        terms: list[list[Term]] = [[] for _ in range(state.times)]
        for number, one in enumerate(self.evidence):
            of_time = terms[one.view.time]
            metres = max(one.depth(state.translation[one.view.time]), _LEAST_DEPTH_M)
            sd = one.observed.world_sd
            world_sd = np.asarray(options.world_sd) if sd is None else sd
            of_time.append(WorldLandmarks(one, world_sd, options.robust))
            of_time.append(
                ImageLandmarks(one, metres / self._image_sd(one, metres), options.robust)
            )
            if number in self.contours:
                targets = self.contours[number]
                wears = self.model.vertex_points if self.clothes is None else self.clothes.points
                points = wears(targets.vertices, options.shapes)
                factor = metres / options.contour_sd
                of_time.append(Contour(one, targets, points, factor, options.robust))
            if one.target is not None:
                weight = options.pose_target_weight
                of_time.append(EstimatedPose(one.target, weight, options.robust))
            stature = self.model.stature(state.betas)
            for contact in self.hands.get(number, ()):
                of_time.append(
                    TouchingHand(
                        one,
                        contact,
                        self.model.vertex_points(np.array([contact.vertex]), options.shapes),
                        contact.rest * stature,
                        options.touch_sd * stature,
                        options.touch_weight * contact.lies,
                    )
                )
            for limb, direction in one.directions.items():
                of_time.append(DirectedLimb(one, LIMBS[limb], direction))
        usual = UsualPose(self.pose_prior, options.pose_weight, options.limit_weight)
        for number, of_time in enumerate(terms):
            of_time.append(usual)
            if self.straight:
                of_time.append(StraightKnees(self.straight[number], options.straight_sd))
        return terms

    def _image_sd(self, one: Evidence, metres: float) -> np.ndarray:
        """Standard deviations (33,) of a view's landmarks in the picture, metres at a distance."""
        options, spread = self.options, one.observed.ray_spread
        if spread is None:
            return np.full(len(one.observed.rays), options.image_sd)
        return np.hypot(options.steady_sd, options.spread_weight * spread * metres)

    def shared_terms(self) -> list[SharedTerm]:
        """The terms of what all times share."""
        options = self.options
        terms: list[SharedTerm] = [UsualShape(self.shape_prior, options.shape_weight)]
        if self.height_m is not None:
            terms.append(KnownStature(self.model, self.height_m, options.height_sd))
        return [*terms, LandmarkScale(min(one.scale_sd for one in self.evidence))]

    def evaluate(self, state: FitState, terms: list[list[Term]]) -> ArrowEquations:
        """The robust cost at ``state`` and its normal equations."""
        turns, shapes = 3 * len(self.model.active), len(state.betas)
        systems: list[NormalEquations] = []
        moments: list[Moment] = []
        for time, of_time in enumerate(terms):
            moment = Moment(
                self.model,
                state.rotations[time],
                state.betas,
                state.translation[time],
                state.landmark_scale,
            )
            moments.append(moment)
            systems.append(NormalEquations(turns + shapes + 4))
            for term in of_time:
                term.add(systems[-1], moment)
        shared = NormalEquations(shapes + 1)
        for common in self.shared_terms():
            common.add(shared, state.betas, state.landmark_scale)
        coupling = None
        if self.dynamics is not None:
            coupling = self.dynamics.couple(moments)
        return ArrowEquations(systems, shared, turns, coupling)

    def minimize(self, state: FitState, iterations: int, tolerance: float) -> FitState:
        """Improve ``state``."""
        terms = self.terms(state)
        return levenberg_marquardt(
            state,
            self.model.active,
            lambda at: self.evaluate(at, terms),
            max_iterations=iterations,
            tolerance=tolerance,
        )
