"""What body estimates do to a fit: priors by kind of person, stature, pose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fit_people import CAMERA, estimate_of, photograph, random_body
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.fit.kind import believed_kind, group_weights
from vitruvian.body.fit.problem import FitProblem
from vitruvian.body.fit.shape_prior import shape_prior
from vitruvian.body.model.model import body_model
from vitruvian.body.model.parts import legs_and_feet_shown, part_of_vertex
from vitruvian.body.model.skeleton import ACTIVE_JOINTS
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.hints import Hint
from vitruvian.result.body_file import describe_body
from vitruvian.types.keypoints import HIPS, SHOULDERS
from vitruvian.types.seen import BODY_PARTS


def test_without_estimate_or_height_people_are_adults():
    model = body_model()
    prior = shape_prior(model, 10)
    assert np.allclose(prior.mean, model.shape_prior("adults", 10).mean)


def test_a_sure_group_has_its_own_statistics_when_the_height_is_given():
    model = body_model()
    women = model.shape_prior("women", 10)
    kind = believed_kind([estimate_of(*random_body(1), group="women")], hint=Hint(sex="woman"))
    prior = shape_prior(model, 10, model.stature(women.mean), kind)
    assert np.allclose(prior.mean, women.mean, atol=0.15)
    assert model.describe_shape(prior.mean)["gender"] > 0.8
    # A stature that no woman has overrules everything.
    small = shape_prior(model, 10, 0.95, kind)
    assert model.describe_shape(small.mean)["maturity"] < 0.5


def test_somebody_is_a_child_or_grown_up_but_nothing_between():
    model = body_model()
    doubtful = estimate_of(*random_body(2), groups=np.array([0.3, 0.3, 0.05, 0.2, 0.15]))
    grown = shape_prior(model, 10, None, believed_kind([doubtful]))
    assert model.describe_shape(grown.mean)["maturity"] > 0.95
    assert model.stature(grown.mean) == pytest.approx(1.7, abs=0.03)
    likely = replace(doubtful, groups=np.array([0.1, 0.1, 0.05, 0.45, 0.3]))
    child = shape_prior(model, 10, None, believed_kind([likely]))
    assert model.describe_shape(child.mean)["maturity"] < 0.7
    headless = np.array([[0.1, 0.8, 0.1], *likely.parts[1:]])
    unknown = shape_prior(model, 10, None, believed_kind([replace(likely, parts=headless)]))
    assert model.describe_shape(unknown.mean)["maturity"] > 0.95
    # Children are rarer in photographs than where the estimates were learnt.
    assert group_weights([doubtful])["schoolchildren"] < 0.2
    assert sum(group_weights([doubtful]).values()) == pytest.approx(1)


def test_sex_moves_the_stature():
    model = body_model()
    means = {}
    for group in ("men", "women"):
        prior = shape_prior(
            model, 10, None, believed_kind([estimate_of(*random_body(2), group=group)])
        )
        means[group] = model.stature(prior.mean)
    assert means["men"] > means["women"] + 0.08


def test_an_estimate_makes_a_child_of_a_child():
    model = body_model()
    _, rotations, translation = random_body(7)
    betas = model.shape_prior("small children", 10).mean
    figure, truth = photograph(betas, rotations, translation * 0.7, noise_px=1.0)
    estimate = estimate_of(betas, rotations, translation * 0.7, group="small children")
    adult = fit_body(body_model(), figure, CAMERA, silhouette=False)
    child = fit_body(body_model(), replace(figure, estimate=estimate), CAMERA, silhouette=False)
    assert adult.height_m > 1.4
    assert child.height_m == pytest.approx(model.stature(betas), abs=0.08)
    assert np.linalg.norm(child.vertices - truth, axis=1).mean() < 0.15


def test_an_estimate_settles_what_wrong_depths_confuse():
    """Depth signs of limbs are the networks' commonest error: an estimate must overrule them."""
    betas, rotations, translation = random_body(6)
    model = body_model()
    bent = matrix_from_axis_angle(np.array([-1.3, 0, 0]))
    for side in "LR":
        rotations[model.joint_index[f"upperleg01.{side}"]] = bent
        rotations[model.joint_index[f"lowerleg01.{side}"]] = bent.T
    figure, truth = photograph(betas, rotations, translation)
    world = figure.landmarks.world.copy()
    world[25:, 2] *= -1  # knees and feet on the wrong side
    confused = replace(figure, landmarks=replace(figure.landmarks, world=world))
    estimate = estimate_of(betas, rotations, translation)

    def error(body):
        away = (body.vertices - body.joints[0]) - (truth - translation)
        return np.linalg.norm(away, axis=1).mean()

    without = error(fit_body(body_model(), confused, CAMERA, silhouette=False))
    with_estimate = error(
        fit_body(body_model(), replace(confused, estimate=estimate), CAMERA, silhouette=False)
    )
    assert with_estimate < 0.06
    assert with_estimate < 0.5 * without


