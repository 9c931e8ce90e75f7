"""Hands on the own body: contact, limits, nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.fit.pose_prior import pose_prior
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ARMS, CLAVICLES, WRISTS
from vitruvian.lab.synthesis.poses import (
    captured_poses,
    facing_forward,
    sitting_poses,
    standing_poses,
)
from vitruvian.lab.synthesis.sample import HELD_OUT_SEEDS, HELD_OUT_TOUCHING, touching_share
from vitruvian.lab.synthesis.touch_places import GESTURES, place_vertices
from vitruvian.lab.synthesis.touching import touching
from vitruvian.types.keypoints import EARS, NOSE
from vitruvian.types.regions import HEAD, LEFT_ARM, LEFT_LEG, RIGHT_ARM, TRUNK

_OF_ARMS = [name for arm in ARMS for name in arm] + list(CLAVICLES)


@pytest.fixture(scope="module")
def touched() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Betas, pose before, pose after, of people who stand and sit."""
    model = body_model()
    rng = np.random.default_rng(3)
    prior = model.shape_prior("adults")
    out = []
    for number in range(24):
        pool = standing_poses() if number % 3 else sitting_poses()
        pose = facing_forward(captured_poses()[0][rng.choice(pool)])
        betas = prior.mean + np.linalg.solve(prior.whitening, rng.standard_normal(len(prior.mean)))
        out.append((betas, pose, touching(rng, betas, pose)))
    return out


def _hand_gap(betas: np.ndarray, pose: np.ndarray, side: int) -> float:
    """Least distance of a hand's skin from the body without its own arm, metres."""
    model = body_model()
    vertices = model.forward(betas, pose).vertices
    part = model.regions.part
    own = (LEFT_ARM, RIGHT_ARM)[side]
    hand = vertices[(part == own) & (model.regions.hand > 0.9)][::6]
    rest = vertices[(part != own) & (model.components == 0)][::3]
    return float(np.sqrt(((hand[:, None] - rest) ** 2).sum(-1).min()))


def test_most_reach_what_they_touch(
    touched: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    changed = [(b, after) for b, before, after in touched if np.abs(after - before).max() > 1e-6]
    assert len(changed) >= 20
    gaps = [min(_hand_gap(b, pose, side) for side in (0, 1)) for b, pose in changed]
    before = [min(_hand_gap(b, pose, side) for side in (0, 1)) for b, pose, _ in touched]
    now, then = np.mean(np.array(gaps) < 0.03), np.mean(np.array(before) < 0.03)
    assert now > 0.7
    assert now > then + 0.2  # hands that hang lie on thighs, too


def test_only_arms_move_and_stay_within_their_limits(
    touched: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    model, prior = body_model(), pose_prior()
    arms = [model.joint_index[name] for name in _OF_ARMS]
    rest = np.setdiff1d(np.arange(len(model.joint_names)), arms)
    rows = [int(np.flatnonzero(model.active[1:] == joint)[0]) for joint in arms]
    lower, upper = prior.lower.reshape(-1, 3)[rows], prior.upper.reshape(-1, 3)[rows]
    for _, before, after in touched:
        np.testing.assert_array_equal(after[rest], before[rest])
        moved = np.abs(after[arms] - before[arms]).max(1) > 1e-9
        assert (after[arms] > lower - 0.13)[moved].all()
        assert (after[arms] < upper + 0.13)[moved].all()


def test_hands_do_not_lie_in_the_body(
    touched: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    from vitruvian.geometry.normals import vertex_normals

    model = body_model()
    for betas, before, after in touched:
        posed = model.forward(betas, after)
        normals = vertex_normals(posed.vertices, model.faces)
        trunk = np.isin(model.regions.part, (TRUNK, HEAD)) & (model.components == 0)
        for name in WRISTS:
            joint = model.joint_index[name]
            if np.abs(after[joint] - before[joint]).max() < 1e-9:
                continue
            away = posed.joints[joint] - posed.vertices[trunk]
            nearest = int(np.linalg.norm(away, axis=1).argmin())
            assert away[nearest] @ normals[trunk][nearest] > -0.005


def test_places_are_where_their_names_say() -> None:
    model = body_model()
    rest, part = model.template, model.regions.part
    for gesture in GESTURES:
        left, right = place_vertices(gesture, 0), place_vertices(gesture, 1)
        assert len(left) > 20, gesture.name
        np.testing.assert_allclose(rest[left] * [-1, 1, 1], rest[right], atol=1e-5)
    by_name = {gesture.name: place_vertices(gesture, 0) for gesture in GESTURES}
    assert (part[by_name["knee"]] == LEFT_LEG).all()
    nose, ear = model.keypoints().template[[NOSE, EARS[0]]]
    assert (rest[by_name["chin"], 1] < nose[1]).all()
    assert (np.abs(rest[by_name["ear"]] - ear) < 0.1).all()


def test_seeds_of_scores_keep_their_people() -> None:
    assert touching_share(HELD_OUT_SEEDS.start) == 0
    assert touching_share(HELD_OUT_TOUCHING.start) == 1
    assert 0 < touching_share(11) < 1
