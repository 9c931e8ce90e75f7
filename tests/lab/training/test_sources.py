"""Reading shards in any order: the same number is the same example, however it is reached."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.sample import HELD_OUT_SEEDS, Sample
from vitruvian.lab.training.observations import observe_sample, write_observations
from vitruvian.lab.training.recipe import DataOptions
from vitruvian.lab.training.sources import LiveSource, ShardIndex, ShardSource

pytestmark = pytest.mark.train


def tiny(sample: Sample, observed: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A corner of the picture, and two random numbers."""
    return {
        "corner": sample.image[:4, :4],
        "height": np.float32(sample.height_m),
        "random": rng.random(2),
        "seen": np.array(observed is not None),
    }


def test_stored_samples_come_back(
    tmp_path: Path, write_shards: Callable[..., Path], drawn_samples: list[Sample]
) -> None:
    index = ShardIndex(write_shards(tmp_path, 2))
    assert index.numbers == list(range(8))
    sample = index.sample(5)
    truth = drawn_samples[1]
    np.testing.assert_array_equal(sample.front_depth, truth.front_depth)
    np.testing.assert_array_equal(sample.camera_from_world, truth.camera_from_world)
    assert sample.principal_point == truth.principal_point
    assert sample.camera == truth.camera


def test_examples_do_not_depend_on_where_one_begins(
    tmp_path: Path, write_shards: Callable[..., Path]
) -> None:
    source = ShardSource(tiny, DataOptions(shards=write_shards(tmp_path, 4), seed=1, workers=0))
    whole = list(islice(source.batches(0, 6), 4))
    later = next(source.batches(18, 6))
    for name, values in whole[3].items():
        assert torch.equal(values, later[name]), name
    smaller = next(source.batches(12, 3))
    assert torch.equal(smaller["random"], whole[2]["random"][:3])


def test_every_sample_is_shown_once_an_epoch(
    tmp_path: Path, write_shards: Callable[..., Path]
) -> None:
    source = ShardSource(tiny, DataOptions(shards=write_shards(tmp_path, 4), seed=1, workers=0))
    first = next(source.batches(0, 12))["random"]
    again = next(source.batches(12, 12))["random"]
    assert len(np.unique(torch.cat([first, again]).numpy(), axis=0)) == 24  # never the same twice
    heights = [next(source.batches(k, 12))["height"].double().sum() for k in (0, 12)]
    assert heights[0] == pytest.approx(heights[1])
    assert "12 samples of" in source.description


def test_workers_keep_the_order(tmp_path: Path, write_shards: Callable[..., Path]) -> None:
    shards = write_shards(tmp_path, 3)
    plain = ShardSource(tiny, DataOptions(shards=shards, workers=0)).batches(0, 4)
    stream = ShardSource(tiny, DataOptions(shards=shards, workers=1)).batches(0, 4)
    for ours, theirs in islice(zip(stream, plain, strict=False), 3):
        assert torch.equal(ours["random"], theirs["random"])


def test_what_is_held_back_is_never_trained_on_as_a_data_set_grows(
    tmp_path: Path, write_shards: Callable[..., Path]
) -> None:
    trained: set[int] = set()
    for shards in (2, 3, 40, 80):
        index = ShardIndex(write_shards(tmp_path, shards))
        training, validation = index.split()
        assert validation
        assert not trained & {index.numbers[i] for i in validation}
        trained |= {index.numbers[i] for i in training}


def test_observations_meet_their_samples(
    tmp_path: Path, write_shards: Callable[..., Path], drawn_samples: list[Sample]
) -> None:
    shards = write_shards(tmp_path / "shards", 4)
    for shard in (0, 2):
        found = [
            observe_sample(drawn_samples[number % 2], number, np.random.default_rng(number))
            for number in (4 * shard, 4 * shard + 3)
        ]
        path = tmp_path / "observed" / f"observed-{shard:05d}.npz"
        write_observations(path, [one for one in found if one is not None])
    index = ShardIndex(shards, tmp_path / "observed")
    assert index.numbers == [0, 1, 2, 3, 8, 9, 10, 11]  # shards nobody observed are left out
    assert index.observation(1) is None
    seen = index.observation(7)
    assert seen is not None
    assert seen.number == 11
    assert seen.true_height_m == pytest.approx(index.sample(7).height_m)
    assert seen.matte.full().shape == (160, 160)
    overlap = (seen.matte.full() > 127) & (index.sample(7).alpha > 127)
    assert overlap.sum() > 0.6 * (index.sample(7).alpha > 127).sum()


def test_seeds_kept_for_testing_are_refused(
    tmp_path: Path, write_shards: Callable[..., Path]
) -> None:
    shards = write_shards(tmp_path, 2, seed=HELD_OUT_SEEDS.start)
    with pytest.raises(InputError, match="kept for testing"):
        ShardSource(tiny, DataOptions(shards=shards))
    with pytest.raises(InputError, match="kept for testing"):
        LiveSource(tiny, DataOptions(seed=HELD_OUT_SEEDS.start + 5))


def test_one_shard_is_too_few(tmp_path: Path, write_shards: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="needs one, and one to hold back"):
        ShardSource(tiny, DataOptions(shards=write_shards(tmp_path, 1)))
    with pytest.raises(InputError, match=r"There are no shards in .*: write them with"):
        ShardIndex(tmp_path / "nothing")


@pytest.mark.slow
def test_live_samples_fill_the_pool(shared_data: Callable[[str], Path]) -> None:
    """A process draws people and looks at them; batches come from what it has made."""
    options = DataOptions(seed=4, workers=1, assets=shared_data("makehuman"), size=96)
    source = LiveSource(tiny, options, least=8, held=8)
    try:
        batch = next(source.batches(0, 4))
        held = next(iter(source.validation(4)))
    finally:
        source.close()
    assert batch["corner"].shape == (4, 4, 4, 3)
    assert 0.5 < float(batch["height"].min()) <= float(batch["height"].max()) < 2.3
    assert batch["seen"].any()
    assert not set(held["random"].flatten().tolist()) & set(batch["random"].flatten().tolist())
    assert source.state()["block"] >= 2
