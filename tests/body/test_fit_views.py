"""One person seen by several cameras and at several times, on bodies whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.fit.contour import match_outline, mesh_edges
from vitruvian.body.fit.fit import fit_body, fit_views
from vitruvian.body.fit.motion import fit_motion
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.pose_prior import pose_prior
from vitruvian.body.fit.problem import FitProblem
from vitruvian.body.fit.schedule import _initial_state
from vitruvian.body.fit.shape_prior import shape_prior
from vitruvian.body.fit.solver import FitState
from vitruvian.body.fit.views import View, gather
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle

NOISE_PX = 4.0


def beside(yaw: float, distance: float = 3.4) -> np.ndarray:
    """``camera_from_reference`` of a camera that looks at the same place from another side."""
    matrix = np.eye(4)
    matrix[:3, :3] = matrix_from_axis_angle(np.array([0, yaw, 0]))
    middle = np.array([0.2, 0.1, distance])
    matrix[:3, 3] = middle - matrix[:3, :3] @ middle
    return matrix


def view_of(betas, rotations, translation, *, time=0, matrix=None, seed=0) -> View:
    """What a camera sees of a body that is given in the reference frame."""
    if matrix is not None:
        rotations = rotations.copy()
        rotations[0] = matrix[:3, :3] @ rotations[0]
        translation = matrix[:3, :3] @ translation + matrix[:3, 3]
    figure, _ = photograph(betas, rotations, translation, noise_px=NOISE_PX, seed=seed)
    return View(figure, CAMERA, time, matrix)


def several_times(seed: int, count: int):
    """One shape in several poses and turns: betas, and a view of each time."""
    betas, _, _ = random_body(seed)
    people = [random_body(30 + 10 * seed + time, yaw=0.7 * time)[1:] for time in range(count)]
    views = [view_of(betas, *pose, time=time, seed=time) for time, pose in enumerate(people)]
    return betas, views


def shape_error(betas, truth) -> float:
    """Mean distance in metres of bodies at rest, apart from their size."""
    model = body_model()
    found, wanted = model.rest(betas)[0], model.rest(truth)[0]
    found = found * (model.stature(truth) / model.stature(betas))
    offset = found.mean(0) - wanted.mean(0)
    return float(np.linalg.norm(found - wanted - offset, axis=1).mean())


@pytest.mark.parametrize("seed", [22, 23])
def test_the_shape_that_times_share_is_known_better_than_from_one_of_them(seed):
    model = body_model()
    truth, views = several_times(seed, 5)
    alone = [fit_body(model, view.figure, CAMERA) for view in views]
    together = fit_views(model, views)
    assert len(together) == len(views)
    for body in together:
        assert np.array_equal(body.betas, together[0].betas)
        assert body.keypoint_error < 0.012
    single = [shape_error(body.betas, truth) for body in alone]
    assert shape_error(together[0].betas, truth) < 0.85 * np.mean(single)
    # Poses stay each time's own.
    for body, other in zip(together, alone, strict=True):
        turns = matrix_from_axis_angle(body.pose[0]).T @ matrix_from_axis_angle(other.pose[0])
        assert np.trace(turns) > 1 + 2 * np.cos(np.deg2rad(8))


def test_a_motion_is_the_same_fit_without_the_meshes():
    model = body_model()
    _, views = several_times(21, 3)
    options = FitOptions(iterations=6, contour_rounds=1)
    bodies = fit_views(model, views, options=options)
    motion = fit_motion(model, views, [0.0, 0.1, 0.2], options=options)
    np.testing.assert_array_equal(motion.pose, [body.pose for body in bodies])
    np.testing.assert_array_equal(motion.translation, [body.translation for body in bodies])
    np.testing.assert_array_equal(motion.betas, bodies[0].betas)
    assert motion.joint_names == model.joint_names


@pytest.mark.parametrize("seed", [3, 5])
def test_two_calibrated_views_tell_more_than_one(seed):
    model = body_model()
    betas, rotations, translation = random_body(seed)
    truth = model.forward_rotations(betas, rotations, translation)
    front = view_of(betas, rotations, translation)
    side = view_of(betas, rotations, translation, matrix=beside(np.pi / 2), seed=1)

    def errors(body):
        """Of all vertices where they are, and of the stature, metres."""
        vertices = np.linalg.norm(body.vertices - truth.vertices, axis=1).mean()
        return float(vertices), abs(body.height_m - model.stature(betas))

    (one,), (two,) = fit_views(model, [front]), fit_views(model, [front, side])
    assert errors(two)[0] < 0.4 * errors(one)[0]
    assert errors(two)[0] < 0.035
    assert errors(two)[1] < max(0.03, 0.5 * errors(one)[1])
    # Seen from either camera, it is the person.
    assert two.keypoint_error < 0.01


def test_a_view_from_another_frame_alone_is_fitted_as_in_its_own():
    model = body_model()
    betas, rotations, translation = random_body(4)
    matrix = beside(0.6)
    options = FitOptions(contour_rounds=0)
    aside = view_of(betas, rotations, translation, matrix=matrix)
    (own,) = fit_views(model, [View(aside.figure, CAMERA)], options=options)
    (found,) = fit_views(model, [aside], options=options)
    moved = found.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.abs(moved - own.vertices).max() < 1e-3
    assert found.keypoint_error == pytest.approx(own.keypoint_error, rel=1e-3)


def test_every_time_needs_a_view():
    figure, _ = photograph(*random_body(5))
    for views in ([], [View(figure, CAMERA, 1)]):
        with pytest.raises(ValueError, match="times 0 to T - 1"):
            fit_views(body_model(), views)


def whole_problem() -> tuple[FitProblem, FitState]:
    """Two times, one of them seen by two cameras, with outlines and straight knees."""
    model, options = body_model(), FitOptions()
    betas, rotations, translation = random_body(2)
    later = random_body(6)[1:]
    views = [
        view_of(betas, rotations, translation),
        view_of(betas, rotations, translation, matrix=beside(0.8), seed=1),
        view_of(betas, *later, time=1, seed=2),
    ]
    evidence = gather(model, views, options, 1.7, silhouette=True)
    shapes = shape_prior(model, options.shapes, 1.7)
    state = _initial_state(model, evidence, shapes.mean)
    contours = {}
    for number, one in enumerate(evidence):
        time = one.view.time
        posed = model.forward_rotations(state.betas, state.rotations[time], state.translation[time])
        vertices = one.seen(posed.vertices)
        edges = mesh_edges(model.faces)
        found = match_outline(one.outline, vertices, model.faces, edges, first_round=True)
        assert found is not None
        contours[number] = found
    knees = (16, 17)
    problem = FitProblem(
        model, evidence, pose_prior(), shapes, options, 1.7, contours, (knees, knees[:1])
    )
    return problem, state


def test_gradients_agree_with_finite_differences():
    problem, state = whole_problem()
    terms = problem.terms(state)
    system = problem.evaluate(state, terms)
    own, shared = system.own_gradient, system.shared_gradient
    nothing = np.zeros_like(own), np.zeros_like(shared)

    def slope(own_step, shared_step):
        def cost(sign):
            moved = state.stepped(sign * own_step, sign * shared_step, problem.model.active)
            return problem.evaluate(moved, terms).cost

        return (cost(1) - cost(-1)) / 2e-6

    # The priors' axis-angle is linearised about rest poses: exact where joints are at rest.
    for index in np.ndindex(own.shape):
        step = nothing[0].copy()
        step[index] = 1e-6
        assert 2 * own[index] == pytest.approx(slope(step, nothing[1]), rel=2e-3, abs=2e-2), index
    for index in range(len(shared)):
        step = nothing[1].copy()
        step[index] = 1e-6
        assert 2 * shared[index] == pytest.approx(slope(nothing[0], step), rel=2e-3, abs=2e-2)


def test_the_step_is_that_of_the_dense_equations():
    problem, state = whole_problem()
    system = problem.evaluate(state, problem.terms(state))
    times, size, _ = system._own.shape
    common = len(system.shared_gradient)
    dense = np.zeros((times * size + common, times * size + common))
    dense[-common:, -common:] = system._common
    for time in range(times):
        rows = slice(time * size, (time + 1) * size)
        dense[rows, rows] = system._own[time]
        dense[rows, -common:] = system._cross[time]
        dense[-common:, rows] = system._cross[time].T
    damping = 0.01
    dense += damping * np.diag(np.diag(dense) + 1e-6)
    gradient = np.concatenate([system.own_gradient.ravel(), system.shared_gradient])
    wanted = -np.linalg.solve(dense, gradient)
    own, shared = system.step(damping)
    np.testing.assert_allclose(np.concatenate([own.ravel(), shared]), wanted, rtol=1e-6, atol=1e-9)
