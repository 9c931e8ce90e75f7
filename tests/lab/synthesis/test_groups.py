"""Groups on a ground: depth, people and cameras agree with one another."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from vitruvian.commands.cli import main
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.groups import (
    NEAREST,
    OBJECT,
    GroupSample,
    Posed,
    block_crowd,
    block_groups,
    draw_group,
)
from vitruvian.lab.synthesis.poses import (
    captured_poses,
    posed_joints,
    sitting_poses,
    standing_poses,
)
from vitruvian.lab.synthesis.shards import DatasetPlan, read_groups, write_dataset

SIZE = 128


@pytest.fixture(scope="module")
def crowd(library: AssetLibrary) -> list[Posed]:
    return block_crowd(4, 0, SIZE, library)


@pytest.fixture(scope="module")
def groups(crowd: list[Posed]) -> list[GroupSample]:
    return [draw_group(np.random.default_rng([4, 0, n, 3]), crowd, SIZE) for n in range(6)]


def world_points(group: GroupSample, chosen: np.ndarray) -> np.ndarray:
    """Points (N, 3) of the world that the pixels ``chosen`` (H, W) show, from the stored depth."""
    rows, columns = np.nonzero(chosen)
    z = np.exp(group.log_depth[chosen].astype(np.float64))
    points = group.camera.rays(np.stack([columns, rows], 1) + 0.5) * z[:, None]
    matrix = np.linalg.inv(group.camera_from_world.astype(np.float64))
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def test_everything_stands_on_the_ground(groups: list[GroupSample]) -> None:
    on_ground = 0
    for group in groups:
        known = np.isfinite(group.log_depth)
        points = world_points(group, known)
        # Half floats tell log depth to .1 %; a ray from eye height meets the ground that exactly.
        slack = 0.01 + 0.002 * np.exp(group.log_depth[known].astype(np.float64))
        assert (points[:, 1] > -slack).all()
        floor = group.log_depth[(group.instances == 0) & known]
        on_ground += np.count_nonzero(
            np.abs(world_points(group, (group.instances == 0) & known)[:, 1]) < 0.05
        )
        assert len(floor)
    assert on_ground > 6 * 500


def test_people_are_where_their_labels_say(groups: list[GroupSample]) -> None:
    looked_at = 0
    for group in groups:
        count = len(group.roots)
        assert 2 <= count <= 8
        assert set(np.unique(group.instances)) <= {0, OBJECT, *range(1, count + 1)}
        feet = group.camera_from_world[:3, 1] @ group.camera_from_world[:3, 3]
        for k in range(count):
            mine = group.instances == k + 1
            assert group.roots[k, 2] > NEAREST * 0.8
            assert mine.sum() > 0 or group.visible[k] == 0
            if mine.sum() < 40:
                continue
            depth = np.exp(np.median(group.log_depth[mine].astype(np.float64)))
            assert abs(depth - group.roots[k, 2]) < 0.5
            # Root joints are between the ground and a grown person's waist.
            height = group.roots[k] @ group.camera_from_world[:3, 1] - feet
            assert 0.0 < height < 1.3
            x0, y0, x1, y1 = group.boxes[k]
            rows, columns = np.nonzero(mine)
            assert columns.min() >= x0
            assert columns.max() < x1
            assert rows.min() >= y0
            assert rows.max() < y1
            seen = group.keypoints[k][group.keypoints_visible[k]]
            assert ((seen >= 0) & (seen <= mine.shape[::-1])).all()
            looked_at += 1
    assert looked_at > 8


def test_nearer_people_hide_farther_ones(groups: list[GroupSample]) -> None:
    for group in groups:
        for k, share in enumerate(group.visible):
            assert 0 <= share <= 1
            if share < 0.6 and group.boxes[k].any():
                x0, y0, x1, y1 = group.boxes[k].astype(int)
                inside = group.log_depth[y0:y1, x0:x1].astype(np.float64)
                nearer = np.exp(inside) < group.roots[k, 2]
                assert nearer.sum() > 0.1 * nearer.size


def test_same_seed_same_group(crowd: list[Posed], groups: list[GroupSample]) -> None:
    again = draw_group(np.random.default_rng([4, 0, 2, 3]), crowd, SIZE)
    assert np.array_equal(again.image, groups[2].image)
    assert np.array_equal(again.log_depth, groups[2].log_depth)
    assert not np.array_equal(groups[1].roots, groups[2].roots)


def test_blocks_yield_what_was_asked_for(
    library: AssetLibrary,
    crowd: list[Posed],
    groups: list[GroupSample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vitruvian.lab.synthesis.groups.block_crowd", lambda *_: crowd)
    first, second = block_groups(4, 0, SIZE, library, wanted=[5, 3])
    assert np.array_equal(first.image, groups[5].image)
    assert np.array_equal(second.image, groups[3].image)


def test_groups_are_kept_in_shards(
    library: AssetLibrary,
    crowd: list[Posed],
    groups: list[GroupSample],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("vitruvian.lab.synthesis.groups.block_crowd", lambda *_: crowd)
    plan = DatasetPlan(4, 2, SIZE, kind="groups")
    assert list(write_dataset(tmp_path, plan, library)) == [2]
    for kept, drawn in zip(islice(read_groups(tmp_path), 2), groups, strict=False):
        for name, value in vars(drawn).items():
            assert np.array_equal(getattr(kept, name), value), name


def test_sitting_poses_sit_and_standing_ones_stand() -> None:
    joints = posed_joints(captured_poses()[0])
    lowest = joints[..., 1].min(1)
    assert len(sitting_poses()) > 50
    assert not set(sitting_poses()) & set(standing_poses())
    # From the hips to the feet a seat is about half as high as a standing person's.
    assert np.median(lowest[sitting_poses()]) > 0.75 * np.median(lowest[standing_poses()])
    assert np.median(lowest[sitting_poses()]) < -0.3


def test_options_that_do_not_go_with_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synth", "-o", str(tmp_path / "g"), "--groups", "--meshes"]) == 2
    assert "--groups cannot be combined with --meshes" in capsys.readouterr().err
    assert main(["synth", "-o", str(tmp_path / "g"), "--groups", "--silhouettes"]) == 2
    assert "exclude each other: leave one out." in capsys.readouterr().err
    assert not (tmp_path / "g").exists()
