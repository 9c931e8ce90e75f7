"""Inner loops that numba compiles: at their first call, and then never again on this machine.

A kernel is a plain function of NumPy arrays and numbers under :func:`kernel`, which says its
types. Importing its module costs nothing: when the kernel is first called, its machine code is read
from a file and linked, which takes a millisecond and no numba; where there is none yet, numba
compiles it. ``vitruvian.compute.preparation`` does the same ahead of time for all kernels at once.
"""

from __future__ import annotations

import logging
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, update_wrapper
from typing import Any

from vitruvian.compute import cache

_building = threading.RLock()
_kernels: list[Kernel] = []
_log = logging.getLogger("vitruvian")


class Kernel:
    """A function that is compiled when it is first called.

    Attributes:
        signature: numba's types of the result (nothing, or numbers) and the arguments; None for a
            part of other kernels, which is compiled with them and cannot be called on its own.
        compiled_here: after :meth:`load`, whether there was no file of it.
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
        """Run the compiled function, which does not hold the interpreter's lock.

        Raises:
            TypeError: an argument is not of the signature's type. Arrays are not converted.
        """
        if self._compiled is None:
            self.load()
        return self._compiled(*arguments)  # type: ignore[misc]

    @property
    def name(self) -> str:
        """Module and function."""
        return f"{self._function.__module__}.{self._function.__qualname__}"

    @property
    def cached(self) -> bool:
        """Whether its machine code is on disk, of the function as it is now."""
        return cache.find(self._file) is not None

    @property
    def loaded(self) -> bool:
        """Whether it can run at once."""
        return self._compiled is not None

    def load(self) -> None:
        """Link the machine code, or compile it first and keep it. From any thread."""
        if self.signature is None:
            raise TypeError(f"{self.name} is a part of kernels and cannot be called on its own.")
        with self._loading:
            if self._compiled is None:
                images = cache.read(self._file)
                self.compiled_here = images is None
                if images is None:
                    images = self._compile()
                    cache.write(self._file, images)
                self._compiled = self._linked(images) if images else self._in_numba()

    @contextmanager
    def left_to_another(self) -> Iterator[None]:
        """Meanwhile whoever calls it waits: another process is compiling it."""
        with self._loading:
            yield

    def texts(self) -> Iterator[str]:
        """All that its machine code depends on, but for the machine."""
        from vitruvian.compute.fingerprint import texts

        fastmath = self._fastmath
        yield f"{self.signature} {sorted(fastmath) if isinstance(fastmath, set) else fastmath}"
        yield from texts(self._function)

    @cached_property
    def _file(self) -> str:
        """The name of the file of machine code."""
        from vitruvian.compute.fingerprint import fingerprint

        name = self.name.removeprefix("vitruvian.").replace("<locals>.", "")
        return f"{name}-{fingerprint(self.texts())}.kernel"

    def _compile(self) -> list[bytes]:
        """Images of machine code; none, where it needs numba around it."""
        from vitruvian.compute.build import UnfitError, machine_code

        assert self.signature is not None
        with _building:
            try:
                function = self._with_dispatchers()
                return list(machine_code(function, self.signature, self._fastmath))
            except UnfitError as error:
                _log.debug(f"{self.name} is left to numba: {error}.")
                return []

    def _linked(self, images: list[bytes]) -> Callable[..., Any]:
        from vitruvian.compute.engine import link
        from vitruvian.compute.signature import parse_signature

        assert self.signature is not None
        try:
            return link(self.name, images, parse_signature(self.signature))
        except (ImportError, OSError, RuntimeError, AttributeError, TypeError) as error:
            _log.debug(f"{self.name} cannot be linked and is left to numba: {error}.")
            return self._in_numba()

    def _in_numba(self) -> Callable[..., Any]:
        """The function as numba calls it, from numba's own files: where linking does not work."""
        from vitruvian.compute.build import dispatcher

        with _building:
            kept = cache.kept_in() is not None
            made = dispatcher(self._with_dispatchers(), self._fastmath, cache=kept)
            made.compile(self.signature)
            made.disable_compile()
            return made  # type: ignore[no-any-return]

    def dispatcher(self) -> Any:
        """What numba calls in other kernels; made from the function when first wanted."""
        from vitruvian.compute.build import dispatcher

        with _building:
            if self._dispatcher is None:
                function = self._with_dispatchers()
                self._dispatcher = dispatcher(function, self._fastmath, no_cpython_wrapper=True)
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
