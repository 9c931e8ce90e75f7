"""Whether a whole figure is in view: the rule on landmarks, and what a body estimate adds."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vitruvian.networks.session import weights_manifest
from vitruvian.people.completeness import THRESHOLD, completeness
from vitruvian.people.crops import Crop
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.pose import pose_estimator
from vitruvian.types.estimate import BodyEstimate


def upright(feet_y: float = 280.0) -> LandmarkEstimate:
    """Somebody who stands straight in a picture of 200 x 300 pixels."""
    points = np.zeros((33, 2))
    heights = {
        range(0, 11): 40, range(11, 13): 70, range(13, 15): 110, range(15, 23): 145,
        range(23, 25): 150, range(25, 27): 210, range(27, 33): feet_y,
    }  # fmt: skip
    for rows, y in heights.items():
        for k in rows:
            points[k] = 100 + (12 if k % 2 else -12), y
    world = np.concatenate([(points - points[23:25].mean(0)) / 140, np.zeros((33, 1))], axis=1)
    ones = np.ones(33)
    crop = Crop(np.array([100.0, 150.0]), np.array([0.0, -1.0]), 350.0)
    features = np.random.default_rng(0).uniform(0, 1, (2, 3744)).astype(np.float32)
    return LandmarkEstimate(points, ones, ones, world, crop, 0.99, 0.01, 0.2, None, features)


def seen_whole(probability: float) -> Any:
    return SimpleNamespace(whole=np.array([probability, 1 - probability, 0.0]))


def test_without_a_body_estimate_the_rule_decides() -> None:
    assert completeness(upright(), 200, 300) > 0.9
    assert completeness(upright(feet_y=400), 200, 300) < THRESHOLD


def test_both_must_believe_it() -> None:
    assert completeness(upright(), 200, 300, seen_whole(0.95)) > 0.9
    assert completeness(upright(), 200, 300, seen_whole(0.1)) < THRESHOLD
    assert completeness(upright(feet_y=400), 200, 300, seen_whole(1.0)) < THRESHOLD
    doubtful = completeness(upright(), 200, 300, seen_whole(0.5))
    assert THRESHOLD < doubtful < completeness(upright(), 200, 300)


def body_of(landmarks: LandmarkEstimate, width: int, height: int) -> BodyEstimate | None:
    return pose_estimator().body(np.zeros((height, width, 3), np.uint8), landmarks, None)


def test_no_features_no_estimate() -> None:
    assert body_of(replace(upright(), features=None), 200, 300) is None


@pytest.mark.skipif("cues" not in weights_manifest(), reason="the weights are not shipped")
def test_estimates_are_of_the_person_and_not_of_the_pictures_size() -> None:
    small = body_of(upright(), 200, 300)
    one = upright()
    large = body_of(replace(one, points=3 * one.points), 600, 900)
    assert small is not None
    assert large is not None
    assert np.allclose(small.keypoints, large.keypoints, atol=1e-4)
    assert small.groups.sum() == pytest.approx(1)
    # y points down: the head is above the hips, the feet below.
    assert small.keypoints[0, 1] < -0.2
    assert small.keypoints[27:29, 1].min() > 0.2
