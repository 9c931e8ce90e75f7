"""Kernels: compiled at the first call, kept on disk, callable from each other."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vitruvian.compute import kernel, kernel_part
from vitruvian.compute.kernels import known_kernels


@kernel_part
def _square(x: float) -> float:
    return x * x


@kernel("float64(float64[::1])")
def _inner(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += _square(value)
    return total


@kernel("float64(float64[::1])")
def _outer(values: np.ndarray) -> float:
    """The root of the sum of squares."""
    return np.sqrt(_inner(values))


def test_a_kernel_calls_kernels_and_their_parts() -> None:
    assert _outer(np.array([3.0, 4.0])) == 5.0
    assert _outer.loaded
    assert _outer.__doc__ == "The root of the sum of squares."


def test_a_part_cannot_be_called_from_python() -> None:
    with pytest.raises(TypeError, match="_square is a part of kernels"):
        _square(2.0)


def test_several_threads_may_call_first() -> None:
    @kernel("int64(int64)")
    def twice(x: int) -> int:
        return 2 * x

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(twice, range(64))) == [2 * x for x in range(64)]
    assert known_kernels()[-1] is twice


def test_importing_the_pipeline_neither_imports_numba_nor_compiles() -> None:
    code = (
        "import sys, vitruvian.pipeline.photo, vitruvian.result.files;"
        "from vitruvian.compute.kernels import known_kernels;"
        "kernels = known_kernels();"
        "assert len(kernels) > 30, kernels;"
        "assert not any(kernel.loaded for kernel in kernels);"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
