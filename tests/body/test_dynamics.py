"""Times that are tied together, on bodies whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.fit.coupling import Coupling, banded_solution
from vitruvian.body.fit.dynamics import Dynamics, Floor, MotionOptions, quickness_of
from vitruvian.body.fit.motion import fit_motion
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.solver import ArrowEquations, NormalEquations
from vitruvian.body.fit.terms import Moment
from vitruvian.body.fit.views import View
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.keypoints import WRISTS

RATE_HZ = 25.0


def walk(frames: int, noise_px: float = 4.0):
    """Somebody who glides to the right and turns: betas, times, views and true root positions."""
    betas, rotations, translation = random_body(3)
    times = np.arange(frames) / RATE_HZ
    views, places = [], []
    for number, time_s in enumerate(times):
        turned = rotations.copy()
        turned[0] = rotations[0] @ matrix_from_axis_angle(np.array([0, 0.8 * time_s, 0]))
        places.append(translation + [0.5 * time_s - 0.2, 0, 0])
        figure, _ = photograph(betas, turned, places[-1], noise_px=noise_px, seed=number)
        views.append(View(figure, CAMERA, number))
    return betas, times, views, np.stack(places)


def dynamics_of(times, **changes) -> Dynamics:
    count = len(times)
    known = {"still": np.zeros((count - 1, 2, 2), bool), "touching": np.zeros((count, 2, 2), bool)}
    return Dynamics(times, MotionOptions(), **(known | changes))


@pytest.mark.parametrize("times", [1, 2, 5, 6])
def test_blocks_beside_the_diagonal_are_solved_as_the_whole_matrix(times):
    rng = np.random.default_rng(times)
    size = 4
    rows = rng.normal(size=(3 * times * size, times * size))
    dense = rows.T @ rows + 5 * np.eye(times * size)
    blocks = dense.reshape(times, size, times, size).transpose(0, 2, 1, 3)
    own = np.stack([blocks[t, t] for t in range(times)])
    beside = np.zeros((2, times, size, size))
    banded = np.zeros_like(dense).reshape(times, size, times, size).transpose(0, 2, 1, 3)
    for t in range(times):
        banded[t, t] = own[t]
        for d in (1, 2):
            if t + d < times:
                beside[d - 1, t] = blocks[t + d, t] / 10
                banded[t + d, t], banded[t, t + d] = beside[d - 1, t], beside[d - 1, t].T
    sides = rng.normal(size=(times, size, 2))
    whole = banded.transpose(0, 2, 1, 3).reshape(times * size, -1)
    expected = np.linalg.solve(whole, sides.reshape(times * size, 2)).reshape(sides.shape)
    np.testing.assert_allclose(banded_solution(own, beside, sides), expected, atol=1e-9)


def moments_of(places, turns) -> list[Moment]:
    model = body_model()
    betas, rotations, _ = random_body(3)
    out = []
    for place, turn in zip(places, turns, strict=True):
        turned = rotations.copy()
        turned[model.active] = matrix_from_axis_angle(turn) @ rotations[model.active]
        out.append(Moment(model, turned, betas, place, 1.0))
    return out


def test_derivatives_of_the_coupling_are_those_of_its_cost():
    rng = np.random.default_rng(0)
    count = len(body_model().active)
    times = np.array([0.0, 0.04, 0.08, 0.14])
    places = np.array([0.2, 0.1, 3.4]) + 0.01 * rng.normal(size=(4, 3))
    turns = 0.01 * rng.normal(size=(4, count, 3))
    up = np.array([0.0, -1, 0])
    dynamics = dynamics_of(
        times,
        still=np.array([[[True, True], [False, True]]] * 3),
        touching=np.array([[[True, True], [False, True]]] * 4),
        quickness=rng.uniform(0.5, 1, (4, 3)),
        floor=Floor(up, -1.2, np.array([0.03, 0.02])),
    )

    def cost(places, turns) -> float:
        return dynamics.couple(moments_of(places, turns)).cost

    coupling = dynamics.couple(moments_of(places, turns))
    step = 1e-5
    for time, axis in ((0, 0), (2, 1), (3, 2)):
        there, back = places.copy(), places.copy()
        there[time, axis] += step
        back[time, axis] -= step
        slope = (cost(there, turns) - cost(back, turns)) / (2 * step)
        # The cost is the sum of squares, the gradient half of its derivative.
        assert 2 * coupling.gradient[time, 3 * count + axis] == pytest.approx(slope, rel=1e-3)


def test_an_uncoupled_system_is_solved_as_before():
    rng = np.random.default_rng(1)
    systems = []
    for _ in range(3):
        system = NormalEquations(6 + 2 + 4)
        system.add(rng.normal(size=20), rng.normal(size=(20, 12)))
        systems.append(system)
    shared = NormalEquations(3)
    shared.add(rng.normal(size=4), rng.normal(size=(4, 3)))
    plain = ArrowEquations(systems, shared, 6).step(1e-3)
    tied = ArrowEquations(systems, shared, 6, Coupling(3, 9)).step(1e-3)
    for one, other in zip(plain, tied, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.fixture(scope="module")
def solved():
    betas, times, views, places = walk(10)
    options = FitOptions(iterations=15, contour_rounds=0)
    known = {"betas": betas, "options": options, "silhouette": False}
    alone = fit_motion(body_model(), views, times, **known)
    tied = fit_motion(body_model(), views, times, dynamics=dynamics_of(times), **known)
    gap = [view for view in views if view.time not in (4, 5)]
    filled = fit_motion(body_model(), gap, times, dynamics=dynamics_of(times), **known)
    return times, places, alone, tied, filled


def acceleration(motion) -> float:
    return float(np.linalg.norm(np.diff(motion.translation, n=2, axis=0), axis=1).mean())


def test_tied_times_are_steadier_and_nearer_to_the_truth(solved):
    _, places, alone, tied, _ = solved
    assert acceleration(tied) < 0.2 * acceleration(alone)
    errors = [np.linalg.norm(m.translation - places, axis=1).mean() for m in (alone, tied)]
    assert errors[1] < errors[0]


def test_the_shape_that_is_known_stays(solved):
    *_, tied, _ = solved
    betas, _, _ = random_body(3)
    np.testing.assert_allclose(tied.betas, betas, atol=0.02)


def test_times_without_a_view_are_filled_in(solved):
    *_, tied, filled = solved
    away = np.linalg.norm(filled.translation - tied.translation, axis=1)
    assert away[[4, 5]].max() < 0.05
    _, times, views, _ = walk(4, 0.0)
    with pytest.raises(ValueError, match="last of 4 times"):
        fit_motion(body_model(), views[:-1], times, dynamics=dynamics_of(times))


def test_standing_feet_stay_and_are_on_the_floor():
    betas, times, views, _ = walk(8)
    model = body_model()
    options = FitOptions(iterations=15, contour_rounds=0)
    known = {"betas": betas, "options": options, "silhouette": False}
    up, soles = np.array([0.0, -1, 0]), np.array([0.03, 0.02])
    free = fit_motion(model, views, times, dynamics=dynamics_of(times), **known)

    def feet(motion):
        turns = matrix_from_axis_angle(motion.pose)
        pairs = zip(turns, motion.translation, strict=True)
        points = model.keypoints()
        return np.stack(
            [model.evaluate(points, betas, r, t, model.active, jacobian=False)[0] for r, t in pairs]
        )[:, [29, 31]]

    level = float((feet(free)[..., :] @ up - soles).mean()) + 0.02
    dynamics = dynamics_of(
        times,
        still=np.tile([[True, True], [False, False]], (7, 1, 1)),
        touching=np.tile([[True, True], [False, False]], (8, 1, 1)),
        floor=Floor(up, level, soles),
    )
    held = fit_motion(model, views, times, dynamics=dynamics, begin=free, **known)
    slides = [np.linalg.norm(np.diff(feet(m), axis=0), axis=2).mean() for m in (free, held)]
    assert slides[1] < 0.3 * slides[0]
    heights = [np.abs(feet(m) @ up - soles - level).mean() for m in (free, held)]
    assert heights[1] < heights[0]


def test_the_quiet_are_held_more_firmly_by_part():
    times = np.arange(30) / RATE_HZ
    points = np.zeros((30, 33, 3))
    points[:, WRISTS[0], 0] = np.where(times > 0.6, 0.2 * np.sin(12 * times), 0)
    quick = quickness_of(points, times, MotionOptions())
    assert quick.shape == (30, 3)
    assert (quick[:, :2] == quick.min()).all()  # trunk, elbows and knees
    assert quick[-5, 2] > quick[3, 2] == quick.min()
    assert quick.max() <= 1
    assert quickness_of(points[:2], times[:2], MotionOptions()).tolist() == [[1, 1, 1]] * 2
