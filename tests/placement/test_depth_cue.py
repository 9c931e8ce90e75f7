"""Sizes from statures, feet, the camera's height and readings, on people of sticks."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.networks.depth import CELL, SIDE, DepthMap, DepthNet
from vitruvian.placement.depth_order import (
    ROOT_BEHIND_SURFACE,
    DepthCue,
    Settled,
    cue_from_map,
    settle,
)
from vitruvian.placement.order import Occlusion
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

EYE = 1.5  # metres above the ground
LEVEL = np.array([0.0, -1.0, 0.0])


def stick(stature: float, distance: float, x: float = 0.0, up: np.ndarray = LEVEL) -> np.ndarray:
    """Points (V, 3) from the feet to the top of somebody, seen by a camera with that up."""
    # World: y up, the camera at (0, EYE, 0), looking along -z; then turned into the camera.
    heights = np.linspace(0, stature, 12)
    points = np.stack([np.full(12, x), EYE - heights, np.full(12, distance)], 1)
    axis = np.cross(LEVEL, up)
    angle = np.arctan2(np.linalg.norm(axis), LEVEL @ up)
    turn = np.eye(3)
    if np.linalg.norm(axis) > 0:
        turn = matrix_from_axis_angle(axis / np.linalg.norm(axis) * angle)
    return points @ turn.T


def settled(
    people: list[tuple[float, float, float]],
    *,
    up: np.ndarray = LEVEL,
    told_up: np.ndarray | None = None,
    eye: float = EYE,
    readings: list[float] | None = None,
    feet: list[float] | None = None,
    known: list[bool] | None = None,
) -> tuple[Settled, np.ndarray]:
    """Settle people given as (true stature, true distance, stature of the fit); returns true
    factors, too."""
    wrong = np.array([fit / true for true, _, fit in people])
    vertices = [
        stick(true, distance, x, up) * factor
        for (true, distance, _), factor, x in zip(people, wrong, np.linspace(-1, 1, len(people)),
                                                  strict=True)
    ]  # fmt: skip
    logs = np.full(len(people), np.nan) if readings is None else np.log(readings)
    cue = DepthCue(up if told_up is None else told_up, eye, logs, np.full(len(people), 0.05))
    found = settle(
        cue,
        vertices,
        np.array([points[:, 2].mean() for points in vertices]),
        np.array([fit for _, _, fit in people]),
        np.ones(len(people)) if feet is None else np.array(feet),
        np.zeros(len(people), bool) if known is None else np.array(known),
    )
    return found, 1 / wrong


def test_a_child_is_not_an_adult_far_away() -> None:
    people = [(1.75, 4.0, 1.75), (1.15, 4.2, 1.72), (1.68, 6.0, 1.68)]
    found, true = settled(people)
    assert np.allclose(found.scales, true, rtol=0.04)
    assert found.camera_height == pytest.approx(EYE, rel=0.04)


def test_a_child_alone_is_told_by_reading_and_camera_together() -> None:
    found, true = settled([(1.1, 3.0, 1.75)], readings=[3.0])
    assert np.allclose(found.scales, true, rtol=0.1)


def test_nobody_is_a_child_beyond_what_the_network_has_seen() -> None:
    near, _ = settled([(1.1, 8.0, 1.75), (1.7, 8.0, 1.7), (1.7, 9.0, 1.7)], readings=[8, 8, 9])
    far, _ = settled([(1.1, 40.0, 1.75), (1.7, 40.0, 1.7), (1.7, 45.0, 1.7)], readings=[8, 8, 9])
    assert near.scales[0] < 0.7
    assert np.allclose(far.scales, 1, rtol=0.02)


def test_up_is_shared_between_network_and_standing_people() -> None:
    told = matrix_from_axis_angle(np.array([0, 0, np.deg2rad(8)])) @ LEVEL
    cue = DepthCue(told, EYE, np.zeros(0), np.zeros(0))
    nobody = (np.zeros(0),) * 3
    found = settle(cue, [], *nobody, np.zeros(0, bool), up=LEVEL)
    assert np.rad2deg(np.arccos(found.up @ LEVEL)) == pytest.approx(4, abs=0.1)


def test_pitch_is_corrected_where_feet_tell() -> None:
    up = matrix_from_axis_angle(np.array([np.deg2rad(-12), 0, 0])) @ LEVEL
    told = matrix_from_axis_angle(np.array([np.deg2rad(-9), 0, 0])) @ LEVEL
    people = [(1.7, d, 1.7) for d in (3.0, 4.0, 6.0, 9.0)]
    found, true = settled(people, up=up, told_up=told)
    assert np.rad2deg(np.arccos(found.up @ up)) < 1.2
    assert np.allclose(found.scales, true, rtol=0.05)


def test_readings_decide_where_feet_are_not_seen() -> None:
    people = [(1.7, 5.0, 1.7), (1.2, 3.0, 1.7)]
    found, true = settled(people, feet=[0.0, 0.0], readings=[5.0, 3.0])
    assert true[1] < found.scales[1] < 0.92  # towards it, as far as adults can be believed
    assert found.scales[0] == pytest.approx(1, rel=0.05)
    silent, _ = settled(people, feet=[0.0, 0.0])
    assert np.allclose(silent.scales, 1, rtol=0.02)


def test_given_statures_stay() -> None:
    people = [(1.75, 4.0, 1.5), (1.7, 5.0, 1.7)]
    found, _ = settled(people, known=[True, False])
    assert found.scales[0] == pytest.approx(1, abs=0.01)


def test_statures_that_are_told_are_believed() -> None:
    vertices = [stick(1.7, 4.0, -1), stick(1.7, 5.0, 0), stick(1.2, 4.0, 1) * 1.4]
    depths, fitted = np.array([4.0, 5.0, 5.6]), np.array([1.7, 1.7, 1.68])
    cue = DepthCue(LEVEL, EYE, np.full(3, np.nan), np.ones(3))
    rest = (depths, fitted, np.ones(3), np.zeros(3, bool))
    unsure = settle(cue, vertices, *rest)
    sure = settle(cue, vertices, *rest, stature_sds=np.array([np.nan, np.nan, 0.02]))
    assert unsure.scales[2] < 0.85  # by the ground
    assert sure.scales[2] > 0.93


def test_who_may_be_a_child_is_one_where_ground_and_reading_agree() -> None:
    vertices = [stick(1.7, 4.0, -1), stick(1.7, 5.0, 0), stick(0.9, 4.0, 1) * 1.85]
    depths, fitted = np.array([4.0, 5.0, 7.4]), np.array([1.7, 1.7, 1.665])
    cue = DepthCue(LEVEL, EYE, np.log([4.0, 5.0, 4.0]), np.full(3, 0.25))
    rest = (depths, fitted, np.ones(3), np.zeros(3, bool), None, np.full(3, 0.1))
    perhaps = settle(cue, vertices, *rest, children=np.array([0.02, 0.02, 0.3]))
    assert perhaps.scales[2] == pytest.approx(1 / 1.85, rel=0.06)
    assert not perhaps.squeezed.any()
    assert settle(cue, vertices, *rest).scales[2] > 0.75


def test_who_is_hidden_may_be_nearer_and_as_tall() -> None:
    vertices = [stick(1.7, 4.0, -1), stick(1.7, 5.0, 0), stick(1.7, 7.5, 1)]
    depths, fitted = np.array([4.0, 5.0, 7.5]), np.full(3, 1.7)
    cue = DepthCue(LEVEL, EYE, np.log([4.0, 5.0, 4.4]), np.full(3, 0.22))
    feet, sds = np.array([1.0, 1.0, 0.0]), np.full(3, 0.06)
    rest = (depths, fitted, feet, np.zeros(3, bool), None, sds, np.full(3, 0.02))
    before = [Occlusion(2, 1, 0.9)]
    hidden = np.array([0.0, 0.0, 0.95])
    found = settle(cue, vertices, *rest, hidden=hidden, occlusions=before)
    assert found.squeezed.tolist() == [False, False, True]
    assert 7.5 * found.scales[2] < 5.0 * found.scales[1]
    unhidden = settle(cue, vertices, *rest, occlusions=before)
    assert not unhidden.squeezed.any()
    assert unhidden.scales[2] > 0.85


def test_somebody_on_a_chair_bends_the_others_little() -> None:
    people = [(1.7, d, 1.7) for d in (3.0, 4.0, 5.0)]
    vertices = [stick(t, d, x) for (t, d, _), x in zip(people, (-1, 0, 1), strict=True)]
    vertices[1] = vertices[1] + [0, -0.45, 0]  # feet in the air
    cue = DepthCue(LEVEL, EYE, np.log([3.0, 4.0, 5.0]), np.full(3, 0.08))
    found = settle(
        cue, vertices, np.array([3.0, 4.0, 5.0]), np.full(3, 1.7), np.ones(3), np.zeros(3, bool)
    )
    assert np.allclose(found.scales[[0, 2]], 1, rtol=0.12)


def test_nobody_at_all() -> None:
    cue = DepthCue(LEVEL, EYE, np.zeros(0), np.zeros(0))
    found = settle(cue, [], np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, bool))
    assert found.scales.shape == (0,)
    assert found.camera_height == pytest.approx(EYE, rel=1e-6)


def test_reading_is_the_median_over_the_matte() -> None:
    depth = np.full((40, 60), np.log(10.0), np.float32)
    depth[10:30, 20:30] = np.log(4.0)
    depth[10:13, 20:30] = np.log(9.0)  # a mistake in a few cells
    found = DepthMap(depth, np.full((40, 60), -3, np.float32), LEVEL, EYE, (0.1, 0.1))
    matte = np.zeros((400, 600), np.uint8)
    matte[100:300, 200:300] = 255
    tiny = np.zeros((400, 600), np.uint8)
    tiny[5, 5] = 255
    alphas = [Alpha(m, 0, 0, 600, 400) for m in (matte, tiny)]
    cue = cue_from_map(found, alphas)
    assert np.exp(cue.log_distances[0]) == pytest.approx(4.0 + ROOT_BEHIND_SURFACE, rel=1e-4)
    assert np.isnan(cue.log_distances[1])
    assert cue.distance_sds[0] > np.exp(-3)


def test_inputs_fit_the_network_and_rays_the_camera() -> None:
    camera = Camera(500.0, 640, 420, (300.0, 200.0))
    feed, scale = DepthNet.preprocess(np.zeros((420, 640, 3), np.uint8), camera)
    assert feed["image"].shape == (1, 192, 256, 3)
    assert feed["image"][0, :168].max() == 0
    assert (feed["image"][0, 168:] == 127).all()
    assert feed["rays"].shape == (1, 48, 64, 2)
    # The cell that holds the principal point.
    column, row = (int(p * s / CELL) for p, s in zip(camera.principal_point, scale, strict=True))
    assert np.abs(feed["rays"][0, row, column]).max() < CELL / SIDE


def test_horizon_and_slope_become_up() -> None:
    camera = Camera(500.0, 640, 480, (320.0, 240.0))
    up = np.array([0.1, -0.95, -0.25])
    up = up / np.linalg.norm(up)
    scale = SIDE / 640
    focal = 500 * scale / SIDE
    stand = np.array([[-up[2] / up[1] * focal, -up[0] / up[1], np.log(1.7)]])
    depth = np.zeros((1, 2, 64, 64), np.float32)
    found = DepthNet.postprocess(depth, stand, (480, 640), (scale, scale), camera)
    assert np.allclose(found.up, up)
    assert found.camera_height == pytest.approx(1.7)
    assert found.log_depth.shape == (48, 64)
    assert np.allclose(found.log_depth, np.log(focal))
