"""Limbs that the user says point towards the camera or away from it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fit_people import CAMERA, estimate_of, photograph, random_body
from vitruvian.body.fit import limbs as fitted_limbs
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.hints import LIMBS, Hint
from vitruvian.result.body_file import describe_body


def _body_of(lift: float):
    """Somebody who holds a straight left arm before them, towards the camera, by an angle."""
    betas, rotations, translation = random_body(6)
    model = body_model()
    for name, angle in (("upperarm01.L", -lift), ("lowerarm01.L", 0.0)):
        rotations[model.joint_index[name]] = matrix_from_axis_angle(np.array([angle, 0, 0]))
    return betas, rotations, translation


@cache
def _wrong_figure():
    """A figure whose landmarks and estimate have the left arm on the wrong side, and the true
    joints."""
    betas, rotations, translation = _body_of(0.6)
    figure, _ = photograph(betas, rotations, translation)
    wrong = _body_of(-0.6)
    world = figure.landmarks.world.copy()
    arm = [13, 15, 17, 19, 21]
    world[arm, 2] = 2 * world[11, 2] - world[arm, 2]
    confused = replace(
        figure, landmarks=replace(figure.landmarks, world=world), estimate=estimate_of(*wrong)
    )
    return confused, body_model().forward_rotations(betas, rotations, translation).joints


def _tilts(body) -> dict[str, float]:
    """Of each limb the sine by which it goes away from the camera."""
    out = {}
    for limb in fitted_limbs.LIMBS.values():
        ends = [body.joint(limb.joint), body.joint(limb.end)]
        along = ends[1] - ends[0]
        out[limb.name] = along @ ends[0] / np.linalg.norm(along) / np.linalg.norm(ends[0])
    return out


def test_the_limbs_are_those_of_the_hints():
    assert tuple(sorted(fitted_limbs.LIMBS)) == tuple(sorted(LIMBS))


@pytest.mark.parametrize("estimated", [True, False])
def test_an_arm_goes_where_the_user_says(estimated):
    figure, joints = _wrong_figure()
    if not estimated:
        figure = replace(figure, estimate=None)
    hand = body_model().joint_index["wrist.L"]
    said = Hint(limbs={"left upper arm": "towards", "left forearm": "towards"})
    bodies = [
        fit_body(body_model(), replace(figure, hint=hint), CAMERA, silhouette=False)
        for hint in (None, said)
    ]
    plain, right = (_tilts(body) for body in bodies)
    assert plain["left upper arm"] > 0.1
    assert max(right["left upper arm"], right["left forearm"]) < -0.15
    hands = [(body.joints[hand] - body.joints[0]) - (joints[hand] - joints[0]) for body in bodies]
    away = [np.linalg.norm(one) for one in hands]
    assert away[1] < 0.4 * away[0]


def test_what_is_said_holds_against_everything_else():
    """Even limbs of which the evidence is right and sure follow the word of the user."""
    betas, rotations, translation = _body_of(0.6)
    figure, _ = photograph(betas, rotations, translation)
    figure = replace(figure, estimate=estimate_of(betas, rotations, translation))
    before = _tilts(fit_body(body_model(), figure, CAMERA, silhouette=False))
    for name in ("left forearm", "right upper arm", "left thigh", "right lower leg"):
        said = "towards" if before[name] > 0 else "away"
        told = replace(figure, hint=Hint(limbs={name: said}))
        after = _tilts(fit_body(body_model(), told, CAMERA, silhouette=False))
        assert after[name] * (1 if said == "away" else -1) > 0.1, name


def test_what_is_so_already_changes_nothing_much():
    figure, _ = _wrong_figure()
    told = replace(figure, hint=Hint(limbs={"left upper arm": "away"}))
    bodies = [fit_body(body_model(), one, CAMERA, silhouette=False) for one in (figure, told)]
    assert np.abs(bodies[0].joints - bodies[1].joints).max() < 0.005


def _doubtful(points: list[int]):
    """Somebody of whose left arm the estimate does not know how deep points of it are."""
    betas, rotations, translation = _body_of(0.6)
    figure, _ = photograph(betas, rotations, translation)
    estimate = estimate_of(betas, rotations, translation)
    sd = estimate.keypoint_sd.copy()
    sd[points, 1] = 0.2
    return replace(figure, estimate=replace(estimate, keypoint_sd=sd))


def test_the_other_pose_is_an_alternative_where_the_estimate_is_in_doubt():
    figure = _doubtful([15])
    body = fit_body(body_model(), figure, CAMERA, silhouette=False)
    (other,) = body.alternatives
    assert (other.limb, other.direction) == ("left forearm", "away")
    # 0.11 statures towards the camera, of a standard deviation of 0.2.
    assert 0.25 < other.probability < 0.35
    assert _tilts(body)["left forearm"] < -0.3
    assert _tilts(other.body)["left forearm"] > 0.1
    described = json.loads(json.dumps(describe_body(body)))["alternatives"]
    assert [one["limbs"] for one in described] == [{"left forearm": "away"}]
    assert described[0]["joints"]["wrist.L"] != describe_body(body)["joints"]["wrist.L"]
    # Saying so makes it the pose, and then nothing is in doubt.
    told = replace(figure, hint=Hint(limbs=described[0]["limbs"]))
    said = fit_body(body_model(), told, CAMERA, silhouette=False)
    assert np.allclose(said.joints, other.body.joints, atol=1e-6)
    assert said.alternatives == ()


def test_there_is_no_alternative_where_the_estimate_is_sure():
    sure = fit_body(body_model(), _doubtful([]), CAMERA, silhouette=False)
    without = replace(_doubtful([15]), estimate=None)
    assert sure.alternatives == ()
    assert fit_body(body_model(), without, CAMERA, silhouette=False).alternatives == ()
