"""Statistics of synthetic people: known poses and cameras, groups, and both ways to count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import look
from vitruvian.lab.synthesis.poses import captured_poses, facing_forward
from vitruvian.lab.synthesis.sampling import GROUPS
from vitruvian.lab.synthesis.shards import DatasetPlan, write_dataset
from vitruvian.lab.synthesis.statistics import (
    ANSUR_STATURE,
    dataset_statistics,
    fresh_statistics,
    sample_row,
    shape_group,
    write_plot,
)


def row_of(
    turns: dict[str, list[float]] | None = None, yaw: float = 0.0, pitch: float = 0.0
) -> dict[str, object]:
    """Statistics of a man at rest but for some joints, seen by a camera at a yaw and pitch."""
    body = body_model()
    pose = np.zeros((len(body.joint_names), 3))
    for name, turn in (turns or {}).items():
        pose[body.joint_index[name]] = turn
    matrix = np.eye(4)
    matrix[:3, :3] = look(yaw, pitch, 0)
    pose[0] = axis_angle_from_matrix(matrix[:3, :3] @ matrix_from_axis_angle(pose[0]))
    return sample_row(body.shape_prior("men").mean, pose, matrix, 256.0, 512, 4.0)


def test_a_bent_knee_is_counted_on_its_side() -> None:
    rest, bent = row_of(), row_of({"lowerleg01.L": [1.0, 0, 0]})
    left, right = np.subtract(bent["knee"], rest["knee"])  # type: ignore[call-overload]
    assert left == pytest.approx(np.rad2deg(1.0), abs=6)
    assert right == pytest.approx(0, abs=1e-6)
    assert bent["hip"] == pytest.approx(rest["hip"])


def test_a_raised_thigh_bends_the_hip() -> None:
    raised = row_of({"upperleg01.R": [-np.pi / 2, 0, 0]})
    assert raised["hip"][1] == pytest.approx(90, abs=8)  # type: ignore[index]
    assert raised["lean"] < 5  # type: ignore[operator]


@pytest.mark.parametrize("yaw", [-120.0, -30.0, 0.0, 75.0, 150.0])
@pytest.mark.parametrize("pitch", [-10.0, 0.0, 35.0])
def test_facing_and_pitch_are_the_cameras(yaw: float, pitch: float) -> None:
    row = row_of(yaw=yaw, pitch=pitch)
    assert row["facing"] == pytest.approx(yaw, abs=1e-3)
    assert row["pitch"] == pytest.approx(pitch, abs=1e-3)
    assert row["lean"] < 2  # type: ignore[operator]
    assert row["fov"] == pytest.approx(90)
    assert row["height_share"] == pytest.approx(row["stature_m"] / 8)  # type: ignore[operator]


def test_somebody_with_the_left_side_to_the_camera_faces_90_degrees() -> None:
    assert row_of({"root": [0, -np.pi / 2, 0]})["facing"] == pytest.approx(90, abs=1e-3)


@pytest.mark.parametrize("group", GROUPS)
def test_the_mean_of_a_group_belongs_to_it(group: str) -> None:
    assert shape_group(body_model().shape_prior(group).mean) == group


def test_most_people_are_told_by_their_betas() -> None:
    rng = np.random.default_rng(0)
    right = []
    for group in GROUPS:
        prior = body_model().shape_prior(group)
        for _ in range(60):
            betas = prior.mean + np.linalg.solve(
                prior.whitening, rng.standard_normal(len(prior.mean))
            )
            right.append(shape_group(betas) == group)
    assert np.mean(right) > 0.85


def test_captured_people_are_turned_to_the_front() -> None:
    for pose in captured_poses()[0][::200]:
        pelvis = matrix_from_axis_angle(facing_forward(pose)[0])
        before = matrix_from_axis_angle(pose[0].astype(float))
        assert pelvis[1] == pytest.approx(before[1], abs=1e-6)  # about the vertical alone
        if np.hypot(*before[[0, 2], 2]) > 0.3:
            assert pelvis[0, 2] == pytest.approx(0, abs=1e-6)
            assert pelvis[2, 2] > 0


def test_fresh_people_are_those_of_the_data_set(library: AssetLibrary, tmp_path: Path) -> None:
    list(write_dataset(tmp_path, DatasetPlan(11, 2, 64), library))
    written, fresh = dataset_statistics(tmp_path), fresh_statistics(11, 2, library)
    assert len(written) == len(fresh) == 2
    np.testing.assert_array_equal(written.group, fresh.group)
    for name in ("stature_m", "mass_kg"):
        np.testing.assert_allclose(getattr(written, name), getattr(fresh, name), rtol=1e-3)
    for name in ("knee", "hip", "elbow", "arm"):
        np.testing.assert_allclose(getattr(written, name), getattr(fresh, name), atol=0.1)
    # Clothes and hair move the camera's aim, and a low camera tilts more to see them.
    np.testing.assert_allclose(written.facing, fresh.facing, atol=0.1)
    np.testing.assert_allclose(written.fov, fresh.fov, rtol=0.25)


def test_the_population_is_that_of_the_survey(library: AssetLibrary) -> None:
    statistics = fresh_statistics(1, 480, library)
    for group, (mean, spread) in ANSUR_STATURE.items():
        chosen = statistics.stature_m[statistics.group == group]
        # 240 people, of whom some 90 are in the group: three standard errors and a centimetre.
        assert chosen.mean() == pytest.approx(mean, abs=0.01 + 3 * spread / np.sqrt(90))
        assert chosen.std() == pytest.approx(spread, rel=0.3)
    adults = np.isin(statistics.group, list(ANSUR_STATURE))
    assert 23.5 < statistics.body_mass_index[adults].mean() < 27
    # More than half face the camera, and everybody is seen from behind now and then.
    assert 0.5 < (np.abs(statistics.facing) < 60).mean() < 0.8
    assert (np.abs(statistics.facing) > 120).mean() > 0.08
    assert np.percentile(statistics.knee, 10) < 15
    assert np.percentile(statistics.knee, 90) > 70


def test_the_plot_is_a_small_picture(library: AssetLibrary, tmp_path: Path) -> None:
    from PIL import Image

    write_plot(fresh_statistics(2, 40, library), tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(10**6)) > 10
    assert [p.name for p in tmp_path.iterdir()] == ["plot.png"]
