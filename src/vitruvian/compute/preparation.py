"""Compiled code ahead of its first use: read from disk, or compiled by all processors at once.

numba compiles in one thread of a process at a time, so other processes take part: each takes
kernels from one queue, compiles them into the cache that all share, and says when one is there.
The caller goes on meanwhile; a kernel that is called waits for itself alone.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from vitruvian.compute.cache import kept_in
from vitruvian.compute.kernels import Kernel, known_kernels
from vitruvian.compute.threads import thread_count

Say = Callable[[str], None]

_SECONDS_EACH = 0.4  # of one processor, to compile a kernel
_MOST_HELPERS = 3
_FEW = 3  # kernels that are not worth a word

_stopped = threading.Event()


class Preparation:
    """Loads kernels in the background, in their order; the first that must be compiled calls help.

    Args:
        kernels: those that will be needed, the first needed first.
        say: told in a sentence when code has to be compiled, which takes long.
    """

    def __init__(self, kernels: Sequence[Kernel], say: Say) -> None:
        self.compiled = 0
        self._kernels = list(kernels)
        self._waiting = deque(kernels)
        self._say = say
        self._helpers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._work, name="vitruvian-kernels")

    def start(self) -> Preparation:
        """Begin, and return at once; with one thread only, return when everything is loaded."""
        if thread_count() > 1:
            self._thread.start()
        else:
            self._work()
        return self

    def wait(self) -> Preparation:
        """Return when all kernels can run."""
        if self._thread.ident is not None:
            self._thread.join()
        return self

    def _work(self) -> None:
        while (kernel := self._next()) is not None:
            before = kernel.loaded
            kernel.load()
            if kernel.compiled_here and not before:
                self.compiled += 1
                self._call_help()
        for kernel in self._kernels:  # those that others have compiled
            if not _stopped.is_set():
                kernel.load()
        for helper in self._helpers:
            helper.join()
        if self.compiled:
            gc.enable()

    def _next(self) -> Kernel | None:
        try:
            return None if _stopped.is_set() else self._waiting.popleft()
        except IndexError:
            return None

    def _call_help(self) -> None:
        if self.compiled > 1 or not self._waiting:
            return
        gc.disable()  # numba leaves little to collect, and looking for it takes a fifth of the time
        missing = sum(not kernel.cached for kernel in self._waiting) or len(self._waiting)
        if missing < _FEW:
            return
        helpers = min(thread_count() - 1, _MOST_HELPERS)
        if not sys.executable or kept_in() is None:
            helpers = 0
        seconds = max(1, round(missing * _SECONDS_EACH / (1 + helpers)))
        self._say(f"Preparing compiled code for this machine (once, about {seconds} s)…")
        self._helpers = [threading.Thread(target=self._help) for _ in range(helpers)]
        for helper in self._helpers:
            helper.start()

    def _help(self) -> None:
        """Hand kernels to another process, one at a time, until none is left or it has ended."""
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        with (
            contextlib.suppress(OSError),
            subprocess.Popen(
                [sys.executable, "-m", "vitruvian.compute.preparation"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                text=True,
            ) as process,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.readline()  # when it is ready
            while (kernel := self._next()) is not None:
                if kernel.loaded:
                    continue
                with kernel.left_to_another():
                    process.stdin.write(f"{kernel.name}\n")
                    process.stdin.flush()
                    if process.stdout.readline() != "done\n":
                        return
                self.compiled += 1
            process.stdin.close()


def stop() -> None:
    """Leave what is not compiled yet: the program is to end at once."""
    _stopped.set()


_asked_for: set[str] = set()
_asking = threading.Lock()


def prepare(rooms: Iterable[str], say: Say | None = None) -> Preparation:
    """Load or compile the kernels of some rooms in the background, each once in a process.

    Args:
        rooms: packages below ``vitruvian`` whose modules are imported, such as ``geometry``.
        say: told in a sentence when code has to be compiled; by default the log, which Python
            prints on stderr.
    """
    wanted = {f"vitruvian.{room}." for room in rooms}
    with _asking:
        kernels = [
            kernel
            for kernel in known_kernels()
            if kernel.name.startswith(tuple(wanted)) and kernel.name not in _asked_for
        ]
        _asked_for.update(kernel.name for kernel in kernels)
    return Preparation(kernels, say or logging.getLogger("vitruvian").warning).start()


def _serve() -> None:
    """Compile the kernels whose names stand on the standard input, one a line."""
    import numba  # noqa: F401  # before the first is waited for

    gc.disable()
    print("ready", flush=True)
    for line in sys.stdin:
        module, name = line.strip().rsplit(".", 1)
        getattr(importlib.import_module(module), name).load()
        print("done", flush=True)


if __name__ == "__main__":
    _serve()