def test_parts_that_the_estimate_calls_cut_count_where_landmarks_agree():
    parts = np.tile([0.97, 0.02, 0.01], (5, 1))
    parts[3:] = [0.1, 0.85, 0.05]
    betas, rotations, translation = random_body(5)
    figure, _ = photograph(betas, rotations, translation)
    estimate = estimate_of(betas, rotations, translation, parts=parts)
    sure = replace(figure, estimate=estimate)
    assert fit_body(body_model(), sure, CAMERA, silhouette=False).seen.complete
    visibility = figure.landmarks.visibility.copy()
    visibility[25:] = 0.1
    doubtful = replace(sure, landmarks=replace(figure.landmarks, visibility=visibility))
    body = fit_body(body_model(), doubtful, CAMERA, silhouette=False)
    cut = ("thigh", "lower leg", "foot")
    assert body.seen.cut == tuple(f"{side} {part}" for part in cut for side in ("left", "right"))
    described = describe_body(body)
    assert described["guessed"] == list(body.seen.unseen)
    assert {"foot.L", "toes.R"} < set(described["uncertain"]) < set(ACTIVE_JOINTS)
    assert "head" not in described["uncertain"]


def test_what_hides_the_legs_does_not_squeeze_the_body():
    betas, rotations, translation = random_body(4)
    figure, truth = photograph(betas, rotations, translation)
    points, visibility = figure.landmarks.points.copy(), figure.landmarks.visibility.copy()
    level = points[HIPS, 1].mean()
    above = points[SHOULDERS, 1].mean()
    points[23:, 1] = above + 0.5 * (points[23:, 1] - above)
    visibility[25:] = 0.1
    values = figure.alpha.values.copy()
    values[int(level) - figure.alpha.y :] = 0  # behind a wall
    behind = replace(
        figure,
        landmarks=replace(figure.landmarks, points=points, visibility=visibility),
        alpha=replace(figure.alpha, values=values),
    )
    height = body_model().stature(betas)

    def error(hidden, overlapped=False, **options):
        parts = np.tile([1.0, 0, 0], (5, 1))
        parts[3:] = [1 - hidden, 0, hidden]
        told = estimate_of(betas, rotations, translation, parts=parts)
        told = replace(behind, estimate=told, overlapped=overlapped)
        body = fit_body(body_model(), told, CAMERA, height_m=height, **options)
        return np.linalg.norm(body.vertices - truth, axis=1).mean()

    squeezed = error(0.0, silhouette=False)
    alone = error(1.0, silhouette=False)
    assert alone < 0.5 * squeezed
    assert error(1.0) < 1.1 * alone
    # What estimates say of those whom others overlap, and little doubt, change nothing.
    assert error(1.0, overlapped=True, silhouette=False) == pytest.approx(squeezed)
    assert error(0.24, silhouette=False) == pytest.approx(squeezed)


def test_legs_count_as_far_as_they_are_in_view():
    betas, rotations, translation = random_body(4)
    figure, _ = photograph(betas, rotations, translation)
    assert legs_and_feet_shown(figure) == (1, 1)
    parts = np.tile([1.0, 0, 0], (5, 1))
    parts[3:, 2] = 0.7, 0.4
    estimate = estimate_of(betas, rotations, translation, parts=parts)
    told = replace(figure, estimate=estimate)
    assert legs_and_feet_shown(told) == pytest.approx((0.4, 0.4))  # feet of hidden legs are hidden
    assert legs_and_feet_shown(replace(told, overlapped=True)) == (1, 1)
    estimate.parts[3, 2] = 0.2
    assert legs_and_feet_shown(told) == pytest.approx((1, 0.8))


def test_outlines_of_hidden_parts_do_not_count(monkeypatch):
    betas, rotations, translation = random_body(4)
    figure, _ = photograph(betas, rotations, translation)
    parts = np.tile([1.0, 0, 0], (5, 1))
    parts[3] = [0.25, 0, 0.75]
    parts[1:3] = [0, 0, 1]  # behind the own body
    estimate = estimate_of(betas, rotations, translation, parts=parts)
    seen = []
    minimize = FitProblem.minimize

    def noted(self, *arguments):
        seen.extend(self.contours.values())
        return minimize(self, *arguments)

    monkeypatch.setattr(FitProblem, "minimize", noted)
    fit_body(body_model(), replace(figure, estimate=estimate), CAMERA)
    targets = seen[-1]
    part = np.array(BODY_PARTS)[part_of_vertex(body_model())[targets.vertices]]
    legs, chest, arms = (
        targets.weights[np.char.endswith(part, name)] for name in ("thigh", "chest", "arm")
    )
    assert min(len(legs), len(chest), len(arms)) > 5
    assert legs.max() == pytest.approx(chest.max() / 3)
    assert arms.max() == pytest.approx(chest.max())


def test_a_fit_that_slides_away_is_done_again_without_the_estimate(monkeypatch):
    betas, rotations, translation = random_body(9)
    figure, _ = photograph(betas, rotations, translation)
    told = replace(figure, estimate=estimate_of(betas, rotations, translation))
    without = fit_body(body_model(), figure, CAMERA, silhouette=False)
    minimize = FitProblem.minimize

    def sliding(self, state, iterations, tolerance):
        state = minimize(self, state, iterations, tolerance)
        factor = 1.0 if self.evidence[0].target is None else 5.0
        return replace(state, translation=factor * state.translation)

    assert not np.array_equal(
        fit_body(body_model(), told, CAMERA, silhouette=False).betas, without.betas
    )
    monkeypatch.setattr(FitProblem, "minimize", sliding)
    assert np.array_equal(
        fit_body(body_model(), told, CAMERA, silhouette=False).betas, without.betas
    )
