"""Faces of people: which are seen, and what is made of what the networks say."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vitruvian.image.photo import load_photo
from vitruvian.networks.face_mesh import EYELIDS, LEFT_EYE, RIGHT_EYE
from vitruvian.networks.faces import TEMPLATE
from vitruvian.people.faces import FacePoints, fused_age, read_face, woman_log_odds
from vitruvian.people.finder import find_people
from vitruvian.types.figure import Alpha
from vitruvian.types.keypoints import LANDMARK_NAMES


def test_aligned_crops_bring_the_points_to_the_template():
    turn = np.deg2rad(25)
    matrix = 80 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = TEMPLATE @ matrix.T + [200, 300]
    crop = FacePoints(points).aligned()
    np.testing.assert_allclose(crop.to_image(TEMPLATE, 1), points, atol=1e-9)
    assert crop.side == pytest.approx(80)


def test_a_level_crop_has_the_eyes_level_and_the_mouth_below():
    points = np.array([[100.0, 110], [130, 100], [122, 140]])
    crop = FacePoints(points).level()
    right, left, mouth = (points - crop.center) @ crop.rotation / crop.side + 0.5
    assert right[1] == pytest.approx(left[1])
    assert right[0] < 0.5 < left[0]
    assert mouth[1] > 0.5 > right[1]


def test_log_odds_add_up_within_limits_and_fade_with_size():
    assert woman_log_odds(0.5, 0.5, 60) == pytest.approx(0)
    assert woman_log_odds(0.9, 0.8, 60) == pytest.approx(0.25 * np.log(9) + 1.25 * np.log(4))
    assert woman_log_odds(0.9, 0.8, 15) == pytest.approx(0.75 * woman_log_odds(0.9, 0.8, 20))
    assert woman_log_odds(1, 1, 60) == 6
    assert woman_log_odds(0, 0, 60) == -6


def test_ages_that_differ_are_less_sure():
    assert fused_age((30, 2), (30, 5)) == pytest.approx((30, 5))
    age, deviation = fused_age((9, 2), (30, 5))
    assert age == pytest.approx(23)
    assert deviation == pytest.approx(np.hypot(7, 5))


@pytest.fixture(scope="module")
def yoga(shared_data):
    photo = load_photo(shared_data("photos") / "s060_tfjsmodels.jpg")
    (figure,) = find_people(photo, max_people=1)
    return photo, figure


def test_a_face_is_read(yoga):
    _, figure = yoga
    face = figure.face
    assert face is not None
    assert face.width_px == pytest.approx(44.9, abs=3)
    assert face.woman_log_odds < -1
    assert 18 < face.age < 40
    nose = figure.landmarks.points[0]
    assert (face.box[:2] < nose).all()
    assert (nose < face.box[2:]).all()


def test_only_large_faces_get_points(yoga, shared_data):
    assert yoga[1].face.points is None
    photo = load_photo(shared_data("photos") / "s071_idmvton.jpg")
    (figure,) = find_people(photo, max_people=1)
    points = figure.face.points
    assert points.shape == (478, 3)
    for part, name in ((RIGHT_EYE[:EYELIDS], "right_eye"), (LEFT_EYE[:EYELIDS], "left_eye")):
        eye = figure.landmarks.points[LANDMARK_NAMES.index(name)]
        assert np.linalg.norm(points[part, :2].mean(0) - eye) < 0.15 * figure.face.width_px
    assert points[1, 2] < points[:468, 2].mean() - 0.1 * figure.face.width_px


def test_a_covered_face_is_none(yoga):
    photo, figure = yoga
    pixels = photo.pixels.copy()
    x0, y0, x1, y1 = figure.face.box.astype(int)
    margin = (x1 - x0) // 2
    cv2.rectangle(
        pixels, (x0 - margin, y0 - margin), (x1 + margin, y1 + margin), (170, 130, 80), -1
    )
    assert read_face(pixels, figure.landmarks, figure.alpha) is None
    blurred = cv2.GaussianBlur(photo.pixels, (0, 0), 12)
    assert read_face(blurred, figure.landmarks, figure.alpha) is None


def test_somebody_elses_face_is_none(yoga):
    photo, figure = yoga
    nothing = Alpha(np.zeros((1, 1), np.uint8), 0, 0, photo.width, photo.height)
    assert read_face(photo.pixels, figure.landmarks, nothing) is None


def test_a_face_of_few_pixels_is_none(yoga):
    photo, figure = yoga
    size = (photo.width // 4, photo.height // 4)
    small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    landmarks = replace(figure.landmarks, points=figure.landmarks.points / 4)
    whole = Alpha(np.full(small.shape[:2], 255, np.uint8), 0, 0, *size)
    assert read_face(small, landmarks, whole) is None
    assert read_face(small, replace(landmarks, points=landmarks.points - 1e4), whole) is None


def test_hidden_heads_of_street_photographs_have_no_face(shared_data):
    folder = shared_data("ccp")
    for number in (34, 46, 24):
        photo = load_photo(folder / "photos" / f"{number:04d}.jpg")
        (figure,) = find_people(photo, max_people=1)
        assert figure.face is not None
        x0, y0, x1, y1 = figure.face.box
        center, reach = (round((x0 + x1) / 2), round((y0 + y1) / 2)), round(1.1 * (x1 - x0))
        pixels = photo.pixels.copy()
        cv2.ellipse(pixels, center, (2 * reach, reach), 0, 0, 360, (20, 40, 120), -1)
        assert read_face(pixels, figure.landmarks, figure.alpha) is None
