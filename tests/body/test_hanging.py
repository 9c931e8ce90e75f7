"""Chains of a skirt: where they hang when legs move."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_shapes import skirted_avatar
from vitruvian.body.model.hanging import Skeleton, along_the_ring, beside_each
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle, shortest_turns
from vitruvian.types.chains import COLUMNS, Chains

MODEL = body_model()


@pytest.fixture(scope="module")
def chains() -> Chains:
    found = skirted_avatar("full").chains
    assert found is not None
    return found


@pytest.fixture(scope="module")
def skeleton(chains: Chains) -> Skeleton:
    return Skeleton.of(MODEL.parents, MODEL.joint_template, chains)


def pose(**turns: tuple[float, float, float]) -> np.ndarray:
    """(J, 3, 3) with some joints turned, whose names have ``_`` for ``.``."""
    out = np.zeros((len(MODEL.parents), 3))
    for name, turn in turns.items():
        out[MODEL.joint_index[name.replace("_", ".")]] = turn
    return matrix_from_axis_angle(out)


def tips(skeleton: Skeleton, chains: Chains, rotations: np.ndarray) -> np.ndarray:
    """(R, C, 3) where the links end in a pose that stays."""
    motion = skeleton.still(rotations, MODEL.joint_template[0])
    links = np.arange(chains.tips[..., 0].size) + len(MODEL.parents)
    ends = np.einsum("jab,jb->ja", motion.rotations[links], chains.tips.reshape(-1, 3))
    return (ends + motion.shift[links]).reshape(chains.tips.shape)


def test_at_rest_it_rests(skeleton: Skeleton, chains: Chains) -> None:
    np.testing.assert_allclose(tips(skeleton, chains, pose()), chains.tips, atol=1e-3)


def test_a_thigh_takes_the_cloth_before_it_along(skeleton: Skeleton, chains: Chains) -> None:
    lifted = tips(skeleton, chains, pose(upperleg01_L=(-0.9, 0, 0)))
    ahead = lifted[..., 2] - chains.tips[..., 2]
    left, right = (ahead[1, COLUMNS.index(name)] for name in ("front.L", "side.R"))
    assert left > 0.2
    assert right < 0.6 * left
    # The shin that hangs from the knee is behind the cloth.
    motion = skeleton.still(pose(upperleg01_L=(-0.9, 0, 0)), MODEL.joint_template[0])
    knee = motion.heads[MODEL.joint_index["lowerleg01.L"]]
    nearest = np.argmin(np.abs(lifted[:, COLUMNS.index("front.L"), 1] - knee[1]))
    assert lifted[nearest, COLUMNS.index("front.L"), 2] > knee[2]


def test_links_keep_their_length(skeleton: Skeleton, chains: Chains) -> None:
    strides = pose(upperleg01_L=(-0.6, 0, 0), upperleg01_R=(0.5, 0, 0), lowerleg01_R=(0.8, 0, 0))
    found = tips(skeleton, chains, strides)
    lengths = np.linalg.norm(np.diff(found, axis=0), axis=2)
    np.testing.assert_allclose(lengths, np.linalg.norm(np.diff(chains.tips, axis=0), axis=2))


def test_a_cycle_has_inertia_and_its_ends_meet(skeleton: Skeleton, chains: Chains) -> None:
    angles = 0.5 * np.sin(np.linspace(0, 2 * np.pi, 31))
    turns = np.stack([pose(upperleg01_L=(a, 0, 0), upperleg01_R=(-a, 0, 0)) for a in angles])
    roots = np.repeat(MODEL.joint_template[:1], len(turns), 0)
    moving = skeleton.moving(turns, roots)
    assert moving.shape == (31, len(skeleton.parents), 3, 3)
    np.testing.assert_allclose(moving[0], moving[-1], atol=1e-9)
    np.testing.assert_array_equal(moving[:, : len(MODEL.parents)], turns)
    # The legs are where they were on the way back, the cloth is not yet.
    apart = np.abs(moving[0] - moving[15])[len(MODEL.parents) :]
    assert apart.max() > 0.01


def test_a_body_without_chains_is_as_it_was() -> None:
    bare = Skeleton.of(MODEL.parents, MODEL.joint_template)
    turns = pose(upperleg01_L=(-0.5, 0, 0))
    motion = bare.still(turns, MODEL.joint_template[0])
    expected = MODEL.joint_motion(MODEL.joint_template, turns, MODEL.joint_template[0])
    np.testing.assert_array_equal(motion.heads, expected.heads)
    assert bare.moving(turns[None], np.zeros((1, 3))).shape == (1, len(MODEL.parents), 3, 3)


def test_shortest_turns_lead_there() -> None:
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 50, 3))
    turned = np.einsum("nij,nj->ni", shortest_turns(start, end), start)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    np.testing.assert_allclose(turned, end / np.linalg.norm(end, axis=1, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(
        shortest_turns(start, start), np.eye(3)[None].repeat(50, 0), atol=1e-6
    )


def test_cloth_goes_on_from_chain_to_chain_when_thighs_turn_about_themselves(
    skeleton: Skeleton, chains: Chains
) -> None:
    thighs = {"upperleg01_L": (-1.2, 0.9, 0.5), "upperleg01_R": (-1.2, 0.9, -0.5)}
    motion = skeleton.still(pose(**thighs), MODEL.joint_template[0])
    first, (rows, columns) = len(MODEL.parents), chains.tips.shape[:2]
    turns = motion.rotations[first:].reshape(rows, columns, 3, 3)
    hung = tips(skeleton, chains, pose(**thighs))
    above = np.concatenate([motion.heads[first : first + columns][None], hung[:-1]])
    ways = hung - above
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)

    def across(beside: np.ndarray) -> np.ndarray:
        beside = beside - (beside * ways).sum(2, keepdims=True) * ways
        return beside / np.linalg.norm(beside, axis=2, keepdims=True)

    carried = across(np.einsum("rcij,rcj->rci", turns, beside_each(chains.tips)))
    assert (carried * across(beside_each(hung))).sum(2).min() > 0.95


def test_a_link_turns_about_where_it_points_alone() -> None:
    rng = np.random.default_rng(0)
    turns = matrix_from_axis_angle(rng.normal(size=(20, 3)))
    bone, rest, now = np.array([0.1, -0.4, 0.2]), rng.normal(size=3), rng.normal(size=(20, 3))
    way = turns @ bone
    turned = along_the_ring(turns, way, rest, now)
    np.testing.assert_allclose(turned @ bone, way, atol=1e-12)
    np.testing.assert_allclose(
        turned @ turned.swapaxes(1, 2), np.broadcast_to(np.eye(3), (20, 3, 3)), atol=1e-12
    )
    normal = np.cross(way, now)
    assert np.abs(((turned @ rest) * normal).sum(1)).max() < 1e-12
