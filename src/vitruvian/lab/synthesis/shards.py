"""Synthetic samples on disk: tar files of ``.npz``, written once, resumable, byte for byte alike.

A data set is a folder with ``dataset.json`` and shards ``synth-00000.tar``, each of 32 samples
(the last may hold fewer). A shard holds ``00000012.npz`` for sample 12, readable by ``np.load``,
with the fields of ``sample.Sample`` by name; where meshes are wanted, the meshes
``00000008-mesh-2.npz`` of the block that begins with sample 8 come before its samples. Shards
``silhouettes-00000.tar`` hold pairs of silhouettes, ``groups-00000.tar`` groups, in the same way.
Sample ``n`` depends on seed, size, ``n`` and the photographs behind people (if any) alone.
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
from dataclasses import dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.groups import BLOCK_GROUPS, GroupSample, block_groups
from vitruvian.lab.synthesis.person_mesh import PersonMesh, person_mesh
from vitruvian.lab.synthesis.photographs import Backgrounds
from vitruvian.lab.synthesis.sample import (
    BLOCK_PEOPLE,
    BLOCK_SAMPLES,
    Sample,
    arranged,
    block_people,
    draw_sample,
)
from vitruvian.lab.synthesis.silhouettes import SilhouettePair, random_pairs

Entry = TypeVar("Entry", Sample, SilhouettePair, PersonMesh, GroupSample)
Kind = Literal["samples", "silhouettes", "groups"]
PREFIXES: dict[Kind, str] = {"samples": "synth", "silhouettes": "silhouettes", "groups": "groups"}
_ENTRIES: dict[Kind, type[Sample | SilhouettePair | GroupSample]] = {
    "samples": Sample, "silhouettes": SilhouettePair, "groups": GroupSample,
}  # fmt: skip

SHARD_SAMPLES = 32
FORMAT = 3  # the same fields since 1; 2 brought accessories and hoods, 3 folds where clothes bend


@dataclass(frozen=True)
class DatasetPlan:
    """What a data set consists of.

    Attributes:
        seed, count, size: of the set; size is the pictures' side in pixels.
        backgrounds: photographs behind a share of the people, or None.
        meshes: whether the people's meshes are kept, too.
        kind: pictures of a person, pairs of silhouettes, or groups (the latter two have neither
            backgrounds nor meshes); of groups, size is the longer side.
    """

    seed: int
    count: int
    size: int
    backgrounds: Backgrounds | None = None
    meshes: bool = False
    kind: Kind = "samples"

    @property
    def shards(self) -> int:
        return -(-self.count // SHARD_SAMPLES)

    def samples_of(self, shard: int) -> range:
        """Numbers of the samples in a shard."""
        return range(shard * SHARD_SAMPLES, min(self.count, (shard + 1) * SHARD_SAMPLES))

    def path(self, folder: Path, shard: int) -> Path:
        return folder / f"{PREFIXES[self.kind]}-{shard:05d}.tar"


def encode(sample: Sample | SilhouettePair | PersonMesh | GroupSample) -> bytes:
    """A sample as the bytes of a ``.npz``; the same bytes for the same sample."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for field in fields(sample):
            entry = zipfile.ZipInfo(f"{field.name}.npy")  # dated 1980, always
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = io.BytesIO()
            array = np.ascontiguousarray(getattr(sample, field.name))
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(entry, content.getvalue(), compresslevel=1)
    return buffer.getvalue()


def decode(content: bytes, kind: type[Entry] = Sample) -> Entry:  # type: ignore[assignment]
    """The sample, or whatever else, that ``encode`` wrote."""
    values: dict[str, Any] = {}
    with np.load(io.BytesIO(content)) as archive:
        for field in fields(kind):
            array = archive[field.name]
            if field.type in ("float", "int"):
                values[field.name] = array.item()
            elif field.type == "np.ndarray":
                values[field.name] = array
            else:
                values[field.name] = tuple(array.tolist())
    return kind(**values)


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
                for name, content in _drawn(plan, numbers, library):
                    entry = tarfile.TarInfo(f"{name}.npz")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        except BaseException:
            os.unlink(file.name)
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    return len(numbers)


