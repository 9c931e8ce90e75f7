"""The networks of faces: golden numbers on a drawn face, and their conventions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vitruvian.networks.face_mesh import (
    EYELIDS,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS,
    MESH_POINTS,
    MESH_SIZE,
    RIGHT_EYE,
    RIGHT_IRIS,
    FaceMesh,
)
from vitruvian.networks.faces import (
    TEMPLATE,
    FaceAge,
    FaceDeep,
    FaceDetector,
    FaceSex,
    aligned_tensor,
)


def drawn_face(size: int = 128, center=(64, 64), radius: float = 32) -> np.ndarray:
    """A (size, size, 3) drawing of a face: deterministic, and enough for the networks to bite."""
    image = np.full((size, size, 3), (120, 140, 150), np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(center[0] + x * radius), round(center[1] + y * radius)

    def long(value: float) -> int:
        return max(round(value * radius), 1)

    cv2.ellipse(image, at(0, -0.35), (long(1.15), long(1.1)), 0, 180, 360, (60, 40, 30), -1)
    cv2.ellipse(image, at(0, 0), (long(0.85), long(1.15)), 0, 0, 360, (215, 170, 145), -1)
    for side in (-1, 1):
        cv2.ellipse(
            image, at(side * 0.36, -0.42), (long(0.2), long(0.05)), 0, 0, 360, (70, 50, 40), -1
        )
        cv2.ellipse(
            image, at(side * 0.36, -0.2), (long(0.16), long(0.09)), 0, 0, 360, (245, 245, 245), -1
        )
        cv2.circle(image, at(side * 0.36, -0.2), long(0.08), (40, 30, 30), -1)
    cv2.ellipse(image, at(0, 0.18), (long(0.12), long(0.06)), 0, 0, 360, (180, 130, 110), -1)
    cv2.ellipse(image, at(0, 0.52), (long(0.32), long(0.1)), 0, 0, 360, (170, 70, 70), -1)
    return cv2.GaussianBlur(image, (0, 0), size / 128)


def test_the_detector_finds_a_drawn_face_where_it_is():
    for center in ((64, 64), (50, 72)):
        found = FaceDetector()(drawn_face(center=center))
        assert found.score > 0.6
        np.testing.assert_allclose((found.box[:2] + found.box[2:]) / 2 * 128, center, atol=10)
        right_eye, left_eye, _, mouth = found.points[:4] * 128 - center
        np.testing.assert_allclose(right_eye, [-0.36 * 32, -0.2 * 32], atol=6)
        np.testing.assert_allclose(left_eye, [0.36 * 32, -0.2 * 32], atol=6)
        np.testing.assert_allclose(mouth, [0, 0.52 * 32], atol=6)


def test_the_detector_sees_no_face_in_noise_and_plain_colour():
    rng = np.random.default_rng(0)
    assert FaceDetector()(rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)).score < 0.5
    assert FaceDetector()(np.full((128, 128, 3), (205, 165, 140), np.uint8)).score < 0.5


def test_the_likeliest_anchor_becomes_fractions_of_the_crop():
    regressors = np.zeros((1, 896, 16), np.float32)
    logits = np.full((1, 896, 1), -5, np.float32)
    anchor = 2 * (16 * 3 + 8) + 1  # row 3, column 8 of the fine grid: centre (8.5, 3.5) / 16
    logits[0, anchor] = 0.0
    regressors[0, anchor, :6] = 12.8, 0, 25.6, 38.4, -12.8, 6.4
    found = FaceDetector.postprocess([regressors, logits])
    center = np.array([8.5, 3.5]) / 16
    assert found.score == pytest.approx(0.5)
    np.testing.assert_allclose(found.box, [*center - [0, 0.15], *center + [0.2, 0.15]])
    np.testing.assert_allclose(found.points[0], center + [-0.1, 0.05])


def test_an_aligned_chip_and_its_mirror_image_count_alike():
    chip = drawn_face(64)
    tensor = aligned_tensor(chip, 64)
    assert tensor.shape == (2, 3, 64, 64)
    np.testing.assert_array_equal(tensor[1], tensor[0, :, :, ::-1])
    np.testing.assert_allclose(
        tensor[0, :, 5, 7] * 256 + [122.782, 117.001, 104.298], chip[5, 7], atol=1e-3
    )
    small = cv2.resize(chip, (32, 32), interpolation=cv2.INTER_AREA)
    mirror = np.ascontiguousarray(small[:, ::-1])
    assert FaceSex()(small) == pytest.approx(FaceSex()(mirror), abs=1e-5)


@pytest.mark.parametrize(
    ("network", "side"),
    [(FaceDetector(), 128), (FaceSex(), 32), (FaceAge(), 64), (FaceDeep(), 224)],
)
def test_another_size_is_refused(network, side):
    with pytest.raises(ValueError, match=f"{side}, {side}, 3"):
        network(np.zeros((side, side + 1, 3), np.uint8))


def test_even_odds_of_chip_and_mirror_image_cancel():
    assert FaceSex.postprocess(np.array([[0.9, 0.1], [0.1, 0.9]])) == pytest.approx(0.5)
    assert FaceSex.postprocess(np.array([[1.0, 0.0], [1.0, 0.0]])) == pytest.approx(1.0)


def test_an_age_is_expected_and_has_a_spread():
    output = np.zeros((1, 81))
    output[0, [10, 20]] = 0.5
    assert FaceAge.postprocess(output) == pytest.approx((15.0, 5.0))
    ages = np.zeros((1, 100))
    ages[0, [6, 8]] = 0.5  # seven and nine years: the first is one
    woman, age, deviation = FaceDeep.postprocess([np.array([[0.25]]), ages])
    assert (woman, age, deviation) == pytest.approx((0.75, 8.0, 1.0))


def test_the_template_is_upright_and_level():
    left, right, mouth = TEMPLATE
    assert abs(left[1] - right[1]) < 0.001
    assert left[0] < mouth[0] < right[0]
    assert mouth[1] > left[1]
    assert ((TEMPLATE > 0) & (TEMPLATE < 1)).all()


def test_golden_numbers_of_a_drawn_face():
    found = FaceDetector()(drawn_face())
    assert found.score == pytest.approx(0.892, abs=0.01)
    np.testing.assert_allclose(found.box * 128, [35.5, 42.2, 92.5, 99.2], atol=0.5)
    assert FaceSex()(drawn_face(32, (16, 16), 13)) == pytest.approx(0.998, abs=0.005)
    assert FaceAge()(drawn_face(64, (32, 32), 26)) == pytest.approx((23.96, 1.49), abs=0.2)
    deep = FaceDeep()(drawn_face(224, (112, 112), 72))
    assert deep == pytest.approx((0.612, 30.14, 13.97), abs=0.2)


def test_the_mesh_lies_on_a_drawn_face():
    found = FaceMesh()(drawn_face(MESH_SIZE, (96, 96), 48))
    assert found.score > 0.5
    assert found.points.shape == (478, 3)
    pixels = found.points[:, :2] * MESH_SIZE
    for part, at in ((RIGHT_EYE, (-0.36, -0.2)), (LEFT_EYE, (0.36, -0.2)), (LIPS, (0, 0.52))):
        points = pixels[part[:EYELIDS] if part is not LIPS else part]
        np.testing.assert_allclose(points.mean(0), 96 + 48 * np.array(at), atol=9)
    # The nose is nearer than what is around it, and the irises are in the eyes.
    assert found.points[1, 2] < found.points[:MESH_POINTS, 2].mean() - 0.05
    for iris, eye in ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE)):
        assert np.linalg.norm(pixels[iris] - pixels[eye[:EYELIDS]].mean(0)) < 6


def test_the_mesh_sees_no_face_in_plain_colour():
    plain = np.full((MESH_SIZE, MESH_SIZE, 3), (205, 165, 140), np.uint8)
    assert FaceMesh()(plain).score < 0.5
    with pytest.raises(ValueError, match="expected a \\(192, 192, 3\\) crop"):
        FaceMesh()(plain[:100])
