"""Work in other processes of this machine: pure functions of what can be pickled, results in order.

Where much of the work is Python, threads wait for each other; processes do not. Helpers are started
as programs of their own, not as copies of this one: copies of a process with threads hang, and the
user's program is none that others may import.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Generic, Self, TypeVar

from vitruvian.compute.threads import THREADS_VARIABLE, set_threads, thread_count
from vitruvian.errors import CrashError

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[], None]

_LENGTH = struct.Struct(">Q")
_TELL_S = 0.2  # between two words on how far the work is
_GONE = (
    "A process that helped has ended, which may need more memory than there is: give fewer with "
    "--workers."
)


class Crew:
    """Some processes that do what they are given; a context that ends them when it is left.

    With one worker there is no other process, and everything is done where it is asked for. What
    is done does not depend on their number. Each is started when there is work for it.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._threads = max(1, thread_count() // workers)
        self._idle: deque[_Helper] = deque()
        self._all: list[_Helper] = []
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, in the middle of their work too."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        for helper in self._all:
            helper.end()

    def map(
        self,
        function: Callable[[Item, Tick], Result],
        items: Iterable[Item],
        told: Callable[[int], None] | None = None,
    ) -> Generator[Result, None, None]:
        """What ``function`` returns for each item, in their order.

        Items are taken when there is somebody free for them, and a few ahead of the results that
        were asked for; whoever has enough leaves the iterator.

        Args:
            function: of a module; given an item and what it calls for every step of its work.
            items: pickled, as the results are.
            told: how many steps were done, now and then; what it raises ends the iteration.

        Raises:
            CrashError: a process ended.
        """
        steps: list[None] = []  # one for each: appending needs no lock

        def tick() -> None:
            steps.append(None)
            if told is not None and self._pool is None:
                told(len(steps))

        if self._pool is None:
            for item in items:
                yield function(item, tick)
            return
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(self._pool.submit(self._do, function, item, tick))
                if len(waiting) > self.workers:
                    yield _awaited(waiting.popleft(), steps, told)
            while waiting:
                yield _awaited(waiting.popleft(), steps, told)
        finally:
            for future in waiting:
                future.cancel()

    def submit(self, function: Callable[[Item, Tick], Result], item: Item) -> Pending[Result]:
        """The same of one item, by the time that its result is wanted."""
        return Pending(self._pool, self._do, function, item)

    def _do(self, function: Callable[[Item, Tick], Result], item: Item, tick: Tick) -> Result:
        try:
            helper = self._idle.pop()
        except IndexError:
            helper = _Helper(self._threads)
            self._all.append(helper)
        answer: Result = helper.do(function, item, tick)
        self._idle.append(helper)
        return answer


@contextlib.contextmanager
def crew_of(workers: int | Crew) -> Iterator[Crew]:
    """A crew of so many for the length of the block; one that is given goes on behind it."""
    if isinstance(workers, Crew):
        yield workers
    else:
        with Crew(workers) as crew:
            yield crew


class Pending(Generic[Result]):
    """What somebody is about to do; with one worker it is done when it is asked for."""

    def __init__(
        self,
        pool: ThreadPoolExecutor | None,
        do: Callable[..., Result],
        function: Callable[[Item, Tick], Result],
        item: Item,
    ) -> None:
        self._steps: list[None] = []  # one for each: appending needs no lock
        self._call: Callable[[Tick], Result] = lambda tick: function(item, tick)
        self._future: Future[Result] | None = None
        if pool is not None:
            self._future = pool.submit(do, function, item, lambda: self._steps.append(None))

    def result(self, told: Callable[[int], None] | None = None) -> Result:
        """What the function returns, or raises; ``told`` as of ``Crew.map``."""
        if self._future is not None:
            return _awaited(self._future, self._steps, told)

        def tick() -> None:
            self._steps.append(None)
            if told is not None:
                told(len(self._steps))

        return self._call(tick)


def _awaited(future: Future[Result], steps: Sized, told: Callable[[int], None] | None) -> Result:
    known, done = -1, False
    while told is not None and not done:
        with contextlib.suppress(TimeoutError):
            future.exception(_TELL_S)
        done = future.done()  # before counting: what is done then is counted
        if len(steps) != known:
            known = len(steps)
            told(known)
    return future.result()


class _Helper:
    """One process and the two pipes to it."""

    def __init__(self, threads: int) -> None:
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        names = (THREADS_VARIABLE, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vitruvian.compute.processes", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, **{name: str(threads) for name in names}},
        )

    def do(self, function: Callable[[Item, Tick], Result], item: Item, tick: Tick) -> Result:
        """Have it done; what it raises there is raised here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            _send(self._process.stdin, (function, item))
            while True:
                kind, value = _received(self._process.stdout)
                if kind == "tick":
                    tick()
                elif kind == "raised":
                    raise value
                else:
                    return value  # type: ignore[no-any-return]
        except (EOFError, BrokenPipeError) as error:
            raise CrashError(_GONE) from error

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


def _send(pipe: BinaryIO | Any, value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _received(pipe: BinaryIO | Any) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)  # our own process wrote it


def _serve(threads: int) -> None:
    """Do what comes on the standard input until that is closed."""
    # Ctrl-C in a terminal reaches the whole group: who gave the work decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_threads(threads)
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    given: deque[Any] = deque()
    there = threading.Semaphore(0)

    def read() -> None:
        with contextlib.suppress(EOFError):
            while True:
                given.append(_received(sys.stdin.buffer))
                there.release()
        os._exit(0)  # whoever wanted the work is gone

    threading.Thread(target=read, daemon=True).start()

    def tick() -> None:
        _send(answers, ("tick", None))

    while True:
        there.acquire()
        function, item = given.popleft()
        try:
            answer = ("done", function(item, tick))
        except Exception as error:
            answer = ("raised", error)
        _send(answers, answer)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
