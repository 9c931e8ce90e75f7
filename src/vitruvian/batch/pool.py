"""A pool of warm processes on this machine, each with one job at a time."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from vitruvian.batch.orders import Answer, Order
from vitruvian.errors import CrashError

_MOST_FAILED_STARTS = 3
LOST = "{label} ended the process that worked on it, which may need more memory than there is."
LATE = "{label} took longer than the {limit:g} seconds that are allowed (--time-limit)."


class Pool(Protocol):
    """Somebody who does orders."""

    @property
    def free(self) -> int:
        """How many orders would be begun at once."""

    def submit(self, order: Order) -> None:
        """Take an order, when ``free``."""

    def wait(self, seconds: float) -> list[Answer]:
        """Answers, once there are some or the time is over."""

    def held(self) -> list[Order]:
        """The orders that have no answer yet."""

    def close(self) -> None:
        """Give up what runs."""


class LocalPool:
    """Processes on this machine. One that dies is replaced; its order ends as ``lost``.

    Args:
        workers: how many.
        threads: processor threads of each.
        time_limit_s: longest time for an order; None for none.
        warm: names of networks that are loaded before the first order.
    """

    def __init__(
        self,
        workers: int,
        threads: int = 1,
        time_limit_s: float | None = None,
        warm: tuple[str, ...] = (),
    ) -> None:
        self._threads, self._limit, self._warm = threads, time_limit_s, warm
        self._failed_starts = 0
        self._slots = [_Slot(threads, warm) for _ in range(workers)]

    @property
    def free(self) -> int:
        return sum(slot.ready and slot.order is None for slot in self._slots)

    def submit(self, order: Order) -> None:
        slot = next(slot for slot in self._slots if slot.ready and slot.order is None)
        slot.order, slot.since = order, time.monotonic()
        with contextlib.suppress(OSError):  # it died: ``wait`` finds out
            slot.connection.send(order)

    def wait(self, seconds: float) -> list[Answer]:
        """See ``Pool``. Raises ``CrashError`` when processes die before they can begin."""
        if self._limit is not None:
            running = [slot.since for slot in self._slots if slot.order is not None]
            left = min(running, default=time.monotonic()) + self._limit - time.monotonic()
            seconds = min(seconds, max(0.0, left)) if running else seconds
        waited_for: list[Any] = [slot.connection for slot in self._slots]
        waited_for += [slot.process.sentinel for slot in self._slots]
        ready = set(wait(waited_for, seconds))
        answers: list[Answer] = []
        for number, slot in enumerate(self._slots):
            if slot.connection in ready or slot.process.sentinel in ready:
                answers += self._hear(number)
            elif slot.order is not None and self._is_late(slot):
                assert self._limit is not None
                answers.append(late(slot.order, self._limit))
                self._replace(number)
        return answers

    def held(self) -> list[Order]:
        return [slot.order for slot in self._slots if slot.order is not None]

    def close(self) -> None:
        for slot in self._slots:
            slot.end()

    @property
    def process_ids(self) -> list[int]:
        """Of the processes."""
        return [slot.process.pid for slot in self._slots if slot.process.pid is not None]

    def _hear(self, number: int) -> list[Answer]:
        slot = self._slots[number]
        with contextlib.suppress(EOFError, OSError):
            if slot.connection.poll():
                said = slot.connection.recv()
                slot.ready, self._failed_starts = True, 0
                if said is None:
                    return []
                slot.order = None
                return [said]
        order, began = slot.order, slot.ready
        self._failed_starts += not began
        if self._failed_starts >= _MOST_FAILED_STARTS:
            raise CrashError(
                "The workers end before they can begin; run vitruvian doctor to see why."
            )
        self._replace(number)
        return [] if order is None else [lost(order)]

    def _is_late(self, slot: _Slot) -> bool:
        return self._limit is not None and time.monotonic() - slot.since >= self._limit

    def _replace(self, number: int) -> None:
        self._slots[number].end()
        self._slots[number] = _Slot(self._threads, self._warm)


def lost(order: Order) -> Answer:
    """The answer for an order whose worker died."""
    sentence = LOST.format(label=order.task.label)
    return Answer(order.ticket, "lost", code="crashed", sentence=sentence)


def late(order: Order, limit: float) -> Answer:
    """The answer for an order that took too long."""
    sentence = LATE.format(label=order.task.label, limit=limit)
    return Answer(order.ticket, "late", code="took-too-long", sentence=sentence, seconds=limit)


class _Slot:
    """A process and what it works on.

    Attributes:
        order: None while it is idle.
        since: when the order was handed to it, by the monotonic clock.
        ready: it has said that it is warm.
    """

    def __init__(self, threads: int, warm: tuple[str, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        # Nothing is ever sent through it: that it closes tells a worker that the driver is gone.
        life, self._life = context.Pipe(duplex=False)
        self.process = context.Process(
            target=_serve, args=(theirs, life, threads, warm), daemon=True
        )
        with _one_thread_each(threads):
            self.process.start()
        theirs.close()
        life.close()
        self.order: Order | None = None
        self.since = 0.0
        self.ready = False

    def end(self) -> None:
        """Kill the process and wait for it."""
        self.process.kill()
        self.process.join()
        self.connection.close()
        self._life.close()


@contextlib.contextmanager
def _one_thread_each(threads: int) -> Iterator[None]:
    """The environment from which a worker's libraries take their threads, for a moment."""
    names = ("VITRUVIAN_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(threads) for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(orders: Connection, life: Connection, threads: int, warm: tuple[str, ...]) -> None:
    """What a worker process does until its driver is gone."""
    # Ctrl-C in a terminal reaches the whole group: only the driver decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(life,), daemon=True).start()
    prepare(threads, warm)
    from vitruvian.batch.work import do

    with contextlib.suppress(EOFError, OSError):
        orders.send(None)
        while True:
            orders.send(do(orders.recv()))


def _follow(life: Connection) -> None:
    """End with the driver, in the middle of a job too."""
    with contextlib.suppress(EOFError, OSError):
        life.recv()
    os._exit(1)


def prepare(threads: int, warm: tuple[str, ...]) -> None:
    """Set the threads of this process and load networks."""
    from vitruvian.compute import set_threads

    set_threads(threads)
    if warm:
        from vitruvian.networks import warm_up

        warm_up(*warm)
        # What is loaded stays: no use to look through it for garbage, again and again.
        gc.collect()
        gc.freeze()
