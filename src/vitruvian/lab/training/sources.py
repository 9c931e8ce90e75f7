"""Training examples: from shards on disk, in an order that can be entered anywhere, or made live.

Both make an example of a ``Sample`` and of what the pipeline saw of it (``Observation``, or None
where that is not known) by a recipe's function ``make(sample, observation, rng)``, which returns
arrays of fixed shapes by name and must survive pickling.
"""

from __future__ import annotations

import io
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.sample import BLOCK_SAMPLES, Sample, training_seed
from vitruvian.lab.training.observations import Observation, observe_sample
from vitruvian.lab.training.recipe import Batch, DataOptions, FixedSource

Make = Callable[[Sample, Observation | None, np.random.Generator], dict[str, np.ndarray]]

VALIDATION_SHARE = 0.03
_MOST_VALIDATED = 96
# Samples made live for validation come from the seed after next, which no run trains on.
_VALIDATION_SEED_STEP = 500_000_000
_LIVE_VALIDATION = 64
_POOL_BYTES = {"cuda": 24 << 30, "cpu": 1 << 30}
_ENDLESS = 1 << 40


def open_source(make: Make, options: DataOptions) -> ShardSource | LiveSource:
    """The source that the options ask for."""
    if options.shards is not None:
        return ShardSource(make, options)
    return LiveSource(make, options)


class ShardIndex:
    """Where every sample of a folder of shards lies, for reading them in any order.

    Shards still being written are left out and, where a folder of observations is given, those
    that nobody has observed yet. ``numbers`` are the samples' numbers in the data set.
    """

    def __init__(self, folder: Path, observed: Path | None = None) -> None:
        import json
        import tarfile

        paths = sorted(folder.glob("synth-*.tar"))
        if not paths:
            raise InputError(f"There are no shards in {folder}: write them with vitruvian synth.")
        notes = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        self.seed = training_seed(int(notes["seed"]))
        self.folder, self.observed = folder, observed
        self.places: list[tuple[Path, int, int]] = []
        self.numbers: list[int] = []
        self.shard_of: list[int] = []
        for path in paths:
            shard = int(path.stem.rsplit("-", 1)[1])
            if observed is not None and not _observed_path(observed, shard).exists():
                continue
            with tarfile.open(path) as archive:
                for entry in archive:
                    if "mesh" in entry.name:
                        continue
                    self.places.append((path, entry.offset_data, entry.size))
                    self.numbers.append(int(entry.name[:8]))
                    self.shard_of.append(shard)

    def __len__(self) -> int:
        return len(self.places)

    def split(self) -> tuple[list[int], list[int]]:
        """Indices for training and for validation: of whole shards, the last ones held back.

        As a data set grows, what was held back may become training data, never the reverse.
        """
        shards = sorted(set(self.shard_of))
        if len(shards) < 2:
            place = self.folder if self.observed is None else self.observed
            raise InputError(
                f"{place} has fewer than two shards: training needs one, and one to hold back."
            )
        held = set(shards[-max(1, round(VALIDATION_SHARE * len(shards))) :])
        training = [i for i, shard in enumerate(self.shard_of) if shard not in held]
        validation = [i for i, shard in enumerate(self.shard_of) if shard in held]
        validation = validation[:_MOST_VALIDATED]
        return training, validation

    def sample(self, index: int, *, spans: bool = False) -> Sample:
        """A sample; without its spans unless they are asked for (they are large)."""
        path, offset, size = self.places[index]
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        values: dict[str, Any] = {}
        with np.load(io.BytesIO(content)) as archive:
            for field in fields(Sample):
                if field.name == "spans" and not spans:
                    values["spans"] = np.zeros((0, 0, 0), np.int16)
                    continue
                array = archive[field.name]
                values[field.name] = (
                    array.item()
                    if field.type == "float"
                    else array
                    if field.type == "np.ndarray"
                    else tuple(array.tolist())
                )
        return Sample(**values)

    def observation(self, index: int) -> Observation | None:
        """What the pipeline saw of a sample; None where nobody looked or it found nobody."""
        if self.observed is None:
            return None
        arrays = _observed_arrays(_observed_path(self.observed, self.shard_of[index]))
        found = np.flatnonzero(arrays["number"] == self.numbers[index])
        return _observation(arrays, int(found[0])) if len(found) else None


def _observed_path(folder: Path, shard: int) -> Path:
    return folder / f"observed-{shard:05d}.npz"


