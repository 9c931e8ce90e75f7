"""Work side by side, on the threads that the program was given and no more.

One pool serves everything, however deeply it nests. It cannot block itself: who asks for a result
that no thread has begun on makes it. With one thread that is what always happens.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, ParamSpec, Self, TypeVar

from vitruvian.compute.threads import thread_count

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}  # the one pool, by its number of threads


def _pool() -> ThreadPoolExecutor | None:
    count = thread_count()
    if count == 1:
        return None
    with _lock:
        if count not in _pools:
            for other in _pools.values():
                other.shutdown(wait=False)
            _pools.clear()
            _pools[count] = ThreadPoolExecutor(count, thread_name_prefix="vitruvian")
        return _pools[count]


if hasattr(os, "register_at_fork"):  # threads do not live on in a copy of the process
    os.register_at_fork(after_in_child=_pools.clear)


class Task(Generic[T]):
    """Something to be done by the time that somebody asks for its result."""

    def __init__(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> None:
        self._call: Callable[[], T] | None = lambda: function(*arguments, **keywords)
        pool = _pool()
        # Without a pool it stays pending until its result is wanted.
        self._future: Future[T] = Future() if pool is None else pool.submit(self._call)

    def result(self) -> T:
        """What the function returns, or raises. For one thread to ask, as often as it likes."""
        if self._call is not None:
            call, self._call = self._call, None
            if self._future.cancel():  # nobody has begun
                self._future = Future()
                try:
                    self._future.set_result(call())
                except BaseException as error:
                    self._future.set_exception(error)
        return self._future.result()

    def drop(self) -> None:
        """Do not begin; wait for the end where somebody has."""
        if not self._future.cancel():
            self._future.exception()


class SideBySide:
    """A group of tasks: leaving the block waits for them, or drops them where it raised."""

    def __init__(self) -> None:
        self._tasks: list[Task[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for task in self._tasks:
            if kind is None:
                task.result()
            else:
                task.drop()

    def submit(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> Task[T]:
        """Have ``function`` called by another thread, where one is free."""
        task: Task[T] = Task(function, *arguments, **keywords)
        self._tasks.append(task)
        return task

    def map(self, function: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
        """The function of every item, in their order."""
        tasks = [self.submit(function, item) for item in items]
        return [task.result() for task in tasks]
