"""The frame that landmarks are read in, and how outputs become body estimates."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ACTIVE_JOINTS
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.networks import body_estimate
from vitruvian.networks.body_estimate import (
    INPUTS,
    BodyEstimateNetwork,
    combined,
    framed,
    matrix_from_six,
)
from vitruvian.networks.session import weights_manifest
from vitruvian.types import estimate


def somebody(seed=0):
    """Landmarks of two people in a picture of 400 x 300 pixels."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(20, 280, (2, 33, 2))
    return points, rng.uniform(0, 1, (2, 33)), rng.normal(0, 0.4, (2, 33, 3))


def frame(points, visibility, world, size=(400, 300)):
    return framed(points, visibility, world, np.full(2, 0.02), size, np.full(2, 500.0))


def test_the_encoding_has_the_networks_width():
    encoded = frame(*somebody()).encoded()
    assert encoded.shape == (2, INPUTS)
    assert encoded.dtype == np.float32
    assert np.isfinite(encoded).all()
    unknown = framed(*somebody(), np.zeros(2), (400, 300), np.full(2, np.nan))
    assert np.isfinite(unknown.encoded()).all()


def test_mirroring_twice_changes_nothing_and_once_is_the_mirror_image():
    points, visibility, world = somebody(1)
    straight = frame(points, visibility, world)
    for field in fields(straight):
        twice = getattr(straight.mirrored().mirrored(), field.name)
        assert np.array_equal(getattr(straight, field.name), twice), field.name
    reflected = frame(
        (points * [-1, 1] + [400, 0])[:, body_estimate.MIRROR],
        visibility[:, body_estimate.MIRROR],
        (world * [-1, 1, 1])[:, body_estimate.MIRROR],
    )
    assert np.allclose(reflected.encoded(), straight.mirrored().encoded(), atol=1e-5)


def test_turning_and_enlarging_the_person_changes_neither_points_nor_world():
    points, visibility, world = somebody(2)
    turn = matrix_from_axis_angle(np.array([0, 0, 0.7]))
    before = frame(points, visibility, world)
    after = frame(3 * points @ turn[:2, :2].T, visibility, 2 * world @ turn.T)
    assert np.allclose(after.points, before.points)
    assert np.allclose(after.world, before.world)
    assert np.allclose(after.size_px, 3 * before.size_px)
    # What is seen in the frame goes back to the camera by its rotation.
    assert np.allclose(after.rotation, turn @ before.rotation)
    assert np.allclose(before.points[:, [11, 12]].mean(1)[:, 0], 0, atol=1e-9)
    assert (before.points[:, [11, 12]].mean(1)[:, 1] < 0).all()


def test_joints_have_their_counterparts():
    model = body_model()
    names = [model.joint_names[model.joint_mirror[j]] for j in model.active]
    assert [ACTIVE_JOINTS[k] for k in body_estimate.JOINT_MIRROR] == names
    assert len(ACTIVE_JOINTS) == estimate.JOINTS


def outputs(seed):
    rng = np.random.default_rng(seed)
    shapes = {
        "groups": (5,), "stature": (2,), "betas": (20,), "keypoints": (33, 3),
        "keypoint_sd": (33, 2), "rotations": (22, 6), "rotation_sd": (22,), "parts": (5, 3),
        "whole": (3,),
    }  # fmt: skip
    return {name: rng.normal(size=(1, *shape)) for name, shape in shapes.items()}


def test_a_network_that_agrees_with_itself_in_the_mirror_is_taken_at_its_word():
    raw = outputs(3)
    turns = matrix_from_six(raw["rotations"])
    flip = np.diag([-1.0, 1.0, 1.0])
    reflected = (flip @ turns[:, body_estimate.JOINT_MIRROR] @ flip)[..., :2]
    mirror = {
        **raw,
        "keypoints": raw["keypoints"][:, body_estimate.MIRROR] * [-1, 1, 1],
        "keypoint_sd": raw["keypoint_sd"][:, body_estimate.MIRROR],
        "rotations": np.concatenate([reflected[..., 0], reflected[..., 1]], -1),
        "rotation_sd": raw["rotation_sd"][:, body_estimate.JOINT_MIRROR],
    }
    turn = matrix_from_axis_angle(np.array([0, 0, 0.4]))
    found = combined({n: np.concatenate([raw[n], mirror[n]]) for n in raw}, turn)
    assert np.allclose(found.keypoints, raw["keypoints"][0] @ turn.T)
    assert np.allclose(found.rotations[1:], turns[0, 1:])
    assert np.allclose(found.rotations[0], turn @ turns[0, 0])
    assert np.allclose(found.keypoint_sd, np.exp(raw["keypoint_sd"][0]))
    assert found.groups.sum() == pytest.approx(1)
    assert found.stature_m == pytest.approx(np.exp(raw["stature"][0, 0]))
    assert sum(found.part("hands").values()) == pytest.approx(1)
    assert np.allclose(np.linalg.det(found.rotations), 1)


@pytest.mark.skipif("cues" not in weights_manifest(), reason="the weights are not shipped")
def test_the_shipped_network_knows_its_left_from_its_right():
    """BodyEstimate of a picture and of its mirror image are each other's mirror image."""
    points, visibility, world = somebody(4)
    one = framed(points[:1], visibility[:1], world[:1], np.zeros(1), (400, 300), np.full(1, np.nan))
    features = np.random.default_rng(5).uniform(0, 1, (2, 3744)).astype(np.float32)
    straight = BodyEstimateNetwork()(features, one)
    mirror = BodyEstimateNetwork()(features[::-1], one.mirrored())
    assert np.allclose(
        mirror.keypoints, (straight.keypoints * [-1, 1, 1])[body_estimate.MIRROR], atol=1e-3
    )
    assert mirror.female == pytest.approx(straight.female, abs=1e-3)
    flip = np.diag([-1.0, 1.0, 1.0])
    turned = flip @ straight.rotations[body_estimate.JOINT_MIRROR] @ flip
    assert np.allclose(mirror.rotations, turned, atol=1e-2)
