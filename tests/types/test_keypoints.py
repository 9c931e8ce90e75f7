import numpy as np

from vitruvian.types import keypoints
from vitruvian.types.keypoints import COCO_NAMES, LANDMARK_NAMES, MIRROR, indices_of, limb_length


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
