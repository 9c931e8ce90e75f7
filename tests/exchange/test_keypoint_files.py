"""Keypoints read from every layout, written and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.exchange.layouts import BODY_25, COCO_18
from vitruvian.exchange.picture import Picture
from vitruvian.exchange.read_keypoints import read_keypoints
from vitruvian.exchange.write_keypoints import (
    Keypoints,
    blazepose_json,
    coco_json,
    openpose_json,
)
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import COCO_LANDMARKS, COCO_NAMES, LANDMARK_NAMES, TOES

PICTURE = Picture("street", 640, 480)


def person(number: int = 1, scale: float = 1.0) -> Keypoints:
    rng = np.random.default_rng(number)
    points = rng.uniform([100, 50], [500, 450], (33, 2))
    seen = rng.uniform(0.1, 1, 33)
    world = rng.normal(0, 0.3, (33, 3))
    alpha = Alpha(np.full((400, 300), 255, np.uint8), 120, 40, 640, 480)
    box = np.array([120.0, 40, 420, 440])
    marks = Landmarks(points, seen, world, 0.0)
    figure = Figure(box, 0.9, marks, alpha, True, 1.0, number=number)
    return Keypoints(figure, points * scale, seen, world, scale)


def read(content: Any, tmp_path: Path, picture: Picture = PICTURE) -> Any:
    path = tmp_path / "points.json"
    path.write_text(json.dumps(content))
    return read_keypoints(path, picture)


def test_openpose_comes_back(tmp_path: Path) -> None:
    people = [person(1), person(2)]
    content = openpose_json(people)
    rows = np.reshape(content["people"][0]["pose_keypoints_2d"], (25, 3))
    assert rows[BODY_25.index("left_small_toe")].tolist() == [0, 0, 0]
    shoulders = people[0].points[[11, 12]].mean(0) - 0.5
    assert np.allclose(rows[BODY_25.index("neck"), :2], shoulders, atol=1e-3)
    back = read(content, tmp_path)
    known = [LANDMARK_NAMES.index(n) for n in BODY_25 if n in LANDMARK_NAMES]
    assert set(TOES) < set(known)
    for one, pose in zip(people, back, strict=True):
        assert np.allclose(pose.points[known], one.points[known], atol=1e-3)
        assert np.allclose(pose.confidence[known], one.confidence[known], atol=1e-3)
        others = np.setdiff1d(np.arange(33), known)
        assert np.isnan(pose.points[others]).all()
        assert not pose.known[others].any()


def test_openpose_with_eighteen_points(tmp_path: Path) -> None:
    rows = np.arange(54.0).reshape(18, 3)
    rows[:, 2] = 0.7
    (pose,) = read({"people": [{"pose_keypoints_2d": rows.reshape(-1).tolist()}]}, tmp_path)
    left_knee = LANDMARK_NAMES.index("left_knee")
    assert np.allclose(pose.points[left_knee], rows[COCO_18.index("left_knee"), :2] + 0.5)


def test_coco_comes_back(tmp_path: Path) -> None:
    people = [person(1), person(2)]
    content = coco_json(people, "street.jpg", 640, 480)
    back = read(content, tmp_path)
    for one, pose in zip(people, back, strict=True):
        points = pose.points[COCO_LANDMARKS]
        assert np.allclose(points, one.points[COCO_LANDMARKS], atol=0.01)
        seen = one.confidence[COCO_LANDMARKS] >= 0.5
        assert np.array_equal(pose.confidence[COCO_LANDMARKS], np.where(seen, 1.0, 0.5))


def test_coco_of_many_pictures(tmp_path: Path) -> None:
    content = coco_json([person(1)], "street.jpg", 640, 480)
    other = coco_json([person(2)], "beach.jpg", 640, 480)
    other["images"][0]["id"] = other["annotations"][0]["image_id"] = 2
    both = {key: content[key] + other[key] for key in ("images", "annotations")}
    (pose,) = read(both, tmp_path, Picture("beach", 640, 480))
    assert np.allclose(pose.points[0], person(2).points[0], atol=0.01)
    with pytest.raises(InputError, match="tell of other pictures, none of them lake"):
        read(both, tmp_path, Picture("lake", 640, 480))


def test_results_of_detectors_have_scores(tmp_path: Path) -> None:
    rows = np.column_stack([np.full(17, 30.0), np.full(17, 40.0), np.full(17, 0.25)])
    entry = {"image_id": 5, "category_id": 1, "keypoints": rows.reshape(-1).tolist(), "score": 0.9}
    (pose,) = read([entry], tmp_path)
    assert pose.confidence[0] == 0.25
    assert pose.points[0].tolist() == [30.5, 40.5]


def test_blazepose_comes_back(tmp_path: Path) -> None:
    people = [person(1), person(2)]
    content = blazepose_json(people, 640, 480)
    back = read(content, tmp_path)
    for one, pose in zip(people, back, strict=True):
        assert np.allclose(pose.points, one.points, atol=1e-3)
        assert np.allclose(pose.confidence, one.confidence, atol=1e-3)
    marks = content["landmarks"][0]
    (alone,) = read(marks, tmp_path)
    assert np.allclose(alone.points, people[0].points, atol=1e-3)


def test_pixels_of_tensorflow(tmp_path: Path) -> None:
    points = [
        {"x": 10.0 + i, "y": 20.0, "z": 0.1, "score": 0.8, "name": name}
        for i, name in enumerate(LANDMARK_NAMES)
    ]
    (pose,) = read([{"keypoints": points, "score": 0.9}], tmp_path)
    assert pose.points[3].tolist() == [13.0, 20.0]


def test_a_reduced_picture(tmp_path: Path) -> None:
    one = person(scale=2.0)
    content = coco_json([one], "street.jpg", 1280, 960)
    assert "segmentation" not in content["annotations"][0]
    (pose,) = read(content, tmp_path, Picture("street", 1280, 960, 0.5))
    seen = COCO_LANDMARKS
    assert np.allclose(pose.points[seen], one.figure.landmarks.points[seen], atol=0.02)


def test_a_folder_of_openpose(tmp_path: Path) -> None:
    path = tmp_path / "street_keypoints.json"
    path.write_text(json.dumps(openpose_json([person()])))
    assert len(read_keypoints(tmp_path, PICTURE)) == 1
    with pytest.raises(InputError, match="There are no keypoints") as caught:
        read_keypoints(tmp_path, Picture("lake", 640, 480))
    assert caught.value.code == "missing-file"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"people": []}, "tell of nobody in street"),
        ({"people": [{"pose_keypoints_2d": [0.0] * 75}]}, "tell of nobody in street"),
        ({"people": [{"pose_keypoints_2d": [1.0] * 45}]}, "have 15 points a person"),
        ({"people": [{"pose_keypoints_2d": ["a"] * 75}]}, "are laid out neither"),
        ({"people": [{}]}, "are laid out neither"),
        ({"people": [7]}, "are laid out neither"),
        ({"people": [{"pose_keypoints_2d": [1e9] * 75}]}, "are laid out neither"),
        ([{"x": 1.0, "y": 2.0}], "are laid out neither"),
        ({"annotations": 3}, "hold no list of COCO annotations"),
        ({"annotations": [{"image_id": 1, "keypoints": [1, 2]}]}, "are laid out neither"),
        ({"weather": "fine"}, "are laid out neither"),
        ([], "tell of nobody"),
        (17, "are laid out neither"),
    ],
)
def test_wrong_files(content: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        read(content, tmp_path)
    assert "\n" not in str(caught.value)


def test_no_json(tmp_path: Path) -> None:
    (tmp_path / "points.json").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match="are no JSON"):
        read_keypoints(tmp_path / "points.json", PICTURE)
    assert len(COCO_NAMES) == 17
