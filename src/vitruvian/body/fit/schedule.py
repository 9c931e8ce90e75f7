"""What a fit does in which order: landmarks, straight knees, rounds of outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.fit.clothes import Clothes
from vitruvian.body.fit.contour import match_outline, model_edges
from vitruvian.body.fit.dynamics import Dynamics
from vitruvian.body.fit.observations import translation_guess
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.pose_prior import pose_prior
from vitruvian.body.fit.problem import FitProblem
from vitruvian.body.fit.shape_prior import shape_prior
from vitruvian.body.fit.solver import FitState
from vitruvian.body.fit.touch import hands_before
from vitruvian.body.fit.views import Evidence, View, gather, kind_of
from vitruvian.body.model.model import BodyModel, ShapePrior
from vitruvian.body.model.parts import legs_shown
from vitruvian.body.model.skeleton import KNEES
from vitruvian.geometry.rotations import (
    axis_angle_from_matrix,
    matrix_from_axis_angle,
    rigid_alignment,
)
from vitruvian.types.body import Body
from vitruvian.types.keypoints import HIPS, TORSO

_KNOWN_SHAPE_SD = 1e-3
_MOST_STRAYED = 2.0  # factor on the distance by which a fit may leave where it began


@dataclass(frozen=True)
class Solved:
    """What the schedule ends with.

    Attributes:
        state: the unknowns.
        evidence: that it fits; without the body estimates that it could not agree with.
    """

    state: FitState
    evidence: tuple[Evidence, ...]


def solve(
    model: BodyModel,
    views: Sequence[View],
    options: FitOptions,
    *,
    height_m: float | None = None,
    silhouette: bool = True,
    starts: Sequence[Body] | None = None,
    betas: np.ndarray | None = None,
    dynamics: Dynamics | None = None,
    begin: FitState | None = None,
    clothes: Clothes | None = None,
) -> Solved:
    """Fit one shape, and a pose at each time, to all views.

    Args:
        model: of the body.
        views: their times are 0 to T - 1, each at least once; with ``dynamics`` times between may
            have none.
        options: standard deviations and counts.
        height_m: stature where it is known.
        silhouette: use the mattes.
        starts: (T) bodies fitted to these views with another stature, to set out from.
        betas: (K,) of the shape where it is known; it stays.
        dynamics: what ties the times together.
        begin: where to set out from instead; the landmarks have had their say there.
        clothes: whose outline the mattes show; None where they are not known.
    """
    if betas is not None:
        height_m = model.stature(betas)
    evidence = gather(model, views, options, height_m, silhouette=silhouette)
    if betas is None:
        shapes = shape_prior(model, options.shapes, height_m, kind_of(views))
    else:
        shapes = ShapePrior(betas, np.eye(len(betas)) / _KNOWN_SHAPE_SD)
    problem = FitProblem(
        model,
        evidence,
        pose_prior(),
        shapes,
        options,
        height_m,
        dynamics=dynamics,
        clothes=clothes,
    )
    first = begin or _initial_state(model, evidence, shapes.mean)
    outlined = any(one.outline is not None for one in evidence)
    if begin is not None:
        state, rounds = begin, 0
    elif starts is not None and outlined:
        # Their poses have followed the outlines already.
        state, rounds = _resized(first, starts, model.active, height_m), 1
    else:
        state, rounds = problem.minimize(first, options.iterations, options.tolerance), 0
    strayed = _strayed(evidence, first, state)
    if strayed:
        # Too little is in view for the pictures to hold against estimates that err: without them.
        alone = [_without_estimate(view) if view.time in strayed else view for view in views]
        return solve(
            model,
            alone,
            options,
            height_m=height_m,
            silhouette=silhouette,
            betas=betas,
            dynamics=dynamics,
            clothes=clothes,
        )
    problem = replace(problem, straight=_nearly_straight(model, state, options))
    if not outlined:
        problem = _matched(problem, state, first_round=True)
        state = problem.minimize(state, options.contour_iterations, 1e-3)
    for number in range(rounds, options.contour_rounds if outlined else 0):
        problem = _matched(problem, state, first_round=number == 0)
        state = problem.minimize(state, options.contour_iterations, 1e-3)
        if not problem.contours:
            break
    return Solved(state, evidence)


def _initial_state(model: BodyModel, evidence: Sequence[Evidence], betas: np.ndarray) -> FitState:
    """At each time the pose that its first view's estimate suggests, else rest turned by the
    torso's landmarks; where rays and landmarks agree best."""
    at_rest = np.tile(np.eye(3), (len(model.joint_names), 1, 1))
    rest = _keypoints(model, betas, at_rest)
    poses, places = [], []
    seen = sorted({one.view.time for one in evidence})
    for time in range(1 + seen[-1]):
        if time not in seen:  # like the last that was seen, or the first that is
            time = max((other for other in seen if other < time), default=seen[0])
        one = next(each for each in evidence if each.view.time == time)
        rotations = at_rest.copy()
        if one.target is not None:
            rotations[model.active] = one.target.rotations
        else:
            turn = rigid_alignment(rest[TORSO], one.observed.world[TORSO])
            rotations[model.active[0]] = one.turned(turn)
        hips = one.placed(translation_guess(one.observed))
        poses.append(rotations)
        places.append(hips - _keypoints(model, betas, rotations)[HIPS].mean(0))
    return FitState(np.stack(poses), np.stack(places), betas)


