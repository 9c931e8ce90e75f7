"""Fingers at ease."""

import numpy as np
import pytest

from vitruvian.body.model.fingers import relaxed_fingers
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix


@pytest.fixture
def hands():
    """Joints at rest and at ease."""
    model = body_model()
    joints, rotations = relaxed_fingers(body_model())
    pose = np.zeros((len(model.parents), 3))
    at_rest = model.forward(np.zeros(1), pose).joints
    pose[joints] = axis_angle_from_matrix(rotations)
    return at_rest, model.forward(np.zeros(1), pose).joints


def test_only_fingers_are_bent_and_both_hands_alike():
    model = body_model()
    joints, rotations = relaxed_fingers(body_model())
    assert len(joints) == 30
    assert all(model.joint_names[joint].startswith("finger") for joint in joints)
    pose = np.zeros((len(model.parents), 3))
    pose[joints] = axis_angle_from_matrix(rotations)
    np.testing.assert_allclose(pose, model.mirrored_pose(pose), atol=1e-9)
    assert np.rad2deg(np.linalg.norm(pose[joints], axis=1)).max() < 45


@pytest.mark.parametrize("side", ["L", "R"])
def test_fingertips_come_together_and_towards_the_palm(hands, side):
    at_rest, at_ease = hands
    index = body_model().joint_index

    def spread(joints):
        ends = np.array([joints[index[f"finger{finger}-3.{side}"]] for finger in range(2, 6)])
        return np.linalg.norm(np.diff(ends, axis=0), axis=1).sum()

    assert spread(at_ease) < 0.9 * spread(at_rest)
    thumb = at_rest[index[f"finger1-3.{side}"]]
    for finger in range(2, 6):
        joint = index[f"finger{finger}-3.{side}"]
        # The thumb is on the palm's side.
        before, after = (np.linalg.norm(hand[joint] - thumb) for hand in (at_rest, at_ease))
        assert after < before
    wrist = index[f"wrist.{side}"]
    np.testing.assert_allclose(at_ease[wrist], at_rest[wrist], atol=1e-9)
