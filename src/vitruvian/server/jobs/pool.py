"""The pool: warm worker processes, each watched by a thread that leases jobs for it.

The thread hands its worker a picture, passes on the stages it reports, renews the lease, and ends
the worker when a job is cancelled and does not stop, takes too long, or is another's by now. A
worker that dies is replaced.

A video takes minutes. While every worker makes one and something else waits, there is one worker
more, for everything but videos.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from vitruvian.server.files.storage import Storage
from vitruvian.server.jobs.orders import order_for
from vitruvian.server.jobs.process import PoolOptions, WorkerGone, WorkerProcess
from vitruvian.server.jobs.queue import JobQueue, Lease, Result
from vitruvian.server.jobs.timing import StageClock
from vitruvian.server.kinds import PHOTO, VIDEO
from vitruvian.server.problems import Problem

_POLL_SECONDS = 1.0
_LINGER_SECONDS = 30.0  # for which the worker beside videos stays without work
_RENEWALS_PER_LEASE = 4
_CANCEL_GRACE_SECONDS = 2.0
_DATABASE_TRIES = 6

_TOO_LONG = Problem(
    "took-too-long", "The picture took longer than the server allows; try one with fewer people."
)

_VIDEO_TOO_LONG = Problem(
    "took-too-long", "The video took longer than the server allows; give a shorter part of it."
)

log = logging.getLogger(__name__)


class WorkerPool:
    """Keeps workers at work on a queue until it is stopped."""

    def __init__(
        self, jobs: JobQueue, storage: Storage, options: PoolOptions, clock: StageClock
    ) -> None:
        self._queue = jobs
        self._storage = storage
        self._options = options
        self._clock = clock
        self._stopping = threading.Event()
        self._abandon = threading.Event()
        self._wake = threading.Condition()
        self._woken = 0
        self._threads: list[threading.Thread] = []
        self._workers: dict[int, WorkerProcess] = {}
        self.busy = 0
        self._in_videos = 0
        self._busy_lock = threading.Lock()

    def start(self) -> None:
        """Start the workers; they warm up meanwhile."""
        self._options.staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        count = self._options.count
        serving: list[Callable[[int], None]] = [self._serve] * count
        if count:
            serving.append(self._serve_beside_videos)
        for number, serve in enumerate(serving):
            thread = threading.Thread(target=serve, args=(number,), name=f"slot-{number}")
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that there may be a job: waiting workers look at once."""
        with self._wake:
            self._woken += 1
            self._wake.notify()

    def begin_stop(self) -> None:
        """Take no more jobs; returns at once."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()

    def stop(self, seconds: float) -> None:
        """Take no more jobs, give running ones ``seconds`` to end, put the rest back."""
        self.begin_stop()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._abandon.set()
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._options.staging, ignore_errors=True)

    @property
    def count(self) -> int:
        """How many workers there should be."""
        return self._options.count

    @property
    def ready_count(self) -> int:
        """How many workers are warm."""
        workers = list(self._workers.values())
        return sum(worker.ready and worker.process.poll() is None for worker in workers)

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that live."""
        workers = list(self._workers.values())
        return [worker.process.pid for worker in workers if worker.process.poll() is None]

    def _serve_beside_videos(self, number: int) -> None:
        """Keep a worker while the others make videos and something else waits."""
        while not self._stopping.wait(_POLL_SECONDS):
            if self._only_videos() and self._queue.is_there_work(videos=False):
                self._serve(number, beside=True)

    def _only_videos(self) -> bool:
        return self._in_videos >= self._options.count

    def _serve(self, number: int, beside: bool = False) -> None:
        """Keep a worker, lease, run; ``beside`` the others' videos, until it is not needed."""
        failures = 0
        while not self._stopping.is_set():
            try:
                worker = self._warm_worker(number)
                if worker is None:
                    break
                failures = 0
                if not self._work(worker, beside) and beside:
                    break
            except WorkerGone:
                failures += 1
                log.warning("worker lost", extra={"slot": number, "failures": failures})
            except SQLAlchemyError as error:
                failures += 1
                log.error("database failed", extra={"error": type(error).__name__})
            except Exception:
                failures += 1
                log.exception("slot failed")
            self._retire(number)
            # A worker that cannot start must not be started a hundred times a second.
            self._stopping.wait(min(10.0, 0.2 * 2**failures) if failures > 1 else 0)
        self._retire(number)

    def _warm_worker(self, number: int) -> WorkerProcess | None:
        worker = self._workers[number] = WorkerProcess(self._options)
        return worker if worker.wait_ready(self._stopping) else None

    def _retire(self, number: int) -> None:
        worker = self._workers.pop(number, None)
        if worker is not None:
            worker.end(kill=True)

    def _work(self, worker: WorkerProcess, beside: bool) -> bool:
        """Run jobs until the worker is used up or the pool stops; False when it is not needed."""
        idle_since = time.monotonic()
        while not self._stopping.is_set() and worker.jobs < self._options.jobs_per_worker:
            if worker.process.poll() is not None:
                raise WorkerGone
            seen = self._woken
            lease = self._queue.lease(videos=not beside)
            if lease is None and beside:
                # Not with the others: whoever is woken shall be one that takes any job.
                if not self._only_videos() or time.monotonic() - idle_since > _LINGER_SECONDS:
                    return False
                self._stopping.wait(_POLL_SECONDS / 4)
                continue
            if lease is None:
                with self._wake:
                    if self._woken == seen and not self._stopping.is_set():
                        self._wake.wait(_POLL_SECONDS)
                continue
            video = lease.job.kind == VIDEO
            with self._busy_lock:
                self.busy += 1
                self._in_videos += video
            try:
                self._run(worker, lease)
            finally:
                with self._busy_lock:
                    self.busy -= 1
                    self._in_videos -= video
                idle_since = time.monotonic()
        return True

    def _run(self, worker: WorkerProcess, lease: Lease) -> None:
        """Run one job to its end. Raises ``WorkerGone`` when the worker must be replaced."""
        folder = self._options.staging / f"{lease.job.id}.{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        worker.jobs += 1
        start = time.monotonic()
        try:
            most_s = self._options.most_video_s
            with order_for(lease.job, self._storage, folder, most_s) as order:
                worker.say(order)
                answer = self._follow(worker, lease, start)
            self._conclude(lease, answer, folder)
        except FileNotFoundError:
            problem = Problem("internal", "The uploaded picture is gone; upload it again.")
            self._database(lambda: self._queue.fail(lease, problem.body()))
        except WorkerGone:
            self._database(lambda: self._queue.crash(lease))
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self.wake()

    def _follow(self, worker: WorkerProcess, lease: Lease, start: float) -> dict[str, Any] | None:
        """Pass on what the worker reports until the job ends.

        Returns the last answer, or None when the job is not this runner's any more. Raises
        ``WorkerGone`` when the worker died.
        """
        interval = self._queue.lease_seconds / _RENEWALS_PER_LEASE
        renew_at = time.monotonic() + min(interval, 0.5)
        cancelled_at: float | None = None
        watch = self._clock.start()
        video = lease.job.kind == VIDEO
        allowed = self._options.video_seconds if video else self._options.job_seconds
        while True:
            if self._abandon.is_set():
                worker.end(kill=True)
                return {"is": "released"}
            if time.monotonic() - start > allowed:
                worker.end(kill=True)
                return {"is": "failed", "problem": (_VIDEO_TOO_LONG if video else _TOO_LONG).body()}
            if cancelled_at and time.monotonic() - cancelled_at > _CANCEL_GRACE_SECONDS:
                worker.end(kill=True)
                return {"is": "cancelled"}
            answer = worker.hear(0.1)
            if time.monotonic() >= renew_at:
                renew_at = time.monotonic() + min(interval, 0.5)
                state = self._database(lambda: self._queue.renew(lease))
                if state == "lost":
                    worker.end(kill=True)
                    return None
                if state == "cancel" and cancelled_at is None:
                    cancelled_at = time.monotonic()
                    worker.say({"do": "cancel", "id": lease.job.id})
            if answer is None or answer.get("id") != lease.job.id:
                continue
            if answer["is"] != "stage":
                # The clock tells the time of single photographs.
                single = lease.job.kind == PHOTO and not lease.job.options.get("same_person")
                watch.end(answer["is"] == "done" and single)
                return answer
            if video:
                stage, share = answer["stage"], answer["share"]
                self._database(lambda: self._queue.advance(lease, stage, share, None))  # noqa: B023
                continue
            person = (answer["person"], answer["people"]) if answer["person"] else None
            progress = watch.reach(answer["stage"], person)
            self._database(lambda: self._queue.advance(lease, watch.stage, progress, person))  # noqa: B023

    def _conclude(self, lease: Lease, answer: dict[str, Any] | None, folder: Path) -> None:
        """Record how a job ended."""
        if answer is None:
            raise WorkerGone
        if answer["is"] == "released":
            self._database(lambda: self._queue.release(lease))
        elif answer["is"] == "cancelled":
            self._database(lambda: self._queue.end_cancelled(lease))
        elif answer["is"] == "failed":
            self._database(lambda: self._queue.fail(lease, answer["problem"]))
        else:
            self._keep(lease, answer, folder)

    def _keep(self, lease: Lease, answer: dict[str, Any], folder: Path) -> None:
        """Store the files, then end the job with them; without a row they are swept up later."""
        prefix = f"results/{lease.token}"
        self._storage.put_folder(prefix, folder)
        result = Result(
            prefix=prefix,
            bytes=sum(answer["files"].values()),
            details=answer["details"],
        )
        if not self._database(lambda: self._queue.succeed(lease, result)):
            self._storage.delete(prefix)

    def _database(self, step: Callable[[], Any]) -> Any:
        """Take a step on the database, again when it is away for a moment."""
        for trial in range(_DATABASE_TRIES):
            try:
                return step()
            except SQLAlchemyError:
                if trial == _DATABASE_TRIES - 1:
                    raise
                time.sleep(0.1 * 2**trial)
        raise AssertionError("unreachable")
