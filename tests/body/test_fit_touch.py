"""Hands before the body: found, drawn to what they lie on, left alone where they hold something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fit_people import CAMERA, estimate_of, photograph
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.solver import NormalEquations
from vitruvian.body.fit.terms import Moment
from vitruvian.body.fit.touch import PALMS, REST, TouchingHand, hands_before
from vitruvian.body.fit.views import View, gather
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.hints import Hint
from vitruvian.types.keypoints import ELBOWS
from vitruvian.types.regions import TRUNK

# Of a left arm whose hand lies on the belly.
_ARM = {
    "clavicle.L": (0.03, -0.04, 0.02), "upperarm01.L": (0.25, -0.42, -0.34),
    "lowerarm01.L": (-0.04, -0.68, -0.23), "wrist.L": (0.16, -0.04, -0.1),
}  # fmt: skip


def _somebody(ahead: float = 0.0, yaw: float = 0.0):
    """Betas, rotations, translation of somebody with a hand on the belly, or before it by turning
    the upper arm so many radians."""
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    for name, turn in _ARM.items():
        pose[model.joint_index[name]] = turn
    rotations = matrix_from_axis_angle(pose)
    shoulder = model.joint_index["upperarm01.L"]
    rotations[shoulder] = matrix_from_axis_angle(np.array([-ahead, 0, 0])) @ rotations[shoulder]
    upright = matrix_from_axis_angle(np.array([np.pi, 0, 0]))
    rotations[0] = upright @ matrix_from_axis_angle(np.array([0, yaw, 0]))
    return np.zeros(10), rotations, np.array([0.05, 0.1, 3.4])


def _evidence(betas, rotations, translation, **changes):
    figure, _ = photograph(betas, rotations, translation)
    figure = replace(figure, estimate=estimate_of(betas, rotations, translation), **changes)
    views = [View(figure, CAMERA)]
    return gather(body_model(), views, FitOptions(), None, silhouette=False)[0]


def _before(betas, rotations, translation, *, stands=True, **changes):
    model = body_model()
    vertices = model.forward_rotations(betas, rotations, translation).vertices
    points = _points(betas, rotations, translation)
    one = _evidence(betas, rotations, translation, **changes)
    return hands_before(model, one, vertices, points, model.stature(betas), stands=stands)


def _points(betas, rotations, translation):
    model = body_model()
    return model.evaluate(
        model.keypoints(), betas, rotations, translation, model.active, jacobian=False
    )[0]


def test_a_hand_on_the_belly_is_before_it():
    (contact,) = _before(*_somebody())
    assert contact.side == 0
    assert 0.0 < contact.gap < 0.03
    assert contact.rest == REST
    assert contact.lies > 0.8
    (away,) = _before(*_somebody(ahead=0.3))
    assert away.gap > contact.gap + 0.04
    assert away.lies < contact.lies - 0.1


def test_a_hand_far_before_the_body_is_left_alone():
    """As if it held a cup; of those who do not stand, nearer ones, too."""
    assert _before(*_somebody(ahead=1.0)) == ()
    assert len(_before(*_somebody(ahead=0.45))) == 1
    assert _before(*_somebody(ahead=0.45), stands=False) == ()


def test_a_hand_behind_the_body_is_not_before_it():
    assert _before(*_somebody(yaw=np.pi)) == ()


def test_hands_that_are_not_seen_or_whose_arm_the_user_directs_are_left_out():
    figure, _ = photograph(*_somebody())
    visibility = figure.landmarks.visibility.copy()
    visibility[PALMS[0]] = 0.1
    hidden = replace(figure.landmarks, visibility=visibility)
    assert _before(*_somebody(), landmarks=hidden) == ()
    assert _before(*_somebody(), hint=Hint(limbs={"left forearm": "towards"})) == ()
    assert len(_before(*_somebody(), hint=Hint(limbs={"right forearm": "towards"}))) == 1


def test_the_derivative_is_that_of_the_residual():
    model = body_model()
    betas, rotations, translation = _somebody(ahead=0.3)
    one = _evidence(betas, rotations, translation)
    (contact,) = _before(betas, rotations, translation)
    surface = model.vertex_points(np.array([contact.vertex]), 10)
    term = TouchingHand(one, contact, surface, 0.03, 0.1, 0.7)

    def system(step: np.ndarray) -> NormalEquations:
        moved = rotations.copy()
        turns = matrix_from_axis_angle(step[:-13].reshape(-1, 3))
        moved[model.active] = turns @ moved[model.active]
        moment = Moment(model, moved, betas + step[-13:-3], translation + step[-3:], 1.0)
        out = NormalEquations(len(step) + 1)
        term.add(out, moment)
        return out

    size = 3 * len(model.active) + 13
    slope = system(np.zeros(size)).gradient[:size]
    assert np.abs(slope).max() > 0.1
    for unknown in np.flatnonzero(np.abs(slope) > 0.05 * np.abs(slope).max()):
        step = 1e-5 * np.eye(size)[unknown]
        difference = (system(step).cost - system(-step).cost) / 2e-5
        assert 2 * slope[unknown] == pytest.approx(difference, rel=0.02, abs=1e-3)


@pytest.mark.parametrize(("ahead", "said", "stays"), [(0.0, 0.35, False), (0.8, 0.8, True)])
def test_a_hand_goes_to_the_belly_unless_it_is_far_before_it(ahead, said, stays):
    """The estimate has the arm ``said`` radians before the belly, and is not sure of it."""
    truth = _somebody(ahead)
    figure, _ = photograph(*truth)
    estimate = estimate_of(*_somebody(said))
    sd = estimate.keypoint_sd.copy()
    sd[[*PALMS[0], ELBOWS[0]], 1] = 0.05
    figure = replace(figure, estimate=replace(estimate, keypoint_sd=sd))

    def gap(weight: float) -> float:
        options = FitOptions(touch_weight=weight)
        body = fit_body(body_model(), figure, CAMERA, silhouette=False, options=options)
        points = _points(body.betas, matrix_from_axis_angle(body.pose), body.translation)
        palm = points[PALMS[0]].mean(0)
        ray = palm / np.linalg.norm(palm)
        trunk = body.vertices[body.model.regions.part == TRUNK]
        along = trunk @ ray
        behind = along[np.linalg.norm(trunk - along[:, None] * ray, axis=1) < 0.04]
        return float(behind.min() - palm @ ray) / body.height_m

    without, with_it = gap(0.0), gap(1.0)
    if stays:
        assert with_it > 0.9 * without > 0.1
    else:
        assert without > REST + 0.03
        assert abs(with_it - REST) < 0.5 * (without - REST)
