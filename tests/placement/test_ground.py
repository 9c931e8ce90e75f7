"""Ground plane and sizes from simulated groups whose truth is known."""

import numpy as np
import pytest

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.placement.ground import STATURE_SD, fit_ground, world_from_ground

LEVEL_UP = np.array([0.0, -1.0, 0.0])


def group(true_statures, assumed_statures, camera_height=1.5, pitch_deg=0.0):
    """Feet in the camera frame as a fit that believes ``assumed_statures`` would place them."""
    up = matrix_from_axis_angle(np.array([np.deg2rad(pitch_deg), 0, 0])) @ LEVEL_UP
    forward = np.array([0.0, 0.0, 1.0]) - up[2] * up
    forward /= np.linalg.norm(forward)
    count = len(true_statures)
    distance = np.linspace(3.0, 7.0, count)
    aside = np.linspace(-1.0, 1.0, count)
    feet = distance[:, None] * forward + aside[:, None] * np.array([1.0, 0, 0]) - camera_height * up
    return feet * (np.asarray(assumed_statures) / np.asarray(true_statures))[:, None], up


def test_adults_of_equal_stature_keep_their_size():
    feet, _ = group([1.7] * 4, [1.7] * 4)
    ground = fit_ground(feet, np.full(4, 1.7), np.ones(4), LEVEL_UP, np.full(4, STATURE_SD))
    assert ground is not None
    np.testing.assert_allclose(ground.scales, 1, atol=0.01)
    assert ground.camera_height == pytest.approx(1.5, abs=0.02)


def test_child_taken_for_a_distant_adult_becomes_a_child():
    feet, _ = group([1.75, 1.65, 1.1, 1.7], [1.7, 1.7, 1.7, 1.7])
    ground = fit_ground(feet, np.full(4, 1.7), np.ones(4), LEVEL_UP, np.full(4, STATURE_SD))
    assert ground is not None
    assert 1.7 * ground.scales[2] == pytest.approx(1.1, abs=0.08)
    assert np.abs(1.7 * ground.scales[[0, 1, 3]] - [1.75, 1.65, 1.7]).max() < 0.06


def test_pitch_of_the_camera_is_corrected():
    feet, up = group([1.7] * 5, [1.7] * 5, pitch_deg=4)
    ground = fit_ground(feet, np.full(5, 1.7), np.ones(5), LEVEL_UP, np.full(5, STATURE_SD))
    assert ground is not None
    assert np.rad2deg(np.arccos(ground.up @ up)) < 2.5  # degrees of the 4 that were wrong


def test_known_stature_stays_and_carries_the_others():
    feet, _ = group([1.5, 1.9, 1.9], [1.5, 1.7, 1.7])
    sd = np.array([0.002, STATURE_SD, STATURE_SD])
    ground = fit_ground(feet, np.array([1.5, 1.7, 1.7]), np.ones(3), LEVEL_UP, sd)
    assert ground is not None
    assert ground.scales[0] == pytest.approx(1, abs=0.01)
    assert (ground.scales[1:] > 1).all()


def test_unseen_feet_and_single_people_tell_nothing():
    feet, _ = group([1.7] * 3, [1.7] * 3)
    sd = np.full(3, STATURE_SD)
    assert fit_ground(feet, np.full(3, 1.7), np.array([1.0, 0, 0]), LEVEL_UP, sd) is None


def test_world_is_right_handed_with_people_facing_plus_z():
    up = matrix_from_axis_angle(np.array([0.2, 0, 0.1])) @ LEVEL_UP
    origin = np.array([0.3, 1.2, 4.0])
    matrix = world_from_ground(up, origin)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(matrix[:3, :3] @ up, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(matrix[:3, :3] @ origin + matrix[:3, 3], 0, atol=1e-12)
    towards_camera = matrix[:3, :3] @ -origin
    assert towards_camera[2] > 0
