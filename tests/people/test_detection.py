"""Merging detections, and who needs another look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.networks.nanodet import Boxes
from vitruvian.people import detection
from vitruvian.people.detection import (
    Detection,
    _confirmed,
    detect,
    keypoint_distance,
    merge,
    same_person,
)


def person(x=100.0, y=50.0, height=200.0, score=0.6, seed=0):
    spread = np.random.default_rng(seed).uniform(0.05, 0.95, (17, 2))
    size = np.array([0.4 * height, height])
    box = np.array([x, y, x + size[0], y + size[1]])
    return Detection(box, score, np.array([x, y]) + spread * size, np.full(17, 0.8))


def moved(detection, dx, dy):
    offset = np.array([dx, dy])
    return replace(
        detection,
        box=detection.box + np.tile(offset, 2),
        keypoints=detection.keypoints + offset,
        score=detection.score - 0.1,
    )


def test_the_same_pose_a_little_moved_is_one_person():
    first = person()
    again = moved(first, 4, -6)
    assert same_person(first, again)
    assert merge([again, first]) == [first]


def test_people_side_by_side_stay_two():
    first, second = person(), moved(person(), 80, 0)
    assert merge([first, second]) == [first, second]


def test_two_poses_in_crossing_boxes_stay_two():
    first, second = person(seed=1), moved(person(seed=2), 40, 10)
    assert keypoint_distance(first, second) > 0.2
    assert len(merge([first, second])) == 2


def test_one_right_behind_the_other_stays():
    first, behind = person(), moved(person(), 25, 0)
    assert merge([first, behind]) == [first, behind]


def test_whom_both_networks_see_faintly_is_there(monkeypatch):
    first, behind = person(), moved(person(score=0.3), 40, 0)
    image = np.zeros((300, 300, 3), np.uint8)
    empty = np.array([200.0, 40, 290, 250])
    boxes = Boxes(np.stack([first.box, behind.box, empty]), np.array([0.9, 0.25, 0.3]))
    monkeypatch.setattr(detection, "look_into", lambda *_: [])
    added, others = _confirmed(image, [first], [replace(behind, score=0.15)], boxes)
    np.testing.assert_array_equal([one.box for one in added], [behind.box])
    np.testing.assert_array_equal(others, [empty])
    added, others = _confirmed(image, [first], [], boxes)  # NanoDet alone is not enough
    assert added == []
    np.testing.assert_array_equal(others, [empty])


def test_distance_is_free_of_scale():
    first, second = person(), moved(person(), 12, 5)
    half = [replace(p, box=p.box / 2, keypoints=p.keypoints / 2) for p in (first, second)]
    assert keypoint_distance(*half) == pytest.approx(keypoint_distance(first, second))


def test_unseen_keypoints_do_not_count():
    first = person()
    scores = first.keypoint_scores.copy()
    scores[10:] = 0.01
    keypoints = first.keypoints.copy()
    keypoints[10:] += 500
    other = replace(first, keypoints=keypoints, keypoint_scores=scores)
    assert keypoint_distance(first, other) == 0


@pytest.mark.parametrize("value", [0, 128, 255])
def test_nobody_in_an_even_picture(value):
    assert detect(np.full((240, 320, 3), value, np.uint8)).people == []


def test_nobody_in_noise():
    noise = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert detect(noise).people == []
