"""The queue: rows of ``jobs`` that workers lease.

State moves ``queued -> running -> succeeded | failed | cancelled``, and back from ``running`` to
``queued`` when a worker or a server is lost. Whoever runs a job holds its ``lease_token`` and
renews ``lease_until``; every step of a running job is an UPDATE that names the token, so that a
runner that was thought dead and comes back changes nothing. A result is inserted in the
transaction that ends its job: each accepted job ends exactly once. A job that corrects a result
puts its files in the place of the earlier ones in that transaction.

Accounts are served in turn: of the jobs with the same priority the next one is the oldest of the
account that has waited longest for a worker. Whoever sends twenty pictures does not hold up
whoever sends one. Pictures that come without an account share one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from vitruvian.server.database import Database
from vitruvian.server.kinds import MEASURES, VIDEO
from vitruvian.server.models import Account, Job, Reconstruction, files_must_go, new_id
from vitruvian.server.problems import Problem

CRASHED = Problem(
    "crashed", "The reconstruction broke off several times over this upload; try another one."
)


@dataclass(frozen=True)
class Lease:
    """A job that was given to a runner.

    Attributes:
        job: the row as it was then.
        token: what shows that the runner still holds it.
    """

    job: Job
    token: str


@dataclass(frozen=True)
class Result:
    """What a run left.

    Attributes:
        prefix: where its files lie in the storage.
        bytes: their size.
        details: what the worker reported.
    """

    prefix: str
    bytes: int
    details: dict[str, Any]


class JobQueue:
    """Leases jobs and records how they end. Safe to use from several threads and processes.

    Args:
        database: with the tables.
        lease_seconds: life of a lease that is not renewed.
        attempts: starts after which a crash is final.
        changed: called with a job's id after each change, from whatever thread made it.
        expires_at: when the result of a job that ends now is to be deleted, or None.
        ended: called after each end of a job, when its upload may go.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        attempts: int,
        changed: Callable[[str], None] = lambda job_id: None,
        expires_at: Callable[[Job], float | None] = lambda job: None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.database = database
        self.lease_seconds = lease_seconds
        self.attempts = attempts
        self.changed = changed
        self.expires_at = expires_at
        self.ended = ended

    def is_there_work(self, videos: bool = True) -> bool:
        """Whether ``lease`` would find a job; without a write lock: this is asked all the time."""
        with self.database.read() as session:
            query = select(Job.id).where(_leasable(time.time(), videos)).limit(1)
            return session.scalar(query) is not None

    def lease(self, videos: bool = True) -> Lease | None:
        """Take the next job, or None when there is none; ``videos`` may be left to others."""
        if not self.is_there_work(videos):
            return None
        now = time.time()
        ended: list[str] = []
        taken: Lease | None = None
        with self.database.write() as session:
            while taken is None:
                # Both rows are locked, and none is waited for: two servers take the turns of two
                # accounts.
                row = session.execute(
                    select(Job, Account)
                    .join(Account, Account.id == Job.account_id)
                    .where(_leasable(now, videos))
                    .order_by(Job.priority, Account.served_at, Job.created_at, Job.id)
                    .limit(1)
                    .with_for_update(skip_locked=True, key_share=True)
                ).first()
                if row is None:
                    break
                job, account = row
                if job.cancel_requested:
                    _end(session, job, "cancelled", now)
                    ended.append(job.id)
                elif job.attempts >= self.attempts:
                    _end(session, job, "failed", now, CRASHED.body())
                    ended.append(job.id)
                else:
                    token = new_id()
                    job.state = "running"
                    job.lease_token = token
                    job.lease_until = now + self.lease_seconds
                    job.attempts += 1
                    job.started_at = now
                    job.stage, job.progress = None, 0.0
                    job.person_number = job.person_count = None
                    account.served_at = now
                    taken = Lease(job, token)
                session.flush()
        for job_id in ended:
            self.changed(job_id)
            self.ended()
        if taken:
            self.changed(taken.job.id)
        return taken

    def renew(self, lease: Lease) -> str:
        """Prolong a lease: ``held``, ``cancel`` (still held, but not wanted) or ``lost``."""
        with self.database.write() as session:
            wanted = session.execute(
                update(Job)
                .where(_holds(lease))
                .values(lease_until=time.time() + self.lease_seconds)
                .returning(Job.cancel_requested)
            ).first()
        if wanted is None:
            return "lost"
        return "cancel" if wanted[0] else "held"

    def advance(
        self, lease: Lease, stage: str, progress: float, person: tuple[int, int] | None
    ) -> None:
        """Record the stage a job has reached."""
        number, count = person or (None, None)
        with self.database.write() as session:
            session.execute(
                update(Job)
                .where(_holds(lease))
                .values(
                    stage=stage,
                    progress=progress,
                    person_number=number,
                    person_count=count,
                    lease_until=time.time() + self.lease_seconds,
                )
            )
        self.changed(lease.job.id)

    def succeed(self, lease: Lease, result: Result) -> bool:
        """End a job with its result. False when that is nobody's: the lease was lost, or the result
        that it corrects is deleted or corrected otherwise.
        """
        now = time.time()
        kept = True
        with self.database.write() as session:
            # The result before its job, as everywhere: whoever waits for both waits in one order.
            corrected = lease.job.replaces and session.get(
                Reconstruction, lease.job.replaces, with_for_update=True
            )
            job = session.scalars(select(Job).where(_holds(lease)).with_for_update()).first()
            if job is None:
                return False
            details = result.details | {"options": job.options}
            if job.replaces is None:
                corrected = Reconstruction(
                    id=new_id(),
                    job_id=job.id,
                    kind=job.kind,
                    account_id=job.account_id,
                    name=job.name,
                    sample=job.sample,
                    prefix=result.prefix,
                    bytes=result.bytes,
                    details=details,
                    created_at=now,
                    expires_at=self.expires_at(job),
                )
                session.add(corrected)
            elif corrected and not job.cancel_requested:
                files_must_go(session, corrected.prefix)
                corrected.prefix, corrected.bytes = result.prefix, result.bytes
                corrected.details = details
                corrected.revision += 1
            else:
                kept = False
            if kept and corrected:
                job.reconstruction_id = corrected.id
                job.progress = 1.0
            _end(session, job, "succeeded" if kept else "cancelled", now)
        self.changed(lease.job.id)
        self.ended()
        return kept

    def fail(self, lease: Lease, problem: Mapping[str, Any]) -> bool:
        """End a job with a problem. False when the lease was lost."""
        return self._finish(lease, "failed", dict(problem))

    def end_cancelled(self, lease: Lease) -> bool:
        """End a running job that was cancelled. False when the lease was lost."""
        return self._finish(lease, "cancelled", None)

    def _finish(self, lease: Lease, state: str, problem: dict[str, Any] | None) -> bool:
        with self.database.write() as session:
            job = session.scalars(select(Job).where(_holds(lease)).with_for_update()).first()
            if job is None:
                return False
            _end(session, job, state, time.time(), problem)
        self.changed(lease.job.id)
        self.ended()
        return True

    def crash(self, lease: Lease) -> None:
        """The worker died: back into the queue, or the end when that happened too often."""
        with self.database.write() as session:
            job = session.scalars(select(Job).where(_holds(lease)).with_for_update()).first()
            if job is None:
                return
            if job.cancel_requested:
                _end(session, job, "cancelled", time.time())
            elif job.attempts >= self.attempts:
                _end(session, job, "failed", time.time(), CRASHED.body())
            else:
                _requeue(job)
        self.changed(lease.job.id)
        self.ended()

    def release(self, lease: Lease) -> None:
        """Give a job back untouched: the server stops. It does not count as an attempt."""
        with self.database.write() as session:
            job = session.scalars(select(Job).where(_holds(lease)).with_for_update()).first()
            if job is None:
                return
            job.attempts -= 1
            _requeue(job)
        self.changed(lease.job.id)

    def cancel(self, session: Session, job: Job) -> None:
        """Cancel a job within ``session``: at once when it waits, else as soon as its runner looks.

        The caller holds the row and calls ``changed`` after the commit.
        """
        if job.state == "queued":
            _end(session, job, "cancelled", time.time())
        elif job.state == "running":
            job.cancel_requested = True

    def waiting(self) -> int:
        """How many jobs wait."""
        with self.database.read() as session:
            query = select(func.count()).select_from(Job).where(Job.state == "queued")
            return session.scalar(query) or 0