@lru_cache(maxsize=512)
def _observed_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def _observation(arrays: dict[str, np.ndarray], k: int) -> Observation:
    """One row of a file of observations; of the two pictures, only the matte is decoded."""
    import cv2

    values: dict[str, Any] = {}
    for field in fields(Observation):
        if field.name == "crop_image":
            values[field.name] = np.zeros((0, 0, 3), np.uint8)
        elif field.name == "alpha":
            ends = arrays["alpha_ends"]
            coded = arrays["alpha"][(ends[k - 1] if k else 0) : ends[k]]
            values[field.name] = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
        elif field.type in ("float", "int", "bool"):
            values[field.name] = arrays[field.name][k].item()
        else:
            values[field.name] = arrays[field.name][k]
    return Observation(**values)


class _Presentations(Dataset[dict[str, np.ndarray]]):
    """Training example n: which sample it is, and its random numbers, follow from n alone."""

    def __init__(self, make: Make, index: ShardIndex, members: list[int], seed: int) -> None:
        self.make, self.index, self.members, self.seed = make, index, members, seed

    def __getitem__(self, number: int) -> dict[str, np.ndarray]:
        epoch, place = divmod(number, len(self.members))
        chosen = self.members[_order(self.seed, epoch, len(self.members))[place]]
        rng = np.random.default_rng([self.seed, 1, number])
        return self.make(self.index.sample(chosen), self.index.observation(chosen), rng)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, 0, epoch]).permutation(count)


def _stacked(examples: list[dict[str, np.ndarray]]) -> Batch:
    return {
        name: torch.from_numpy(np.stack([one[name] for one in examples])) for name in examples[0]
    }


class ShardSource(FixedSource):
    """Examples of a folder of shards; a ``recipe.Source``."""

    def __init__(self, make: Make, options: DataOptions) -> None:
        assert options.shards is not None
        self._make, self._options = make, options
        self._index = ShardIndex(options.shards, options.observed)
        self._training, self._validation = self._index.split()

    @property
    def count(self) -> int:
        """How many samples are for training."""
        return len(self._training)

    @property
    def description(self) -> str:
        return (
            f"{len(self._training)} samples of {self._index.folder.name}, seed {self._index.seed}; "
            f"the last {len(self._validation)} held back for validation"
        )

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        data = _Presentations(self._make, self._index, self._training, self._options.seed)
        workers = self._options.workers
        loader: DataLoader[Any] = DataLoader(
            data,
            batch_size=size,
            sampler=range(first, _ENDLESS),
            num_workers=workers,
            collate_fn=_stacked,
            pin_memory=self._options.device.type == "cuda",
            worker_init_fn=_single_threaded,
            multiprocessing_context=get_context("spawn") if workers else None,
            prefetch_factor=3 if workers else None,
        )
        yield from loader

    def validation(self, size: int) -> Iterable[Batch]:
        for start in range(0, len(self._validation), size):
            members = self._validation[start : start + size]
            yield _stacked(
                [
                    self._make(
                        self._index.sample(i),
                        self._index.observation(i),
                        np.random.default_rng([0, 2, self._index.numbers[i]]),
                    )
                    for i in members
                ]
            )


def _single_threaded(worker: int) -> None:
    """Workers share the cores with each other and with the training."""
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


