"""Compiled code ahead of its first use: helpers, the sentence, folders that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vitruvian.compute import cache
from vitruvian.compute.cache import VARIABLE

# Three small modules' worth of kernels, enough to be worth a word.
PROGRAM = """
import vitruvian.geometry.rotations, vitruvian.geometry.normals, vitruvian.geometry.smoothing
from vitruvian.compute import set_threads
from vitruvian.compute.kernels import known_kernels
from vitruvian.compute.preparation import Preparation
set_threads({threads})
kernels = known_kernels()
said = []
done = Preparation(kernels, said.append).start().wait()
assert all(kernel.loaded and kernel.cached == {kept} for kernel in kernels)
print(done.compiled, sum(kernel.compiled_here for kernel in kernels), len(kernels), said)
"""


def _prepare(folder: Path | None, threads: int, kept: bool = True) -> tuple[int, int, int, str]:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if folder is not None:
        environment[VARIABLE] = str(folder)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(threads=threads, kept=kept)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    compiled, here, count, said = done.stdout.strip().split(" ", 3)
    return int(compiled), int(here), int(count), said + done.stderr


def test_two_processes_share_the_work_once(tmp_path: Path) -> None:
    compiled, here, count, said = _prepare(tmp_path, threads=2)
    assert compiled == count > 5
    assert here < count  # the rest was compiled by the other process
    assert said.count("Preparing compiled code for this machine (once, about ") == 1
    assert _prepare(tmp_path, threads=2) == (0, 0, count, "[]")


def test_with_one_thread_it_is_done_here(tmp_path: Path) -> None:
    compiled, here, count, _ = _prepare(tmp_path, threads=1)
    assert compiled == here == count


@pytest.fixture
def asked(monkeypatch):
    """The question asked afresh; afterwards what was answered before counts again."""
    cache.kept_in.cache_clear()
    monkeypatch.delenv(VARIABLE, raising=False)
    yield cache.kept_in
    cache.kept_in.cache_clear()


def test_a_temporary_folder_serves_where_nothing_else_can_be_written(
    asked, monkeypatch, tmp_path, caplog
) -> None:
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    real = cache._writable
    monkeypatch.setattr(cache, "_writable", lambda folder: tmp_path in folder.parents)
    folder = asked().parent
    assert os.environ[VARIABLE] == str(folder)
    monkeypatch.delenv(VARIABLE)
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    (message,) = caplog.messages
    assert message == (
        "Neither the installation nor the home folder can be written: compiled code is kept in "
        f"{folder}; set NUMBA_CACHE_DIR to a folder that lasts."
    )
    assert real(tmp_path / "new" / "er")
    (tmp_path / "file").touch()
    assert not real(tmp_path / "file" / "below")


def test_a_temporary_folder_that_others_can_write_is_not_used(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    first = cache._temporary()
    assert first is not None
    assert cache._temporary() == first
    first.chmod(0o777)
    assert cache._temporary() not in (None, first)


def test_without_any_folder_it_says_so_once(asked, monkeypatch, caplog) -> None:
    monkeypatch.setattr(cache, "_writable", lambda folder: False)
    monkeypatch.setattr(cache, "_temporary", lambda: None)
    assert not asked()
    assert not asked()
    (message,) = caplog.messages
    assert "every start compiles it anew; set NUMBA_CACHE_DIR" in message