def _keypoints(model: BodyModel, betas: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Where (33, 3) the keypoints are with the root joint at the origin."""
    points = model.keypoints()
    return model.evaluate(points, betas, rotations, np.zeros(3), model.active, jacobian=False)[0]


def _resized(
    state: FitState, starts: Sequence[Body], active: np.ndarray, height_m: float | None
) -> FitState:
    """``state`` with bodies' poses, at the distances that go with the stature."""
    rotations, translation = state.rotations.copy(), []
    for turns, body in zip(rotations, starts, strict=True):
        turns[active] = matrix_from_axis_angle(body.pose[active])
        factor = 1.0 if height_m is None else height_m / body.height_m
        translation.append(body.translation * factor)
    return replace(state, rotations=rotations, translation=np.stack(translation))


def _strayed(evidence: Sequence[Evidence], first: FitState, state: FitState) -> set[int]:
    """Times with a body estimate at which the fit left for half or double its distance."""
    out = set()
    for one in evidence:
        time = one.view.time
        factor = one.depth(state.translation[time]) / one.depth(first.translation[time])
        if one.target is not None and not 1 / _MOST_STRAYED < factor < _MOST_STRAYED:
            out.add(time)
    return out


def _without_estimate(view: View) -> View:
    return replace(view, figure=replace(view.figure, estimate=None))


def _nearly_straight(
    model: BodyModel, state: FitState, options: FitOptions
) -> tuple[tuple[int, ...], ...]:
    """Of each time the knees, as rows of ``model.active``, that are bent but a little.

    Along the view a knee's place is hardly seen, and means over many poses, priors' and networks'
    alike, bend it; but people who stand, stand on straight legs.
    """
    knees = [int(np.flatnonzero(model.active == model.joint_index[name])[0]) for name in KNEES]
    bends = axis_angle_from_matrix(state.rotations[:, model.active[knees]])  # (T, 2, 3)
    straight = np.linalg.norm(bends, axis=2) < options.straight_below
    return tuple(
        tuple(knee for knee, keep in zip(knees, row, strict=True) if keep) for row in straight
    )


def _matched(problem: FitProblem, state: FitState, *, first_round: bool) -> FitProblem:
    """The problem with the hands that are before the body now, and new targets for every outline
    for which some were found."""
    model, contours, hands = problem.model, dict(problem.contours), {}
    stature = model.stature(state.betas)
    for number, one in enumerate(problem.evidence):
        by_estimate = one.target is not None and problem.options.touch_weight > 0
        if one.outline is None and not by_estimate:
            continue
        turns, place = state.rotations[one.view.time], state.translation[one.view.time]
        vertices = one.seen(model.forward_rotations(state.betas, turns, place).vertices)
        if by_estimate:
            points = one.seen(_keypoints(model, state.betas, turns) + place)
            stands = bool(problem.straight) and len(problem.straight[one.view.time]) == 2
            hands[number] = hands_before(model, one, vertices, points, stature, stands=stands)
        if one.outline is None:
            continue
        shown = None
        if problem.clothes is not None:
            vertices, shown = problem.clothes.posed(turns, place), problem.clothes.faces
            vertices = one.seen(vertices)
        targets = match_outline(
            one.outline,
            vertices,
            model.faces,
            model_edges(model),
            first_round=first_round,
            shown=shown,
        )
        if targets is not None:
            # Where something hides the legs, the matte's outline is that thing's.
            shown = legs_shown(model, one.view.figure)[targets.vertices]
            contours[number] = replace(targets, weights=targets.weights * shown)
    return replace(problem, contours=contours, hands=hands)
