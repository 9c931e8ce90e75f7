"""Taking in pictures, a video or a correction: whether there is room; then into the queue."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, BinaryIO

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from vitruvian.server.accounts.quota import quota, usage
from vitruvian.server.database import Database
from vitruvian.server.files.sniff import check_picture, check_video
from vitruvian.server.files.storage import Storage
from vitruvian.server.jobs.parcel import pack
from vitruvian.server.jobs.timing import StageClock
from vitruvian.server.kinds import MEASURES, PHOTO
from vitruvian.server.models import ACTIVE, Account, Job, Reconstruction, new_id
from vitruvian.server.problems import Problem, not_found
from vitruvian.server.settings import Settings


@dataclass(frozen=True)
class Order:
    """What somebody wants made of pictures.

    Attributes:
        account_id: whose result it will be.
        idempotency_key: what the sender calls this request, or None.
        expires_hours: life of the result, where the account's does not apply.
        kind: what is to be made: ``PHOTO`` of one picture, or of several of one person,
            ``MEASURES`` of two, ``VIDEO`` of a video.
    """

    account_id: str
    idempotency_key: str | None = None
    expires_hours: float | None = None
    kind: str = PHOTO


class Intake:
    """Accepts pictures as jobs.

    Args:
        database: where jobs are queued.
        storage: where pictures wait.
        settings: the limits.
        clock: how long jobs take, to say when to try again.
        readable_types: media types of the pictures that can be decoded.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        settings: Settings,
        clock: StageClock,
        readable_types: tuple[str, ...],
    ) -> None:
        self.database = database
        self.storage = storage
        self.settings = settings
        self.clock = clock
        self.readable_types = readable_types

    def check_room(self, session: Session, account: Account, *, adds: bool = True) -> None:
        """Raise ``Problem`` when an account or the queue has no room for another job.

        Args:
            session: of the database.
            account: whose job.
            adds: the job adds a result, instead of making one anew.
        """
        settings = self.settings
        waiting = session.scalar(select(func.count()).select_from(Job).where(Job.state == "queued"))
        if (waiting or 0) >= settings.max_queue:
            raise Problem(
                "queue-full",
                "Too many pictures are waiting; try again in a minute.",
                retry_after=self.clock.total * 10,
            )
        if account.kind == "system":  # held by rate limits only
            return
        active = session.scalar(
            select(func.count())
            .select_from(Job)
            .where(Job.account_id == account.id, Job.state.in_(ACTIVE))
        )
        if (active or 0) >= settings.max_active_jobs:
            raise Problem(
                "too-many-jobs",
                f"{active} pictures of yours are waiting already; wait until some are done.",
                retry_after=self.clock.total * 2,
            )
        if not adds:
            return
        count, size = usage(session, account)
        results, megabytes = quota(settings, account)
        if count + (active or 0) >= results or size >= megabytes * 2**20:
            raise Problem(
                "quota-exceeded", "The account is full; delete results that you do not need."
            )

    def accept(
        self,
        order: Order,
        pictures: Sequence[bytes],
        name: str | None,
        options: dict[str, Any],
        given: Mapping[str, bytes] = MappingProxyType({}),
    ) -> tuple[str, bool]:
        """Store pictures and queue their job; returns its id and whether it is new.

        Args:
            order: for whom.
            pictures: the files, as many as the kind takes.
            name: what its owner calls the result.
            options: of the reconstruction, and whether it is of several pictures
                (``same_person``); of measuring, what is told of the person.
            given: files that come with the pictures, by the names of ``GIVEN``.

        Raises:
            Problem: a file is no picture, there is no room, the account is gone.
        """
        earlier = self._earlier_job(order)
        if earlier:
            return earlier, False
        for data in pictures:
            check_picture(data, self.readable_types)
        several = order.kind == MEASURES or options.get("same_person") or given
        parcel = pack([*pictures, *given.values()]) if several else pictures[0]
        if given:
            options = options | {"given": list(given)}
        return self._enqueue(order, io.BytesIO(parcel), name, options)

    def accept_video(
        self, order: Order, video: BinaryIO, name: str, options: dict[str, Any]
    ) -> tuple[str, bool]:
        """Store a video, which is never in memory, and queue its job; see ``accept``.

        Raises:
            Problem: the file is no video, there is no room, the account is gone.
        """
        earlier = self._earlier_job(order)
        if earlier:
            return earlier, False
        check_video(video)
        return self._enqueue(order, video, name, options)

    def _enqueue(
        self, order: Order, file: BinaryIO, name: str | None, options: dict[str, Any]
    ) -> tuple[str, bool]:
        """Store a file and queue its job; returns its id and whether it is new."""
        job = Job(
            id=new_id(),
            account_id=order.account_id,
            kind=order.kind,
            name=name,
            options=options,
            upload_key="",
            idempotency_key=order.idempotency_key,
            expires_hours=order.expires_hours,
            created_at=time.time(),
        )
        job.upload_key = f"uploads/{job.id}"
        # The file first: a row without its file would be a job that cannot be done.
        self.storage.put_file(job.upload_key, file)
        try:
            with self.database.write() as session:
                account = session.scalars(
                    select(Account).where(Account.id == order.account_id).with_for_update()
                ).first()
                if account is None:
                    raise Problem("not-authenticated", "The account was deleted.")
                self.check_room(session, account)
                session.add(job)
        except IntegrityError:
            self.storage.delete(job.upload_key)
            earlier = self._earlier_job(order)
            if earlier is None:
                raise
            return earlier, False
        except BaseException:
            self.storage.delete(job.upload_key)
            raise
        return job.id, True

    def correct(self, account_id: str, reconstruction_id: str, changes: dict[str, Any]) -> str:
        """Queue a job that makes a result anew, with other options, in place; returns its id.

        It starts from the photographs that the result keeps. A correction that is still on its way
        is given up for this one.

        Args:
            account_id: whose result it is.
            reconstruction_id: the result.
            changes: options that differ from those the result was made with.

        Raises:
            Problem: there is no room; the account has no such result.
        """
        now = time.time()
        with self.database.write() as session:
            account = session.scalars(
                select(Account).where(Account.id == account_id).with_for_update()
            ).first()
            row = session.get(Reconstruction, reconstruction_id, with_for_update=True)
            if account is None or row is None or row.account_id != account_id:
                raise not_found()
            earlier = Job.replaces == row.id
            session.execute(
                update(Job).where(earlier, Job.state == "running").values(cancel_requested=True)
            )
            session.execute(
                update(Job)
                .where(earlier, Job.state == "queued")
                .values(state="cancelled", finished_at=now)
            )
            self.check_room(session, account, adds=False)
            camera = row.details["report"]["camera"]
            job = Job(
                id=new_id(),
                account_id=account_id,
                name=row.name,
                options=row.details["options"] | changes,
                upload_key=f"{row.prefix}/photo.jpg",
                replaces=row.id,
                camera={
                    "focal_px": camera["focal_px"],
                    "source": camera["source"],
                    "others": row.details.get("others", []),
                },
                created_at=now,
            )
            session.add(job)
            return job.id

    def _earlier_job(self, order: Order) -> str | None:
        if order.idempotency_key is None:
            return None
        with self.database.read() as session:
            return session.scalar(
                select(Job.id).where(
                    Job.account_id == order.account_id,
                    Job.idempotency_key == order.idempotency_key,
                )
            )
