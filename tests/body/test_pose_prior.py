"""The pose prior and the example poses."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.fit.pose_prior import example_poses, pose_prior
from vitruvian.body.model.model import body_model


def mirrored(pose: np.ndarray) -> np.ndarray:
    """A prior's vector (D,) with left and right exchanged."""
    model = body_model()
    full = np.zeros((len(model.parents), 3))
    full[model.active[1:]] = pose.reshape(-1, 3)
    return model.mirrored_pose(full)[model.active[1:]].ravel()


def test_limits_contain_the_mean_and_nearly_all_examples() -> None:
    prior, model = pose_prior(), body_model()
    assert (prior.lower < prior.mean).all()
    assert (prior.mean < prior.upper).all()
    poses, _ = example_poses(body_model())
    flat = poses[:, model.active[1:]].reshape(len(poses), -1)
    inside = (flat >= prior.lower) & (flat <= prior.upper)
    assert inside.mean() > 0.995


def test_prior_knows_no_side() -> None:
    prior = pose_prior()
    np.testing.assert_allclose(mirrored(prior.mean), prior.mean, atol=1e-5)
    width = prior.upper - prior.lower
    np.testing.assert_allclose(np.abs(mirrored(width)), width, atol=0.05)
    rng = np.random.default_rng(0)
    for _ in range(5):
        pose = prior.mean + 0.3 * rng.normal(size=len(prior.mean))
        assert prior.energy(mirrored(pose)) == pytest.approx(prior.energy(pose), rel=1e-3)


def test_usual_poses_are_likelier_than_impossible_ones() -> None:
    prior, model = pose_prior(), body_model()
    poses, clips = example_poses(body_model())
    walking = [i for i, clip in enumerate(clips) if "walking" in clip]
    usual = [prior.energy(poses[i][model.active[1:]].ravel()) for i in walking]
    backwards = prior.mean.copy()
    knee = prior.joint_names.index("lowerleg01.L")
    backwards[3 * knee] = -1.5
    assert np.median(usual) < prior.energy(backwards)
    assert backwards[3 * knee] < prior.lower[3 * knee]
    assert np.median(usual) < len(prior.mean)


def test_examples_are_whole_and_diverse() -> None:
    poses, clips = example_poses(body_model())
    model = body_model()
    assert poses.shape == (len(clips), len(model.parents), 3)
    assert 2000 <= len(poses) <= 3000
    assert np.isfinite(poses).all()
    assert np.abs(poses).max() <= np.pi + 0.01
    assert len(set(clips)) > 60
    heads = np.array([model.forward(np.zeros(1), pose).joints for pose in poses[::40]])
    head, root = model.joint_index["head"], 0
    upright = (heads[:, head, 1] - heads[:, root, 1]) > 0.4
    assert upright.mean() > 0.7, "captured people mostly have their heads above their hips"
