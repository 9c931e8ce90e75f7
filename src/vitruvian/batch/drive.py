"""The driver: takes jobs from the manifest, hands them to a pool, records what became of them."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vitruvian.batch.manifest import Manifest
from vitruvian.batch.orders import MAKER, Answer, Order, Task, settings_hash
from vitruvian.batch.pool import Pool
from vitruvian.batch.results import open_results
from vitruvian.errors import InputError, VitruvianError, WeightsError

_LOOK_S = 0.5  # longest wait, so that the telling goes on while nothing ends
_RATE_OVER = 200  # jobs whose ends say how fast it goes now


@dataclass(frozen=True)
class BatchPlan:
    """What is wanted of every input.

    Attributes:
        results: folder or address of the results.
        options: of the reconstruction, those that are not the default, plain values.
        chunk_s: longest part of a clip that is one job, in seconds.
        threads: processor threads of a worker.
        retries: how many more attempts a job has whose worker dies, or whose storage fails.
        retry_failed: also try again what failed in earlier runs.
        maker: dotted name of the function that makes a result.
    """

    results: str
    options: Mapping[str, Any] = field(default_factory=dict)
    chunk_s: float = 60.0
    threads: int = 1
    retries: int = 2
    retry_failed: bool = False
    maker: str = MAKER

    @property
    def settings(self) -> str:
        """What results depend on besides their inputs, hashed."""
        return settings_hash(self.options, self.chunk_s, self.maker)


@dataclass
class Tally:
    """How a run goes.

    Attributes:
        listed: inputs that were looked at.
        listing: whether there may be more.
        done, failed, waiting: jobs in those states, of this and earlier runs; ``waiting`` with
            those that run.
        ended: how many jobs this run has ended.
        seconds: that this run has taken since the first job was handed out.
        stopped: why no more jobs were begun, where something made it end early.
    """

    listed: int = 0
    listing: bool = True
    done: int = 0
    failed: int = 0
    waiting: int = 0
    ended: int = 0
    seconds: float = 0.0
    stopped: VitruvianError | None = None
    _ends: deque[float] = field(default_factory=lambda: deque(maxlen=_RATE_OVER))

    @property
    def rate(self) -> float:
        """Jobs per second, lately; 0 before it can be told."""
        if len(self._ends) < 2 or self._ends[-1] <= self._ends[0]:
            return 0.0
        return (len(self._ends) - 1) / (self._ends[-1] - self._ends[0])

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take; None before it can be told."""
        return self.waiting / self.rate if self.rate else None

    def end(self, state: str) -> None:
        """Count a job that ended."""
        self.waiting -= 1
        self.ended += 1
        self.done += state == "done"
        self.failed += state == "failed"
        self._ends.append(time.monotonic())


def run_batch(
    manifest: Manifest,
    tasks: Iterable[Task],
    plan: BatchPlan,
    open_pool: Callable[[], Pool],
    tell: Callable[[Tally, Answer | None], None] = lambda tally, answer: None,
) -> Tally:
    """Do what is not done yet of the inputs, and of what earlier runs with these options left.

    Interrupted at any point, by Ctrl-C or by the death of this process, the manifest and the
    results stay whole; another run goes on.

    Args:
        manifest: of the folder, with the plan's settings.
        tasks: the inputs.
        plan: what is wanted.
        open_pool: makes the pool, when there is something to do.
        tell: told from time to time, and of each answer.

    Returns:
        The tally; ``stopped`` says why it ended early, such as a full disk.

    Raises:
        InputError: an input cannot be listed.
    """
    tally = Tally()
    run = secrets.token_hex(6)
    results = open_results(plan.results)
    results.clear()
    manifest.recover(failed=plan.retry_failed)
    for tally.listed in manifest.add(tasks):
        tell(tally, None)
    tally.listing = False
    counts = manifest.counts()
    tally.done, tally.failed = counts.get("done", 0), counts.get("failed", 0)
    tally.waiting = counts.get("queued", 0)
    if not tally.waiting:
        return tally
    pool = open_pool()
    start = time.monotonic()
    try:
        while True:
            while tally.stopped is None and pool.free > 0 and (row := manifest.begin()) is not None:
                pool.submit(
                    Order(
                        row.id, row.task, plan.options, plan.settings, plan.results, run,
                        plan.chunk_s, plan.threads, plan.maker,
                    )
                )  # fmt: skip
            if not pool.held() and (tally.stopped is not None or not manifest.waiting()):
                return tally
            for answer in pool.wait(_LOOK_S):
                _conclude(manifest, plan, tally, answer)
                tell(tally, answer)
            tally.seconds = time.monotonic() - start
            tell(tally, None)
    finally:
        given_up = pool.held()
        pool.close()
        results.clear()  # what workers left that died
        with contextlib.suppress(sqlite3.Error):  # a full disk: the next run finds them, too
            for order in given_up:
                manifest.release(order.ticket)


def _conclude(manifest: Manifest, plan: BatchPlan, tally: Tally, answer: Answer) -> None:
    if answer.state == "stop":
        manifest.release(answer.ticket)
        kind = WeightsError if answer.code == "bad-weights" else InputError
        tally.stopped = kind(answer.sentence or "", code=answer.code)
        return
    state = manifest.conclude(answer, plan.retries)
    if state == "queued":
        return
    if state == "split":
        tally.waiting += len(answer.parts)
    tally.end(state)
