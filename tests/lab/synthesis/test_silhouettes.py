"""Pairs of silhouettes agree with the projected body, with each other, and repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.command import synth
from vitruvian.lab.synthesis.shards import DatasetPlan, encode, read_silhouettes, write_dataset
from vitruvian.lab.synthesis.silhouettes import (
    CLOTHING,
    SilhouettePair,
    a_pose,
    random_cameras,
    random_pairs,
)

SIZE = 192


@pytest.fixture(scope="module")
def pairs(library: AssetLibrary) -> list[SilhouettePair]:
    return list(random_pairs(4, range(8), SIZE, library))


def body_mask(pair: SilhouettePair, view: int, camera_from_person: np.ndarray) -> np.ndarray:
    """The body model of the labels, drawn by the package's other rasteriser."""
    model = body_model()
    vertices = model.forward(pair.betas, pair.pose, pair.translation).vertices
    rotation, shift = camera_from_person[:3, :3], camera_from_person[:3, 3]
    skin = (model.components[model.faces] == 0).all(1)
    points = (vertices @ rotation.T + shift).astype(np.float32)
    pixels = pair.camera(view).project(points)
    return rasterize(pixels, points[:, 2], model.faces[skin], SIZE, SIZE).mask


def test_the_body_of_the_labels_fills_the_naked_silhouette(pairs: list[SilhouettePair]) -> None:
    for pair in pairs:
        for view in (0, 1):
            mask = body_mask(pair, view, pair.camera_from_person[view])
            drawn = pair.naked[view] > 127
            assert (mask & drawn).sum() / (mask | drawn).sum() > 0.985


def test_clothes_and_hair_only_add(pairs: list[SilhouettePair]) -> None:
    for pair in pairs:
        assert (pair.silhouettes.astype(int) - pair.naked >= -2).mean() > 0.999
        growth = (pair.silhouettes > 127).sum() / (pair.naked > 127).sum()
        assert 1 <= growth < 1.35
    assert {pair.clothing for pair in pairs} <= set(range(len(CLOTHING)))


def test_whole_people_stand_in_the_pictures(pairs: list[SilhouettePair]) -> None:
    for pair in pairs:
        edge = np.ones((SIZE, SIZE), bool)
        edge[1:-1, 1:-1] = False
        assert not pair.silhouettes[:, edge].any()
        rows = np.nonzero((pair.silhouettes[0] > 127).any(1))[0]
        assert np.ptp(rows) > 0.6 * SIZE


@pytest.mark.parametrize("seed", range(4))
def test_without_errors_the_side_is_the_front_turned_by_90_degrees(
    seed: int, pairs: list[SilhouettePair]
) -> None:
    rng = np.random.default_rng(seed)
    _, cameras = random_cameras(rng, 1.7, SIZE, error=0.0)
    turn = np.eye(4)  # the left side, +x, comes to the front, +z
    turn[:3, :3] = [[0, 0, -1], [0, 1, 0], [1, 0, 0]]
    np.testing.assert_allclose(cameras[1], cameras[0] @ turn, atol=1e-9)
    # The heels are not where the toes are: the side that is shown is the left one.
    pair = pairs[seed]
    joints = body_model().forward(pair.betas, pair.pose, pair.translation).joints
    index = body_model().joint_index
    matrix = pair.camera_from_person[1]
    x, _, depth = (joints @ matrix[:3, :3].T + matrix[:3, 3]).T
    assert depth[index["wrist.L"]] < depth[index["wrist.R"]]
    assert x[index["toe1-1.L"]] < x[index["foot.L"]]  # the toes point to the left of the picture


def test_errors_are_small_but_there() -> None:
    rng = np.random.default_rng(0)
    turns, distances, rolls = [], [], []
    for _ in range(300):
        _, (front, side) = random_cameras(rng, 1.7, SIZE)
        ahead, aside = front[2, :3] * [1, 0, 1], side[2, :3] * [1, 0, 1]
        cosine = ahead @ aside / np.linalg.norm(ahead) / np.linalg.norm(aside)
        turns.append(np.rad2deg(np.arccos(cosine)))
        eyes = [np.linalg.norm(-m[:3, :3].T @ m[:3, 3] - [0, 0.85, 0]) for m in (front, side)]
        distances.append(eyes[1] / eyes[0])
        rolls.append(np.rad2deg(np.arcsin(front[0, 1])))
    assert np.mean(turns) == pytest.approx(90, abs=1)
    assert 2 < np.std(turns) < 6
    assert 0.01 < np.std(distances) < 0.05
    assert 0.7 < np.std(rolls) < 1.4


def test_arms_are_off_the_body_and_people_stand_straight() -> None:
    model = body_model()
    rng = np.random.default_rng(1)
    betas = model.shape_prior("women").mean
    for _ in range(20):
        joints = model.forward(betas, a_pose(rng)).joints
        for side, sign in (("L", 1), ("R", -1)):
            arm = joints[model.joint_index[f"wrist.{side}"]]
            arm = arm - joints[model.joint_index[f"upperarm01.{side}"]]
            angle = np.rad2deg(np.arctan2(sign * arm[0], -arm[1]))
            assert 5 < angle < 62
        trunk = joints[model.joint_index["head"]] - joints[0]
        assert trunk[1] > 0.97 * np.linalg.norm(trunk)


def test_options_of_pictures_do_not_go_with_silhouettes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave them out"):
        synth(tmp_path, silhouettes=True, meshes=True)
    assert not list(tmp_path.iterdir())


def test_same_seed_same_bytes(library: AssetLibrary, tmp_path: Path) -> None:
    plan = DatasetPlan(4, 3, SIZE, kind="silhouettes")
    list(write_dataset(tmp_path / "a", plan, library))
    list(write_dataset(tmp_path / "b", plan, library))
    name = "silhouettes-00000.tar"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    kept = list(read_silhouettes(tmp_path / "a"))
    assert len(kept) == 3
    # Each pair depends on its own number, not on those before it.
    (third,) = random_pairs(4, [2], SIZE, library)
    assert encode(third) == encode(kept[2])
    assert isinstance(kept[2].height_m, float)
    assert isinstance(kept[2].clothing, int)
    (other,) = random_pairs(5, [2], SIZE, library)
    assert (other.silhouettes != third.silhouettes).any()
