"""Deleting what must not stay: expired results, guests, sessions, and files without a row.

Files are deleted in two steps that survive a crash between them: the row goes and a ``Deletion`` is
written in one transaction; then the files go, then the ``Deletion``.
"""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from vitruvian.server.database import Database
from vitruvian.server.files.storage import Storage
from vitruvian.server.models import (
    ACTIVE,
    Account,
    ApiToken,
    Deletion,
    Job,
    LoginSession,
    Reconstruction,
    Share,
    files_must_go,
)
from vitruvian.server.settings import Settings

_FIRST_SECONDS = 2.0
_EVERY_SECONDS = 60.0
_ORPHAN_AGE_SECONDS = 3600.0
_KEEP_JOBS_SECONDS = 7 * 86_400.0
_AT_ONCE = 200

log = logging.getLogger(__name__)


class Janitor:
    """Sweeps every minute in a thread of its own, and on demand."""

    def __init__(self, database: Database, storage: Storage, settings: Settings) -> None:
        self.database = database
        self.storage = storage
        self.settings = settings
        self.keep_accounts: set[str] = set()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="janitor")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Ask for the deletion of files that were just given up."""
        self._wake.set()

    def _loop(self) -> None:
        self._wake.wait(_FIRST_SECONDS)
        last = 0.0
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if time.monotonic() - last >= _EVERY_SECONDS:
                    last = time.monotonic()
                    self.sweep()
                else:
                    self.remove_files()
            except Exception:
                log.exception("janitor failed")
            self._wake.wait(_EVERY_SECONDS)

    def sweep(self) -> None:
        """Delete everything that is due."""
        now = time.time()
        self._expired_results(now)
        self._expired_sessions(now)
        self._old_guests(now)
        self._old_jobs(now)
        self.remove_files()
        self._orphans(now)

    def remove_files(self) -> None:
        """Remove the files of deleted rows."""
        while True:
            with self.database.read() as session:
                prefixes = list(session.scalars(select(Deletion.prefix).limit(_AT_ONCE)))
            if not prefixes:
                return
            for prefix in prefixes:
                self.storage.delete(prefix)
            with self.database.write() as session:
                session.execute(delete(Deletion).where(Deletion.prefix.in_(prefixes)))

    def _expired_results(self, now: float) -> None:
        while True:
            with self.database.write() as session:
                due = session.scalars(
                    select(Reconstruction).where(Reconstruction.expires_at < now).limit(_AT_ONCE)
                ).all()
                for row in due:
                    delete_reconstruction(session, row)
                session.execute(delete(Share).where(Share.expires_at < now))
            if len(due) < _AT_ONCE:
                return

    def _expired_sessions(self, now: float) -> None:
        idle = now - self.settings.session_idle_days * 86_400
        with self.database.write() as session:
            session.execute(
                delete(LoginSession).where(
                    or_(LoginSession.expires_at < now, LoginSession.seen_at < idle)
                )
            )
            session.execute(delete(ApiToken).where(ApiToken.expires_at < now))

    def _old_guests(self, now: float) -> None:
        """Guests whose session has ended, or who are a day old and have nothing."""
        before = now - self.settings.guest_retention_hours * 3600
        with self.database.write() as session:
            old = session.scalars(
                select(Account)
                .where(
                    Account.kind == "guest",
                    Account.created_at < before,
                    ~exists().where(Reconstruction.account_id == Account.id),
                    ~exists().where(Job.account_id == Account.id, Job.state.in_(ACTIVE)),
                )
                .limit(_AT_ONCE)
            ).all()
            for account in old:
                delete_account(session, account)

    def _old_jobs(self, now: float) -> None:
        """Jobs that ended a week ago, and with them their idempotency keys."""
        with self.database.write() as session:
            session.execute(
                delete(Job).where(
                    Job.state.not_in(ACTIVE), Job.finished_at < now - _KEEP_JOBS_SECONDS
                )
            )

    def _orphans(self, now: float) -> None:
        """Files that no row knows: a server died between writing them and writing the row."""
        for key, changed in self.storage.children("uploads"):
            if now - changed > _ORPHAN_AGE_SECONDS:
                with self.database.read() as session:
                    known = session.scalar(
                        select(Job.id).where(Job.upload_key == key, Job.state.in_(ACTIVE))
                    )
                if not known:
                    self.storage.delete(key)
        for key, changed in self.storage.children("results"):
            if now - changed > _ORPHAN_AGE_SECONDS:
                with self.database.read() as session:
                    known = session.scalar(
                        select(Reconstruction.id).where(Reconstruction.prefix == key)
                    )
                if not known:
                    self.storage.delete(key)


def delete_reconstruction(session: Session, row: Reconstruction) -> None:
    """Delete a result's row and shares, and leave word that its files must go."""
    files_must_go(session, row.prefix)
    # Its jobs, too: their name is the user's. One that corrects it now has nothing to correct.
    its = or_(Job.id == row.job_id, Job.replaces == row.id)
    session.execute(delete(Job).where(its, Job.state.not_in(ACTIVE)))
    session.execute(update(Job).where(Job.replaces == row.id).values(cancel_requested=True))
    session.delete(row)


def delete_account(session: Session, account: Account) -> None:
    """Delete an account with everything it owns; runners of its jobs lose their leases."""
    for prefix in session.scalars(
        select(Reconstruction.prefix).where(Reconstruction.account_id == account.id)
    ).all():
        files_must_go(session, prefix)
    for key in session.scalars(select(Job.upload_key).where(Job.account_id == account.id)).all():
        files_must_go(session, key)
    session.delete(account)  # the rest goes by ON DELETE CASCADE
