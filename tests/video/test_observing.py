"""People who are where they should be are looked at in passing; others make the frame searched."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vitruvian.exchange.given_frames import open_given_frames
from vitruvian.people.detection import detect
from vitruvian.people.landmarks import estimate_landmarks, expected_landmarks
from vitruvian.people.pose import pose_estimator
from vitruvian.types.camera import Camera
from vitruvian.types.keypoints import ANKLES, HIPS, LANDMARK_NAMES
from vitruvian.video import observing
from vitruvian.video.clip import Frame
from vitruvian.video.observing import Observer, _same_people

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person.jpg"


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    picture = cv2.cvtColor(cv2.imread(str(EXAMPLE)), cv2.COLOR_BGR2RGB)
    scale = 480 / picture.shape[0]
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def test_landmarks_of_hidden_legs_do_not_creep_onto_what_is_seen(pixels):
    height, width = pixels.shape[:2]
    observer = Observer(Camera.from_fov(50, width, height), detect_s=9.0)
    ((whole, _),) = observer.look(Frame(0, 0.0, pixels))
    behind = pixels.copy()
    behind[int(0.45 * whole.box[1] + 0.55 * whole.box[3]) :] = 90, 110, 60
    for number in range(1, 8):
        ((figure, _),) = observer.look(Frame(number, 0.03 * number, behind))
    assert observer.passing
    away = np.linalg.norm(figure.landmarks.points - whole.landmarks.points, axis=1) / whole.size
    assert away[HIPS].mean() < 0.04
    assert away[ANKLES].mean() < 0.1


def test_who_is_as_expected_is_not_searched_for(pixels, monkeypatch):
    searched, search = [], observing.find

    def counted(photo, given):
        searched.append(photo)
        return search(photo, given=given)

    monkeypatch.setattr(observing, "find", counted)
    height, width = pixels.shape[:2]
    observer = Observer(Camera.from_fov(50, width, height))
    figures = []
    for number, time_s in enumerate([0.0, 0.1, 0.6]):  # a search, in passing, a detection
        ((figure, _),) = observer.look(Frame(number, time_s, pixels))
        figures.append(figure)
    assert len(searched) == 1
    first, passing, careful = figures
    for other in (passing, careful):
        away = np.linalg.norm(other.landmarks.points - first.landmarks.points, axis=1)
        assert np.median(away) < 0.02 * first.size
        x0, y0, x1, y1 = 0, 0, width, height
        a, b = (one.alpha.window(x0, y0, x1, y1) > 127 for one in (first, other))
        assert (a & b).sum() / (a | b).sum() > 0.95
    # A face is worth a careful look.
    assert passing.face is None
    assert (careful.face is None) == (first.face is None)
    observer.look(Frame(3, 0.7, np.zeros_like(pixels)))  # lost
    assert len(searched) == 2


def test_the_picture_and_its_mirror_image_say_the_same(pixels):
    """One pass of either, as in passing, against both."""
    (person,) = detect(pixels).people
    both = estimate_landmarks(pixels, person, (), follow=False, retry=False)
    estimator = pose_estimator()
    told = estimator.body(pixels, both, None)
    for reflected in (False, True):
        one = expected_landmarks(pixels, person, reflected=reflected)
        assert one.features.shape == (1, both.features.shape[1])
        away = np.linalg.norm(one.points - both.points, axis=1)
        assert np.median(away) < 0.01 * person.size
        assert np.abs(one.world - both.world).max() < 0.1  # left is left in both
        assert ((one.mask > 0) == (both.mask > 0)).mean() > 0.97
        body = estimator.body(pixels, one, None)
        assert np.abs(body.keypoints - told.keypoints).max() < 0.1
        turn = body.rotations[0].T @ told.rotations[0]
        assert np.trace(turn) > 1 + 2 * np.cos(np.deg2rad(10))


def test_somebody_new_or_away_is_noticed(pixels):
    (person,) = detect(pixels).people
    two = detect(np.concatenate([pixels, pixels], axis=1)).people
    assert len(two) == 2
    (same,) = _same_people([person], [person])
    assert same is person
    assert _same_people([person], two) is None
    assert _same_people(two, two[:1]) is None


def test_keypoints_that_are_brought_along_say_who_is_there(pixels, tmp_path):
    height, width = pixels.shape[:2]
    camera = Camera.from_fov(50, width, height)
    ((seen, _),) = Observer(camera).look(Frame(0, 0.0, pixels))
    marks = seen.landmarks
    points = [
        {"name": name, "x": x + 9.0, "y": y, "score": 0.9}
        for name, (x, y) in zip(LANDMARK_NAMES, marks.points.tolist(), strict=True)
    ]
    (tmp_path / "0.json").write_text(json.dumps([{"keypoints": points}]))
    (tmp_path / "1.json").write_text(json.dumps({"people": []}))
    given = open_given_frames(tmp_path, None, width=width, height=height)
    observer = Observer(camera, given=given)
    ((told, _),) = observer.look(Frame(0, 0.0, pixels))
    assert np.allclose(told.landmarks.points, marks.points + [9.0, 0.0], atol=1e-6)
    assert observer.look(Frame(1, 0.1, pixels)) == []
    assert observer.look(Frame(2, 0.2, pixels)) == []  # of which nothing is told
