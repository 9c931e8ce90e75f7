"""Machine code on disk: what numba would do, without numba; and what happens where it is no use."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vitruvian.compute import cache, engine, fingerprint, kernel_part
from vitruvian.compute.cache import VARIABLE
from vitruvian.compute.kernels import Kernel
from vitruvian.geometry import normals, rotations
from vitruvian.surface.finish import quadrics


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty place for compiled code."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    cache.kept_in.cache_clear()
    yield tmp_path / "vitruvian"
    cache.kept_in.cache_clear()


OFFSET = 1


@kernel_part
def _raised(x: float) -> float:
    return x + OFFSET


def _sum_of(values: np.ndarray, out: np.ndarray) -> float:
    total = 0.0
    for i in range(len(values)):
        out[i] = _raised(values[i])
        total += out[i]
    return total


def make() -> Kernel:
    return Kernel(_sum_of, "float64(float64[::1],float32[::1])")


def check(kernel: Kernel, compiled: bool) -> None:
    out = np.zeros(3, np.float32)
    assert kernel(np.array([1.0, 2.0, 3.5]), out) == 9.5
    assert out.tolist() == [2.0, 3.0, 4.5]
    assert kernel.compiled_here == compiled


def test_the_file_serves_until_the_code_or_the_machine_is_another(folder, monkeypatch) -> None:
    assert not make().cached
    check(make(), compiled=True)
    assert make().cached
    check(make(), compiled=False)
    (file,) = folder.iterdir()
    assert "_sum_of-" in file.name

    monkeypatch.setattr(sys.modules[__name__], "OFFSET", 2)  # of a part, in a global
    assert not make().cached
    monkeypatch.undo()
    monkeypatch.setenv(VARIABLE, str(folder.parent))
    assert make().cached
    assert not Kernel(_sum_of, make().signature, fastmath=True).cached
    other = (*fingerprint._surroundings()[:3], "another-processor")
    monkeypatch.setattr(fingerprint, "_surroundings", lambda: other)
    assert not make().cached
    assert [*folder.iterdir()] == [file]


@pytest.mark.parametrize("damage", [b"", b"something else", None])
def test_a_damaged_file_is_compiled_anew(folder, damage) -> None:
    kernel = make()
    folder.mkdir()
    file = folder / kernel._file
    whole = cache.kept_in()
    assert whole == folder
    cache.write(file.name, [b"image", b"entry"])
    assert cache.read(file.name) == [b"image", b"entry"]
    content = file.read_bytes()
    file.write_bytes(content[:-1] if damage is None else damage)
    assert cache.read(file.name) is None
    check(kernel, compiled=True)
    check(make(), compiled=False)


def test_numba_runs_what_cannot_be_linked(folder, monkeypatch, caplog) -> None:
    caplog.set_level(logging.DEBUG, "vitruvian")
    kernel = make()
    cache.write(kernel._file, [b"no object code"])  # whole, but of no use
    check(kernel, compiled=False)
    assert "cannot be linked and is left to numba" in caplog.text
    with pytest.raises(TypeError):
        kernel(np.zeros((2, 2)), np.zeros(2, np.float32))

    def unable(*_: object) -> None:
        raise RuntimeError("no engine here")

    monkeypatch.setattr(engine, "link", unable)
    check(make(), compiled=False)


def test_numba_runs_what_it_says_needs_it(folder) -> None:
    kernel = make()
    cache.write(kernel._file, [])
    check(kernel, compiled=False)


def test_without_a_folder_it_runs_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(cache, "kept_in", lambda: None)
    monkeypatch.setattr(cache, "_places", list)
    check(make(), compiled=True)


def test_code_that_came_with_the_installation_is_read_there(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(cache, "_PACKAGE", tmp_path / "package")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    package, home = cache._places()
    monkeypatch.setattr(cache, "kept_in", lambda: package)
    cache.write("a", [b"of the image"])
    monkeypatch.setattr(cache, "kept_in", lambda: home)
    cache.write("b", [b"of the user", b""])
    assert cache.read("a") == [b"of the image"]
    assert cache.read("b") == [b"of the user", b""]
    assert cache.find("b") == home / "b"
    assert cache.read("c") is None


def test_arguments_of_other_types_never_reach_the_code() -> None:
    kernel = make()
    wrong = np.zeros(3, np.float32)
    with pytest.raises(TypeError, match=r"_sum_of: Argument 1 is a writable.*float32 instead of"):
        kernel(wrong, wrong)
    with pytest.raises(TypeError, match=r"_sum_of: There are 1 arguments instead of 2"):
        kernel(np.zeros(3))


def _room(size: int) -> int:
    room = np.empty((size, 2**20))
    room[0, 0] = 1
    return room.shape[1] + np.int64(room[0, 0])


def test_memory_that_is_not_there_is_an_error() -> None:
    kernel = Kernel(_room, "int64(int64)")
    assert kernel(1) == 2**20 + 1
    with pytest.raises(MemoryError, match="_room had no memory"):
        kernel(2**40)


def _many(count: int, numbers: np.ndarray) -> tuple[int, float]:
    total = 0.0
    for _ in range(count):
        room = np.zeros(2**17)  # a megabyte: 20 GB if it were never given back
        room[:] = numbers[0]
        view = room[1:]
        total += view[-1]
    return count, total


def test_memory_is_given_back_and_tuples_are_returned() -> None:
    kernel = Kernel(_many, "Tuple((int64,float64))(int64,float64[::1])")
    resource = pytest.importorskip("resource")
    kernel(1, np.ones(1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert kernel(2000, np.full(1, 0.5)) == (2000, 1000.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000


def _mesh() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(200, 3)), rng.integers(0, 200, (300, 3)).astype(np.int32)


def _arrays() -> dict[Kernel, tuple[np.ndarray | float, ...]]:
    """Kernels that call the mathematical library, take memory, reorder sums or call others."""
    vertices, faces = _mesh()
    single = vertices.astype(np.float32)
    quaternions = np.random.default_rng(4).normal(size=(200, 4))
    return {
        rotations._exponentials: (vertices, np.zeros((200, 3, 3))),
        rotations._logarithms: (quaternions, np.zeros((200, 3))),
        normals._of_vertices: (single, faces, np.zeros((200, 3), np.float32)),
        quadrics.add_quadrics: (vertices, faces, 1e-3, np.zeros((200, 10))),
    }


def test_results_are_numbas_to_the_last_bit() -> None:
    for kernel, arguments in _arrays().items():
        ours, numbas = (
            [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
            for _ in range(2)
        )
        kernel(*ours)
        kernel._in_numba()(*numbas)
        assert np.abs(ours[-1]).sum() > 0, kernel.name
        assert ours[-1].tobytes() == numbas[-1].tobytes(), kernel.name


PROGRAM = """
import sys
import numpy as np
from vitruvian.geometry import normals
out = np.zeros((3, 3), np.float32)
normals._of_vertices(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32), out)
assert np.allclose(out, 3**-0.5)
print(normals._of_vertices.compiled_here, "numba" in sys.modules)
"""


def test_two_processes_may_compile_the_same_at_once(tmp_path) -> None:
    environment = {**os.environ, VARIABLE: str(tmp_path)}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
        )

    both = [start(), start()]
    assert {process.communicate()[0] for process in both} <= {"True True\n", "False False\n"}
    assert [process.returncode for process in both] == [0, 0]
    (file,) = Path(tmp_path, "vitruvian").iterdir()
    assert file.suffix == ".kernel"
    assert start().communicate()[0] == "False False\n"
