"""Everything a running server holds, made once and handed to every request."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Sequence

from fastapi import Request
from sqlalchemy import select

from vitruvian.server.accounts.ratelimits import RateLimits
from vitruvian.server.accounts.signing import Signer
from vitruvian.server.database import Database
from vitruvian.server.files.gallery import enqueue_samples
from vitruvian.server.files.janitor import Janitor
from vitruvian.server.files.sniff import readable_types
from vitruvian.server.files.storage import Storage, open_storage
from vitruvian.server.jobs.changes import Changes
from vitruvian.server.jobs.intake import Intake
from vitruvian.server.jobs.pool import WorkerPool
from vitruvian.server.jobs.process import COMMAND, PoolOptions
from vitruvian.server.jobs.queue import JobQueue
from vitruvian.server.jobs.timing import StageClock
from vitruvian.server.metrics import Metrics
from vitruvian.server.models import Account, Job, new_id
from vitruvian.server.settings import Settings, load_secret, prepare_data_folder

ANONYMOUS = "anonymous"
GALLERY = "gallery"

_UPLOADS_AT_ONCE = 8  # that have arrived: each is in memory for a moment


class State:
    """The parts of a server.

    Args:
        settings: how it behaves.
        worker_command: the workers' program, for tests of the queue.
    """

    def __init__(self, settings: Settings, worker_command: Sequence[str] = COMMAND) -> None:
        prepare_data_folder(settings)
        self.settings = settings
        self.signer = Signer(load_secret(settings))
        self.limits = RateLimits.of(settings, self.signer)
        self.database = Database(settings.sqlalchemy_url)
        self.storage: Storage = open_storage(settings.storage_url, settings.data_path)
        self.clock = StageClock()
        self.changes = Changes()
        self.metrics = Metrics()
        self.queue = JobQueue(
            self.database,
            lease_seconds=settings.lease_seconds,
            attempts=settings.job_attempts,
            changed=self._job_changed,
            expires_at=self.expires_at,
            ended=lambda: self.janitor.wake(),
        )
        # A folder of this run alone: what an earlier one left behind is removed below.
        self._staging = settings.data_path / "staging"
        self.pool = WorkerPool(
            self.queue,
            self.storage,
            PoolOptions(
                count=settings.worker_count,
                threads=settings.threads_per_worker,
                memory_mb=settings.worker_memory_mb,
                jobs_per_worker=settings.worker_jobs,
                job_seconds=settings.job_timeout_seconds,
                video_seconds=settings.video_timeout_seconds,
                most_video_s=settings.max_video_seconds,
                staging=self._staging / new_id(),
                command=worker_command,
            ),
            self.clock,
        )
        self.janitor = Janitor(self.database, self.storage, settings)
        self.readable_types = readable_types()
        self.intake = Intake(self.database, self.storage, settings, self.clock, self.readable_types)
        self.uploads_at_once = asyncio.Semaphore(_UPLOADS_AT_ONCE)
        self.stopping = threading.Event()
        self.system_accounts: dict[str, str] = {}

    def start(self) -> None:
        """Migrate, make the system's accounts and samples, start workers and janitor."""
        self.database.migrate()
        self._sweep_staging()
        for name in (ANONYMOUS, GALLERY):
            self.system_accounts[name] = self._system_account(name)
        self.janitor.keep_accounts = set(self.system_accounts.values())
        if self.settings.samples:
            enqueue_samples(self.database, self.storage, self.system_accounts[GALLERY])
        self.pool.start()
        self.janitor.start()

    def begin_stop(self) -> None:
        """From a signal handler: end streams and waits, take no more jobs. Returns at once."""
        self.stopping.set()
        self.changes.notify_all()

    def stop(self) -> None:
        """Let running jobs end, put the others back, close everything."""
        self.begin_stop()
        self.janitor.stop()
        self.pool.stop(self.settings.shutdown_seconds)
        self.database.close()

    def _job_changed(self, job_id: str) -> None:
        self.changes.notify(job_id)

    def _system_account(self, name: str) -> str:
        """The id of an account that nobody can log in as. Its login cannot be registered."""
        login = f"\x1f{name}"
        with self.database.write() as session:
            found = session.scalar(select(Account.id).where(Account.login == login))
            if found:
                return found
            account = Account(
                id=new_id(), kind="system", name=None, login=login, created_at=time.time()
            )
            session.add(account)
            return account.id

    def _sweep_staging(self) -> None:
        """Remove what the workers of a server that died were writing."""
        longest = max(self.settings.job_timeout_seconds, self.settings.video_timeout_seconds)
        if self._staging.is_dir():
            for folder in self._staging.iterdir():
                if time.time() - folder.stat().st_mtime > longest:
                    shutil.rmtree(folder, ignore_errors=True)

    def expires_at(self, job: Job) -> float | None:
        """When the result of a job that ends now is to be deleted."""
        now = time.time()
        if job.sample:
            return None
        if job.expires_hours is not None:
            return now + job.expires_hours * 3600
        days = self.settings.retention_days
        return now + days * 86_400 if days else None


def state_of(request: Request) -> State:
    """The state, as a FastAPI dependency."""
    state: State = request.app.state.vitruvian
    return state