def position(session: Session, job: Job) -> int | None:
    """Place in the queue: 0 while running, 1 for the next, None when ended."""
    if job.state == "running":
        return 0
    if job.state != "queued":
        return None
    turn = func.row_number().over(
        partition_by=(Job.priority, Job.account_id), order_by=(Job.created_at, Job.id)
    )
    line = (
        select(Job.id, Job.priority, Job.created_at, Account.served_at, turn.label("turn"))
        .join(Account, Account.id == Job.account_id)
        .where(Job.state == "queued")
        .subquery()
    ).c
    order = (line.priority, line.turn, line.served_at, line.created_at, line.id)
    ids = session.scalars(select(line.id).order_by(*order)).all()
    return ids.index(job.id) + 1 if job.id in ids else 0  # taken a moment ago


def _leasable(now: float, videos: bool) -> Any:
    there = or_(Job.state == "queued", and_(Job.state == "running", Job.lease_until < now))
    return there if videos else and_(there, Job.kind != VIDEO)


def _holds(lease: Lease) -> Any:
    return and_(Job.id == lease.job.id, Job.state == "running", Job.lease_token == lease.token)


def _requeue(job: Job) -> None:
    job.state = "queued"
    job.lease_token = job.lease_until = job.started_at = None
    job.stage, job.progress = None, 0.0
    job.person_number = job.person_count = None


def _end(
    session: Session,
    job: Job,
    state: str,
    now: float,
    problem: dict[str, Any] | None = None,
) -> None:
    """The only place where a job ends: its upload goes with it. A result keeps its photograph.

    What somebody told of their body goes, too: a result says it, and nothing else keeps it.
    """
    job.state = state
    job.finished_at = now
    job.problem = problem
    job.lease_token = job.lease_until = None
    job.stage = None
    job.person_number = job.person_count = None
    if job.kind == MEASURES:
        job.options = {}
    if job.replaces is None:
        files_must_go(session, job.upload_key)
