import numpy as np

from vitruvian.types import keypoints
from vitruvian.types.keypoints import (
    COCO_NAMES,
    HIPS,
    LANDMARK_NAMES,
    MIRROR,
    SHOULDERS,
    indices_of,
    joints_of_marks,
    limb_length,
    marks_of_joints,
)


def test_groups_hold_the_points_of_their_names() -> None:
    def named(indices: np.ndarray) -> list[str]:
        return [LANDMARK_NAMES[index] for index in indices]

    assert named(keypoints.EYES) == ["left_eye", "right_eye"]
    assert named(keypoints.FACE)[0] == "nose"
    assert named(keypoints.FACE)[-1] == "mouth_right"
    assert {name.split("_")[1] for name in named(keypoints.HANDS)} == {"pinky", "index", "thumb"}
    assert {name.split("_")[1] for name in named(keypoints.FEET)} == {"heel", "foot"}
    assert named(keypoints.LEGS[1]) == ["right_hip", "right_knee", "right_ankle"]


def test_the_mirror_exchanges_left_and_right() -> None:
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(33))
    assert MIRROR[keypoints.NOSE] == keypoints.NOSE
    np.testing.assert_array_equal(MIRROR[keypoints.MOUTH], keypoints.MOUTH[::-1])
    np.testing.assert_array_equal(MIRROR[keypoints.TOES], keypoints.TOES[::-1])


def test_cocos_joints_are_the_landmarks_joints() -> None:
    assert [COCO_NAMES[i] for i in keypoints.COCO_JOINTS] == [
        LANDMARK_NAMES[i] for i in keypoints.JOINTS
    ]
    np.testing.assert_array_equal(indices_of(COCO_NAMES), keypoints.COCO_LANDMARKS)
    assert [COCO_NAMES[i] for i in keypoints.COCO_HIPS] == ["left_hip", "right_hip"]


def test_limb_length_adds_up_both_sides() -> None:
    points = np.zeros((2, 33, 3))
    points[1, keypoints.KNEES] = [0, 3.0, 4.0]  # thighs and shanks, twice
    np.testing.assert_allclose(limb_length(points), [0, 20])


def test_marks_are_above_joints_and_joints_beneath_marks() -> None:
    joints = np.random.default_rng(4).normal(size=(3, 33, 3))
    marks = marks_of_joints(joints)
    np.testing.assert_allclose(joints_of_marks(marks), joints, atol=1e-12)
    trunk = marks[:, SHOULDERS].mean(1) - marks[:, HIPS].mean(1)
    np.testing.assert_allclose((marks - joints)[:, SHOULDERS[0]], 0.08 * trunk)
    np.testing.assert_allclose((marks - joints)[:, HIPS[1]], 0.09 * trunk)
    rest = np.setdiff1d(np.arange(33), [*SHOULDERS, *HIPS])
    np.testing.assert_array_equal(marks[:, rest], joints[:, rest])
    # In a picture as in space, as long as it is small in depth.
    flat = marks_of_joints(joints[..., :2])
    np.testing.assert_allclose(flat, marks[..., :2])
