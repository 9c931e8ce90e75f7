"""People of whom a picture shows little more than a face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vitruvian.image.photo import load_photo
from vitruvian.networks.faces import FaceDetector
from vitruvian.people import find_people
from vitruvian.people.finder import look_for_people
from vitruvian.people.portrait import portraits
from vitruvian.people.pose import pose_estimator
from vitruvian.types.keypoints import EYES, MOUTH

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person.jpg"


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """The face of the example, and little more, 420 pixels wide."""
    if not FaceDetector.available():
        pytest.skip("the weights of the detector of faces are absent")
    photo = load_photo(EXAMPLE)
    (figure,) = look_for_people(photo).figures
    points = figure.landmarks.points
    eyes, mouth = points[EYES].mean(0), points[MOUTH].mean(0)
    reach = np.linalg.norm(eyes - mouth)
    x, y = (eyes + mouth) / 2
    left, top, right, bottom = (
        int(v) for v in (x - 2.2 * reach, y - 2.2 * reach, x + 2.2 * reach, y + 1.8 * reach)
    )
    crop = photo.pixels[max(top, 0) : bottom, max(left, 0) : right]
    scale = 420 / crop.shape[1]
    return cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def test_a_face_alone_is_somebody_once(face: np.ndarray) -> None:
    (candidate,) = portraits(pose_estimator(), face, [])
    height, width = face.shape[:2]
    eyes = candidate.estimate.points[EYES]
    assert ((eyes > 0) & (eyes < [width, height])).all()
    assert eyes[0, 0] > eyes[1, 0]  # the subject's left is at the right
    assert candidate.estimate.points[23:25, 1].min() > height  # the hips are below the picture
    assert portraits(pose_estimator(), face, [candidate]) == []
    assert len(find_people(load_photo(face))) == 1


def test_where_no_face_is_large_there_is_none(face: np.ndarray) -> None:
    height, width = face.shape[:2]
    small = np.full((4 * height, 4 * width, 3), 128, np.uint8)
    small[:height, :width] = cv2.resize(face, (width, height))
    # Far smaller than a fifth of the picture.
    assert portraits(pose_estimator(), cv2.resize(small, (1200, 1200)), []) == []
    assert portraits(pose_estimator(), np.full((300, 200, 3), 90, np.uint8), []) == []