class LiveSource:
    """Examples of samples that processes make while training; a ``recipe.Source``.

    The examples lie in a pool on the training device. New ones replace the oldest, and batches are
    drawn from the pool at random, so that each is shown several times: making one takes far longer
    than showing it. What is in the pool depends on timing: runs are not repeatable to the bit.
    """

    def __init__(
        self,
        make: Make,
        options: DataOptions,
        least: int = 256,
        held: int = _LIVE_VALIDATION,
    ) -> None:
        """Args: least: examples in the pool before training; held: for validation, a multiple of
        8."""
        self._seed = training_seed(options.seed)
        self._options, self._least, self._wanted = options, least, held
        self._block, self._received = 0, 0
        self._held: list[dict[str, np.ndarray]] = []
        self._held_blocks = 0
        self._failures: list[str] = []
        self._pool: Batch = {}
        self._capacity = 0
        self._make = make
        self._processes: list[Any] = []

    @property
    def description(self) -> str:
        return (
            f"samples of {self._options.size} px made while training, blocks 0 to {self._block} of "
            f"seed {self._seed}; validation on {len(self._held)} of seed {self._validation_seed}"
        )

    @property
    def _validation_seed(self) -> int:
        # Below the seeds that are kept for testing, and none that a person would choose.
        return training_seed(_VALIDATION_SEED_STEP + self._seed % _VALIDATION_SEED_STEP)

    def _start(self) -> None:
        if self._processes:
            return
        from vitruvian.lab.synthesis.anatomy import anatomy
        from vitruvian.lab.synthesis.assets import find_assets

        assets = find_assets(self._options.assets).folder
        anatomy()  # baked once, before several workers would
        context = get_context("spawn")
        self._jobs = context.Queue()
        self._made = context.Queue(64)
        for _ in range(max(1, self._options.workers)):
            arguments = (
                self._jobs, self._made, self._make, self._options.size, assets,
                self._options.backgrounds,
            )  # fmt: skip
            process = context.Process(target=_make_live, args=arguments, daemon=True)
            process.start()
            self._processes.append(process)
        for _ in range(-(-self._wanted // BLOCK_SAMPLES)):
            self._ask_validation()
        for _ in range(2 * len(self._processes)):
            self._ask()

    def _ask_validation(self) -> None:
        self._jobs.put(("validation", self._validation_seed, self._held_blocks))
        self._held_blocks += 1

    def _ask(self) -> None:
        self._jobs.put(("training", self._seed, self._block))
        self._block += 1

    def _receive(self, wait: float) -> bool:
        """Take one made example, if one comes within ``wait`` seconds."""
        try:
            kind, last, example = self._made.get(timeout=wait) if wait else self._made.get_nowait()
        except queue.Empty:
            if not any(process.is_alive() for process in self._processes):
                raise RuntimeError("every process that makes samples has ended") from None
            return False
        if kind == "failure":
            self._failures.append(example)
            # A block now and then may be beyond the pipeline; many are a mistake.
            if len(self._failures) > max(5, self._received // 100):
                raise RuntimeError(f"making samples fails again and again: {example}")
            if last == "validation":
                self._ask_validation()
            else:
                self._ask()
            return True
        if last and kind == "training":
            self._ask()
        if kind == "validation":
            self._held.append(example)
            return True
        if not self._pool:
            self._allocate(example)
        slot = self._received % self._capacity
        for name, value in example.items():
            self._pool[name][slot] = torch.from_numpy(np.asarray(value))
        self._received += 1
        return True

    def _allocate(self, example: dict[str, np.ndarray]) -> None:
        device = self._options.device
        size = sum(np.asarray(value).nbytes for value in example.values())
        self._capacity = max(self._least, min(16384, _POOL_BYTES[device.type] // size))
        for name, value in example.items():
            array = torch.from_numpy(np.asarray(value))
            self._pool[name] = torch.zeros(
                (self._capacity, *array.shape), dtype=array.dtype, device=device
            )

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        self._start()
        while self._received < max(self._least, 2 * size):
            self._receive(1.0)
        number = first
        while True:
            until = time.monotonic() + 0.05
            while time.monotonic() < until and self._receive(0):
                pass
            rng = np.random.default_rng([self._seed, 3, number])
            held = min(self._received, self._capacity)
            chosen = torch.from_numpy(rng.integers(held, size=size)).to(self._options.device)
            yield {name: values[chosen] for name, values in self._pool.items()}
            number += size

    def validation(self, size: int) -> Iterable[Batch]:
        self._start()
        while len(self._held) < self._wanted:
            self._receive(1.0)
        for start in range(0, self._wanted, size):
            yield _stacked(self._held[start : start + size])

    def state(self) -> dict[str, Any]:
        return {"block": self._block}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._block = int(state.get("block", 0))

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)
        self._processes = []


def _make_live(
    jobs: Any, made: Any, make: Make, size: int, assets: Path, backgrounds: Path | None
) -> None:
    """Work of one process: blocks of samples into examples, until it is ended."""
    import signal

    from vitruvian.compute import set_threads
    from vitruvian.lab.synthesis.assets import AssetLibrary
    from vitruvian.lab.synthesis.photographs import Backgrounds
    from vitruvian.lab.synthesis.sample import block_samples

    # Ctrl-C is for the training process, which ends this one when it has saved.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _single_threaded(0)
    set_threads(1)
    library = AssetLibrary(assets)
    behind = None if backgrounds is None else Backgrounds(backgrounds, 0.5)
    while True:
        kind, seed, block = jobs.get()
        samples = block_samples(seed, block, size, library, backgrounds=behind)
        try:
            for number, sample in enumerate(samples):
                rng = np.random.default_rng([seed, 4, block, number])
                observation = observe_sample(sample, BLOCK_SAMPLES * block + number, rng)
                example = make(sample, observation, rng)
                made.put((kind, number == BLOCK_SAMPLES - 1, example))
        except Exception as error:  # one bad block must not end a run of hours
            made.put(("failure", kind, f"block {block} of seed {seed}: {error!r}"))
