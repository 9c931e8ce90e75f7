"""Synthetic samples on disk: tar files of ``.npz``, written once, resumable, byte for byte alike.

A data set is a folder with ``dataset.json`` and shards ``synth-00000.tar``, each of 32 samples
(the last may hold fewer). A shard holds ``00000012.npz`` for sample 12, readable by ``np.load``,
with the fields of ``sample.Sample`` by name. Sample ``n`` depends on seed, size, ``n`` and the
photographs behind people (if any) alone.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from vitruvian.errors import InputError
from vitruvian.synthesis.assets import AssetLibrary
from vitruvian.synthesis.photographs import Backgrounds
from vitruvian.synthesis.sample import BLOCK_SAMPLES, Sample, block_samples

SHARD_SAMPLES = 32
FORMAT = 2  # 1 had neither things nor hoods; the fields were the same


@dataclass(frozen=True)
class DatasetPlan:
    """What a data set consists of.

    Attributes:
        seed, count, size: of the set; size is the pictures' side in pixels.
        backgrounds: photographs behind a share of the people, or None.
    """

    seed: int
    count: int
    size: int
    backgrounds: Backgrounds | None = None

    @property
    def shards(self) -> int:
        return -(-self.count // SHARD_SAMPLES)

    def samples_of(self, shard: int) -> range:
        """Numbers of the samples in a shard."""
        return range(shard * SHARD_SAMPLES, min(self.count, (shard + 1) * SHARD_SAMPLES))

    def path(self, folder: Path, shard: int) -> Path:
        return folder / f"synth-{shard:05d}.tar"


def encode(sample: Sample) -> bytes:
    """A sample as the bytes of a ``.npz``; the same bytes for the same sample."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for field in fields(Sample):
            entry = zipfile.ZipInfo(f"{field.name}.npy")  # dated 1980, always
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = io.BytesIO()
            array = np.ascontiguousarray(getattr(sample, field.name))
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(entry, content.getvalue(), compresslevel=1)
    return buffer.getvalue()


def decode(content: bytes) -> Sample:
    """The sample that ``encode`` wrote."""
    values: dict[str, object] = {}
    with np.load(io.BytesIO(content)) as archive:
        for field in fields(Sample):
            array = archive[field.name]
            if field.name == "principal_point":
                values[field.name] = tuple(float(v) for v in array)
            else:
                values[field.name] = float(array) if array.ndim == 0 else array
    return Sample(**values)  # type: ignore[arg-type]


def write_shard(folder: Path, plan: DatasetPlan, shard: int, assets: Path) -> int:
    """Draw and write one shard; returns how many samples it holds. A whole shard stays as it is."""
    path = plan.path(folder, shard)
    numbers = plan.samples_of(shard)
    if path.exists():
        return len(numbers)
    library = AssetLibrary(assets)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        try:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for number, sample in zip(numbers, _drawn(plan, numbers, library), strict=True):
                    content = encode(sample)
                    entry = tarfile.TarInfo(f"{number:08d}.npz")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        except BaseException:
            os.unlink(file.name)
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    return len(numbers)


def _drawn(plan: DatasetPlan, numbers: range, library: AssetLibrary) -> Iterator[Sample]:
    for first in range(numbers.start, numbers.stop, BLOCK_SAMPLES):
        wanted = range(min(BLOCK_SAMPLES, numbers.stop - first))
        yield from block_samples(
            plan.seed, first // BLOCK_SAMPLES, plan.size, library, wanted, plan.backgrounds
        )


def write_dataset(
    folder: Path, plan: DatasetPlan, library: AssetLibrary, workers: int = 1
) -> Iterator[int]:
    """Write what is missing of a data set, yielding the number of samples as shards are done.

    Raises ``InputError`` where the folder holds another data set or cannot be written.
    """
    description = {
        "format": FORMAT, "seed": plan.seed, "size": plan.size, "shard_samples": SHARD_SAMPLES,
        "fields": [field.name for field in fields(Sample)],
        "backgrounds": None if plan.backgrounds is None else plan.backgrounds.digest,
    }  # fmt: skip
    notes = folder / "dataset.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if notes.exists():
            known = json.loads(notes.read_text())
            if {k: known.get(k) for k in description} != description:
                raise InputError(
                    f"{folder} holds another data set (seed {known.get('seed')}, size "
                    f"{known.get('size')}, or other backgrounds): choose another folder with -o."
                )
            if known["count"] > plan.count or known["count"] % SHARD_SAMPLES:
                _drop_partial(folder, plan, int(known["count"]))
        temporary = notes.with_suffix(".part")
        temporary.write_text(json.dumps({**description, "count": plan.count}, indent=1) + "\n")
        os.replace(temporary, notes)
    except OSError as error:
        raise InputError(f"Cannot write into {folder}: choose another folder with -o.") from error
    jobs = [(folder, plan, shard, library.folder) for shard in range(plan.shards)]
    if workers <= 1:
        for job in jobs:
            yield write_shard(*job)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(write_shard, *job) for job in jobs]
        for future in pending:
            yield future.result()


def _drop_partial(folder: Path, plan: DatasetPlan, count: int) -> None:
    """Remove shards whose number of samples differs under the new count."""
    before = DatasetPlan(plan.seed, count, plan.size)
    for shard in range(before.shards):
        if before.samples_of(shard) != plan.samples_of(shard):
            plan.path(folder, shard).unlink(missing_ok=True)


def read_dataset(folder: Path) -> Iterator[Sample]:
    """Every sample of a data set, in order, as a stream."""
    paths = sorted(folder.glob("synth-*.tar"))
    if not paths:
        raise InputError(f"There are no shards in {folder}: write them with vitruvian synth.")
    for path in paths:
        with tarfile.open(path) as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is not None:
                    yield decode(file.read())
