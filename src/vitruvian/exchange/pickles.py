"""Pickles of arrays, read without running what they ask for.

A pickle may call anything that Python can import. Here only what builds NumPy arrays is called. In
place of all other classes and functions come stand-ins that keep what they are told and do nothing.
From them the numbers of SciPy's sparse matrices and of chumpy's arrays are read, of which old model
files are full. Neither package is needed.
"""

from __future__ import annotations

import codecs
import io
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np

_ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
# What kinds of sparse matrices are called, and where, over SciPy's versions.
_SPARSE = ("csc_matrix", "csr_matrix", "coo_matrix", "csc_array", "csr_array", "coo_array")


# NumPy's own makers, wherever this version of it has them.
_SCALAR: Any = np.float64(0).__reduce__()[0]
_EMPTY: Any = np.empty(0).__reduce__()[0]


class _Carried:
    """Stands for an object of another package: keeps what it was told and does nothing."""

    state: Mapping[str, Any] = {}  # of objects that are made without being called

    def __init__(self, *args: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        named = [part for part in parts if isinstance(part, dict)]
        self.state = {str(key): value for part in named for key, value in part.items()}

    def __setitem__(self, key: Any, value: Any) -> None:
        """Entries of mappings of another package are not kept."""

    def append(self, value: Any) -> None:
        """Neither are those of lists."""

    extend = append


class _Chumpy(_Carried):
    """An array of chumpy: its values are in ``x``, or a choice of another's."""


class _Sparse(_Carried):
    """A matrix of SciPy; ``format`` is csc, csr or coo."""

    format = "csc"


_SPARSE_KINDS = {kind: type(kind, (_Sparse,), {"format": kind}) for kind in ("csc", "csr", "coo")}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("_codecs", "encode"): _encode,
            ("copy_reg", "_reconstructor"): _bare,
            ("copyreg", "_reconstructor"): _bare,
            ("__builtin__", "object"): object,
            ("builtins", "object"): object,
            ("__builtin__", "set"): set,
            ("builtins", "set"): set,
        }
        for place in _ARRAYS:
            known[place, "_reconstruct"] = _empty
            known[place, "scalar"] = _SCALAR
        for place in _NUMERIC:
            known[place, "_frombuffer"] = _frombuffer
        if (module, name) in known:
            return known[module, name]
        if module.split(".")[0] == "scipy" and name in _SPARSE:
            return _SPARSE_KINDS[name[:3]]
        if module.split(".")[0] == "chumpy":
            return _Chumpy
        return _Carried


def _empty(kind: type, shape: Any, code: Any) -> np.ndarray:
    """An array whose shape and numbers the pickle tells next."""
    array: np.ndarray = _EMPTY(np.ndarray, (0,), b"b")
    return array


def _encode(text: str, encoding: str = "latin1", errors: str = "strict") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"{encoding} is no encoding of an array's bytes")
    return codecs.latin_1_encode(text, errors)[0]


def _frombuffer(buffer: Any, dtype: np.dtype, shape: Any, order: Any) -> np.ndarray:
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _bare(kind: type, base: type, state: Any) -> Any:
    if not (isinstance(kind, type) and issubclass(kind, _Carried)):
        raise pickle.UnpicklingError("it makes objects as no array does")
    return kind()


def read_arrays(data: bytes) -> dict[str, Any]:
    """The arrays of a pickled mapping, by name; sparse ones made dense, what is no array left out.

    Raises:
        ValueError: it is no pickle of a mapping, or wants more than arrays.
    """
    try:
        read = _Reader(io.BytesIO(data), encoding="latin1").load()
    except MemoryError:
        raise
    except Exception as error:  # broken pickles raise anything
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(read, dict):
        raise ValueError("it holds no mapping of names to arrays")
    found = {}
    for key, value in read.items():
        name = key.decode("latin1") if isinstance(key, bytes) else str(key)
        array = _array(value)
        if array is not None:
            found[name] = array
    return found


def _array(value: Any) -> np.ndarray | None:
    """The plain array in ``value``; None where there is none."""
    if isinstance(value, np.ndarray):
        return value if value.dtype != object else None
    if isinstance(value, _Sparse):
        return _dense(value)
    if isinstance(value, _Chumpy):
        return _values(value)
    if isinstance(value, int | float | np.number):
        return np.asarray(value)
    return None


def _values(value: _Chumpy, depth: int = 0) -> np.ndarray | None:
    """The numbers of chumpy's array: its own, or those it chooses of another's."""
    state = value.state
    if isinstance(state.get("x"), np.ndarray):
        return np.asarray(state["x"])
    inner = state.get("a", state.get("x"))
    if isinstance(inner, _Chumpy) and depth < 8:
        inner = _values(inner, depth + 1)
    if not isinstance(inner, np.ndarray):
        return None
    if "idxs" in state:  # chumpy.reordering.Select
        chosen = inner.ravel()[np.asarray(state["idxs"])]
        shape = state.get("preferred_shape")
        return np.asarray(chosen if shape is None else chosen.reshape(shape))
    return inner


def _dense(sparse: _Sparse) -> np.ndarray:
    """A sparse matrix written out."""
    state = sparse.state
    shape = tuple(int(n) for n in state.get("_shape", state.get("shape", ())))
    if len(shape) != 2 or min(shape) < 0 or shape[0] * shape[1] > 50_000_000:
        raise ValueError("a sparse matrix in it has no usable shape")
    out = np.zeros(shape)
    values = np.asarray(state["data"])
    if sparse.format == "coo":
        rows, columns = state.get("coords", (state.get("row"), state.get("col")))
        np.add.at(out, (np.asarray(rows), np.asarray(columns)), values)
        return out
    lengths = np.diff(np.asarray(state["indptr"]))
    outer = np.repeat(np.arange(len(lengths)), lengths)
    inner = np.asarray(state["indices"])
    rows, columns = (inner, outer) if sparse.format == "csc" else (outer, inner)
    np.add.at(out, (rows, columns), values)
    return out
