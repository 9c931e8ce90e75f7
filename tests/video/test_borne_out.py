"""Which landmarks a matte bears out against a motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.fit.motion import fit_motion
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.views import View
from vitruvian.body.model.model import body_model
from vitruvian.types.keypoints import ANKLES, HEELS, TOES, WRISTS
from vitruvian.video.borne_out import borne_out


@pytest.fixture(scope="module")
def seen():
    """Somebody's figure, and their landmarks in the camera's frame."""
    betas, rotations, translation = random_body(5)
    model = body_model()
    figure, _ = photograph(betas, rotations, translation)
    points, _ = model.evaluate(
        model.keypoints(), betas, rotations, translation, model.active, jacobian=False
    )
    return figure, points


def moved(points, marks, by):
    out = points.copy()
    out[marks] += by
    return out


def test_a_foot_where_nobody_is_is_not_believed(seen):
    figure, points = seen
    foot = [ANKLES[0], HEELS[0], TOES[0]]
    away = moved(points, foot, [0.5, 0, 0])
    assert np.flatnonzero(borne_out(figure, CAMERA, away)).tolist() == sorted(foot)


def test_what_agrees_and_what_is_on_the_person_is_left_alone(seen):
    figure, points = seen
    assert not borne_out(figure, CAMERA, points).any()
    foot = [ANKLES[0], HEELS[0], TOES[0]]
    trunk = points[[11, 12, 23, 24]].mean(0)
    inside = moved(points, foot, trunk - points[foot].mean(0))
    assert not borne_out(figure, CAMERA, inside).any()


def test_two_landmarks_of_a_foot_are_no_kick(seen):
    figure, points = seen
    away = moved(points, [ANKLES[0], HEELS[0]], [0.5, 0, 0])
    assert not borne_out(figure, CAMERA, away).any()


def test_where_all_of_the_motion_is_elsewhere_it_is_not_one_limb(seen):
    figure, points = seen
    assert not borne_out(figure, CAMERA, points + [0.2, 0, 0]).any()


def test_a_landmark_off_the_person_bears_nothing_out(seen):
    figure, points = seen
    marks = figure.landmarks
    strayed = marks.points.copy()
    foot = [ANKLES[0], HEELS[0], TOES[0]]
    strayed[foot] += [300, -200]
    figure = replace(figure, landmarks=replace(marks, points=strayed))
    away = moved(points, foot, [-0.5, 0, 0])
    assert not borne_out(figure, CAMERA, away).any()


def test_a_landmark_that_is_sure_pulls_from_afar(seen):
    """A wrist 40 cm from where the other evidence has it."""
    figure, points = seen
    marks = figure.landmarks
    far = marks.points.copy()
    wrist = int(WRISTS[0])
    far[wrist] += [0, -0.4 * CAMERA.focal_px / points[wrist, 2]]
    figure = replace(figure, landmarks=replace(marks, points=far))
    betas = random_body(5)[0]
    model = body_model()
    left = []
    for sure in (None, np.arange(33) == wrist):
        motion = fit_motion(
            model,
            [View(figure, CAMERA, sure=sure)],
            [0.0],
            betas=betas,
            silhouette=False,
            options=FitOptions(iterations=30),
        )
        body = model.forward(motion.betas, motion.pose[0], motion.translation[0])
        joint = body.joints[model.joint_index["wrist.L"]]
        left.append(np.linalg.norm(CAMERA.project(joint) - far[wrist]))
    assert left[1] < 0.8 * left[0]