def _drawn(plan: DatasetPlan, numbers: range, library: AssetLibrary) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of a shard, in order."""
    if plan.kind == "silhouettes":
        for number, pair in zip(
            numbers, random_pairs(plan.seed, numbers, plan.size, library), strict=True
        ):
            yield f"{number:08d}", encode(pair)
        return
    if plan.kind == "groups":
        for first in range(numbers.start, numbers.stop, BLOCK_GROUPS):
            wanted = range(min(BLOCK_GROUPS, numbers.stop - first))
            drawn = block_groups(plan.seed, first // BLOCK_GROUPS, plan.size, library, wanted)
            for number, group in enumerate(drawn, first):
                yield f"{number:08d}", encode(group)
        return
    for first in range(numbers.start, numbers.stop, BLOCK_SAMPLES):
        block = first // BLOCK_SAMPLES
        people = block_people(plan.seed, block, plan.size, library)
        wanted = range(min(BLOCK_SAMPLES, numbers.stop - first))
        if plan.meshes:
            for k, person in enumerate(people[: len(wanted)]):
                yield f"{first:08d}-mesh-{k}", encode(person_mesh(person))
        for number in wanted:
            rng, arrangement = arranged(
                people, plan.seed, block, number, plan.size, plan.backgrounds
            )
            yield f"{first + number:08d}", encode(draw_sample(rng, arrangement))


def write_dataset(
    folder: Path, plan: DatasetPlan, library: AssetLibrary, workers: int = 1
) -> Iterator[int]:
    """Write what is missing of a data set, yielding the number of samples as shards are done.

    Raises ``InputError`` where the folder holds another data set or cannot be written.
    """
    description = {
        "format": FORMAT, "seed": plan.seed, "size": plan.size, "shard_samples": SHARD_SAMPLES,
        "kind": plan.kind, "meshes": plan.meshes,
        "fields": [f.name for f in fields(_ENTRIES[plan.kind])],
        "backgrounds": None if plan.backgrounds is None else plan.backgrounds.digest,
    }  # fmt: skip
    notes = folder / "dataset.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if notes.exists():
            known = json.loads(notes.read_text(encoding="utf-8"))
            if {k: known.get(k) for k in description} != description:
                raise InputError(
                    f"{folder} holds another data set (seed {known.get('seed')}, size "
                    f"{known.get('size')}, or of another kind): choose another folder with -o."
                )
            if known["count"] > plan.count or known["count"] % SHARD_SAMPLES:
                _drop_partial(folder, plan, int(known["count"]))
        temporary = notes.with_suffix(".part")
        text = json.dumps({**description, "count": plan.count}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
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
    before = replace(plan, count=count)
    for shard in range(before.shards):
        if before.samples_of(shard) != plan.samples_of(shard):
            plan.path(folder, shard).unlink(missing_ok=True)


def dataset_seed(folder: Path) -> int:
    """The seed of a data set; ``sample.training_seed`` says whether to train on it.

    Raises ``InputError`` where the folder describes no data set.
    """
    try:
        return int(json.loads((folder / "dataset.json").read_text(encoding="utf-8"))["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"There is no data set in {folder}: write one with vitruvian synth."
        ) from error


def read_dataset(folder: Path) -> Iterator[Sample]:
    """Every sample of a data set, in order, as a stream."""
    for name, content in _files(folder, "samples"):
        if "mesh" not in name:
            yield decode(content)


def read_silhouettes(folder: Path) -> Iterator[SilhouettePair]:
    """Every pair of a data set of silhouettes, in order, as a stream."""
    for _, content in _files(folder, "silhouettes"):
        yield decode(content, SilhouettePair)


def read_groups(folder: Path) -> Iterator[GroupSample]:
    """Every group of a data set of groups, in order, as a stream."""
    for _, content in _files(folder, "groups"):
        yield decode(content, GroupSample)


def read_with_meshes(folder: Path) -> Iterator[tuple[Sample, PersonMesh]]:
    """Every sample with the mesh of its subject, in order, as a stream.

    Raises ``InputError`` where the data set was written without meshes. The samples of a block
    share the meshes: ``mesh.in_camera(sample)`` puts one where its sample shows it.
    """
    meshes: dict[int, PersonMesh] = {}
    for name, content in _files(folder, "samples"):
        number = int(name[:8])
        if "mesh" in name:
            person = int(name.rsplit("-", 1)[1])
            if person == 0:
                meshes.clear()  # of the block before
            meshes[person] = decode(content, PersonMesh)
            continue
        if not meshes:
            raise InputError(f"{folder} holds no meshes: write it with vitruvian synth --meshes.")
        yield decode(content), meshes[number % BLOCK_SAMPLES % BLOCK_PEOPLE]


def _files(folder: Path, kind: Kind) -> Iterator[tuple[str, bytes]]:
    """Name without suffix, and content, of every file of the shards of a kind."""
    paths = sorted(folder.glob(f"{PREFIXES[kind]}-*.tar"))
    if not paths:
        raise InputError(f"There are no shards in {folder}: write them with vitruvian synth.")
    for path in paths:
        with tarfile.open(path) as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is not None:
                    yield Path(entry.name).stem, file.read()
