"""Inner loops that numba compiles: at their first call, and then never again on this machine.

A kernel is a plain function of NumPy arrays and numbers under :func:`kernel`, which says its
types. Importing its module costs nothing: numba is loaded and the machine code read from numba's
cache, or compiled into it, when the kernel is first called. ``vitruvian.compute.preparation`` does
the same ahead of time for all kernels at once.
"""

from __future__ import annotations

import os
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import Any

from vitruvian.compute.cache import can_be_kept

_building = threading.RLock()
_kernels: list[Kernel] = []


class Kernel:
    """A function that is compiled when it is first called.

    Attributes:
        signature: numba's types of the result and the arguments; None for a part of other kernels,
            which is compiled with them and cannot be called on its own.
        compiled_here: after :meth:`load`, whether the cache did not have it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        signature: str | None,
        fastmath: bool | set[str] = False,
    ) -> None:
        update_wrapper(self, function)
        self.signature = signature
        self.compiled_here = False
        self._function = function
        self._fastmath = fastmath
        self._dispatcher: Any = None
        self._compiled: Callable[..., Any] | None = None
        self._loading = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """Run the compiled function, which does not hold the interpreter's lock."""
        if self._compiled is None:
            self.load()
        return self._compiled(*arguments)  # type: ignore[misc]

    @property
    def name(self) -> str:
        """Module and function."""
        return f"{self._function.__module__}.{self._function.__qualname__}"

    @property
    def cache_path(self) -> Path | None:
        """The folder that numba keeps the machine code in; None where there is none."""
        stats = self.dispatcher().stats
        return Path(stats.cache_path) if can_be_kept() else None

    @property
    def cached(self) -> bool:
        """Whether its machine code lies there, of the function as it is now."""
        if not can_be_kept():
            return False
        try:
            # numba has no public question for this; what it answers is used for words alone.
            return bool(self.dispatcher()._cache._cache_file._load_index())
        except AttributeError:
            return True

    @property
    def loaded(self) -> bool:
        """Whether it can run at once."""
        return self._compiled is not None

    def load(self) -> None:
        """Read the machine code from the cache, or compile it into the cache. From any thread."""
        if self.signature is None:
            raise TypeError(f"{self.name} is a part of kernels and cannot be called on its own.")
        with self._loading:
            if self._compiled is None:
                dispatcher = self.dispatcher()
                dispatcher.compile(self.signature)
                dispatcher.disable_compile()
                self.compiled_here = not can_be_kept() or bool(dispatcher.stats.cache_misses)
                self._compiled = dispatcher

    @contextmanager
    def left_to_another(self) -> Iterator[None]:
        """Meanwhile whoever calls it waits: another process is compiling it."""
        with self._loading:
            yield

    def dispatcher(self) -> Any:
        """What numba knows the function as; made from it when first wanted."""
        with _building:
            kept = can_be_kept()
            import numba

            if self._dispatcher is None:
                options: dict[str, Any] = {
                    "nogil": True,
                    "error_model": "numpy",  # no exception to compile for every division
                    "no_cfunc_wrapper": True,  # called from Python alone
                }
                options["cache"] = self.signature is not None and kept
                if self._fastmath:
                    options["fastmath"] = self._fastmath
                self._dispatcher = numba.njit(**options)(self._with_dispatchers())
            return self._dispatcher

    def _with_dispatchers(self) -> types.FunctionType:
        """The function over globals in which kernels are what numba can call."""
        function = self._function
        assert isinstance(function, types.FunctionType)
        called = {
            name: value.dispatcher()
            for name in function.__code__.co_names
            if isinstance(value := function.__globals__.get(name), Kernel)
        }
        if not called:
            return function
        copy = types.FunctionType(function.__code__, {**function.__globals__, **called})
        update_wrapper(copy, function)
        return copy


def kernel(
    signature: str, *, fastmath: bool | set[str] = False
) -> Callable[[Callable[..., Any]], Kernel]:
    """Compile a function when it is first called.

    Args:
        signature: numba's types, such as ``void(float32[:,::1],int32[::1])``.
        fastmath: let the compiler reorder sums and forget about infinities, or LLVM's names of
            what it may.
    """

    def decorate(function: Callable[..., Any]) -> Kernel:
        made = Kernel(function, signature, fastmath)
        _kernels.append(made)
        return made

    return decorate


def kernel_part(function: Callable[..., Any]) -> Kernel:
    """A function that only kernels call, compiled with each of them."""
    return Kernel(function, None)


def known_kernels() -> list[Kernel]:
    """The kernels of all modules imported so far, in the order of import."""
    return list(_kernels)


def cache_folder(kernels: list[Kernel]) -> str | None:
    """The folder below which the machine code of kernels lies; None where it is not kept."""
    folders = [str(kernel.cache_path) for kernel in kernels] if can_be_kept() else []
    return os.path.commonpath(folders) if folders else None
