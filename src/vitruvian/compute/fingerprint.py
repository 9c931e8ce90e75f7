"""What the machine code of a kernel depends on, as a short name: other code has another."""

from __future__ import annotations

import hashlib
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.compute.cache import VARIABLE

_FORMAT = 1  # of the files, and of what the entry to the code takes


def fingerprint(texts: Iterable[str]) -> str:
    """A digest of what a kernel is, this processor and numba."""
    digest = hashlib.blake2b(digest_size=12)
    for text in (*_surroundings(), *texts):
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()


@cache
def _surroundings() -> tuple[str, ...]:
    """What is the same for all kernels."""
    import llvmlite
    from llvmlite import binding

    settings = (
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith("NUMBA_") and name != VARIABLE
    )
    return (
        f"{_FORMAT} {sys.implementation.cache_tag} {np.__version__} {llvmlite.__version__}",
        _version_of_numba(),
        binding.get_process_triple(),
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
        *settings,
    )


def _version_of_numba() -> str:
    """Its file that says so: to import numba, or to ask the installation, takes too long here."""
    found = find_spec("numba")
    if found is None or found.origin is None:
        return ""
    file = Path(found.origin).with_name("_version.py")
    return (file if file.exists() else Path(found.origin)).read_text(encoding="utf-8")


def texts(function: Callable[..., Any]) -> Iterator[str]:
    """All that says what a function does, with all kernels that it calls.

    Constants count with their values; of NumPy's functions, the name.
    """
    assert isinstance(function, types.FunctionType)
    yield f"{function.__defaults__} {[cell.cell_contents for cell in function.__closure__ or ()]}"
    yield from _of_code(function.__code__, function.__globals__)


def _of_code(code: types.CodeType, known: dict[str, Any]) -> Iterator[str]:
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars}"
    yield f"{code.co_argcount} {code.co_flags} {code.co_exceptiontable.hex()}"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _of_code(constant, known)
        else:
            yield repr(constant)
    for name in code.co_names:
        if name in known:
            yield name
            yield from _of_global(known[name])


def _of_global(value: Any) -> Iterator[str]:
    if hasattr(value, "texts"):  # a kernel, or a part of kernels
        yield from value.texts()
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    elif isinstance(value, types.ModuleType):
        if value.__name__.startswith("vitruvian"):
            raise TypeError(f"A kernel uses {value.__name__}: import what it needs of it.")
        yield value.__name__
    elif hasattr(value, "__qualname__"):
        yield f"{value.__module__}.{value.__qualname__}"
    else:
        yield f"{type(value).__name__} {value!r}"
