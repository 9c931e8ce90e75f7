"""Shards: same bytes for the same seed, resumed after an interruption, read back as written."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.sample import Sample
from vitruvian.lab.synthesis.shards import (
    SHARD_SAMPLES,
    DatasetPlan,
    dataset_seed,
    decode,
    encode,
    read_dataset,
    write_dataset,
)


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*.tar")}


def test_plan_covers_every_sample_once() -> None:
    plan = DatasetPlan(0, 2 * SHARD_SAMPLES + 5, 64)
    numbers = [n for shard in range(plan.shards) for n in plan.samples_of(shard)]
    assert numbers == list(range(plan.count))


def test_same_seed_same_bytes_and_resumable(library: AssetLibrary, tmp_path: Path) -> None:
    plan = DatasetPlan(3, 3, 96)
    first, second = tmp_path / "a", tmp_path / "b"
    assert sum(write_dataset(first, plan, library)) == 3
    assert sum(write_dataset(second, plan, library)) == 3
    assert dataset_seed(first) == 3
    assert digest(first) == digest(second)
    written = {p.name: p.stat().st_mtime_ns for p in first.glob("*.tar")}
    list(write_dataset(first, plan, library))
    assert written == {p.name: p.stat().st_mtime_ns for p in first.glob("*.tar")}
    # A set that grows redraws the shard that was not full, and its samples stay the same.
    grown = DatasetPlan(3, 4, 96)
    list(write_dataset(first, grown, library))
    old, new = list(read_dataset(second)), list(read_dataset(first))
    assert len(new) == 4
    np.testing.assert_array_equal(old[2].image, new[2].image)
    with pytest.raises(InputError, match="another folder"):
        list(write_dataset(first, DatasetPlan(4, 4, 96), library))
    assert not list(first.glob("*.part"))


def test_samples_survive_the_disk(library: AssetLibrary, tmp_path: Path) -> None:
    list(write_dataset(tmp_path, DatasetPlan(8, 1, 64), library))
    sample = next(iter(read_dataset(tmp_path)))
    assert isinstance(sample, Sample)
    again = decode(encode(sample))
    for field in fields(Sample):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(sample, field.name))
        kept = getattr(sample, field.name)
        assert type(getattr(again, field.name)) is type(kept)


def test_no_shards_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vitruvian synth"):
        next(read_dataset(tmp_path))


@pytest.mark.parametrize("notes", [None, "{}", "not json"])
def test_no_data_set_is_one_sentence(tmp_path: Path, notes: str | None) -> None:
    if notes is not None:
        (tmp_path / "dataset.json").write_text(notes)
    with pytest.raises(InputError) as error:
        dataset_seed(tmp_path)
    assert str(error.value) == (
        f"There is no data set in {tmp_path}: write one with vitruvian synth."
    )
