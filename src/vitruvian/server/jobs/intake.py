"""Taking in a picture: who may, how much, what it is; then into the queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from vitruvian.server.api.routes.account import quota
from vitruvian.server.api.schemas import CreateForm
from vitruvian.server.files.sniff import check_picture
from vitruvian.server.models import ACTIVE, Account, Job, Reconstruction, new_id
from vitruvian.server.problems import Problem
from vitruvian.server.state import State

MAX_FORM_FIELDS = 16
MAX_FIELD_BYTES = 4096
MAX_IDEMPOTENCY_KEY = 128

_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Order:
    """A picture that somebody wants reconstructed.

    Attributes:
        account_id: whose result it will be.
        idempotency_key: what the sender calls this request, or None.
        expires_hours: life of the result, where the account's does not apply.
    """

    account_id: str
    idempotency_key: str | None = None
    expires_hours: float | None = None


def take_upload_token(state: State, key: str) -> None:
    """Count an upload of ``key``; raises ``Problem`` when there were too many."""
    wait = state.limits.upload.take(key)
    if wait:
        raise Problem(
            "rate-limited",
            f"Too many pictures in a minute; try again in {round(wait) or 1} s.",
            retry_after=wait,
        )


def check_room(session: Session, state: State, account: Account) -> None:
    """Raise ``Problem`` when an account or the queue has no room for another job."""
    settings = state.settings
    waiting = session.scalar(select(func.count()).select_from(Job).where(Job.state == "queued"))
    if (waiting or 0) >= settings.max_queue:
        raise Problem(
            "queue-full",
            "Too many pictures are waiting; try again in a minute.",
            retry_after=state.clock.total * 10,
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
            retry_after=state.clock.total * 2,
        )
    count, size = session.execute(
        select(
            func.count(Reconstruction.id), func.coalesce(func.sum(Reconstruction.bytes), 0)
        ).where(Reconstruction.account_id == account.id)
    ).one()
    results, megabytes = quota(state, account)
    if count + (active or 0) >= results or size >= megabytes * 2**20:
        raise Problem("quota-exceeded", "The account is full; delete results that you do not need.")


async def read_form(request: Request, state: State) -> tuple[bytes, CreateForm]:
    """The picture and the fields of a form.

    Raises:
        Problem: too large, not a form, without a picture, with wrong fields.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Problem(
            "unsupported-media-type", "Send a form (multipart/form-data) with a field image."
        )
    async with (
        state.uploads_at_once,
        request.form(
            max_files=1, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FIELD_BYTES
        ) as form,
    ):
        image = form.get("image")
        if not isinstance(image, UploadFile):
            wrong = "The form lacks a file in the field image."
            raise Problem("validation", wrong, errors=[{"field": "image", "detail": wrong}])
        data = await image.read(state.settings.max_upload_bytes + 1)
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            if name == "image":
                continue
            if name in fields or not isinstance(value, str):
                detail = "must be given once, as text"
                raise Problem(
                    "validation",
                    f"{name[:40]}: {detail}.",
                    errors=[{"field": name[:40], "detail": detail}],
                )
            fields[name] = value
    if len(data) > state.settings.max_upload_bytes:
        raise too_large(state)
    return data, _parse_fields(fields)


def too_large(state: State) -> Problem:
    """The answer to a body over the limit."""
    return Problem(
        "too-large",
        f"The picture has more than {state.settings.max_upload_mb} MB; save a smaller copy.",
    )


def _parse_fields(fields: Mapping[str, str]) -> CreateForm:
    try:
        # An empty field of a form is one that was left out.
        return CreateForm.model_validate({k: v for k, v in fields.items() if v != ""})
    except ValidationError as error:
        raise validation_problem(error.errors()) from None


def validation_problem(errors: Any) -> Problem:
    """The problem that lists what validation found wrong."""
    listed = []
    for one in errors:
        place = [str(part) for part in one["loc"] if part not in ("body", "query", "path")]
        detail = str(one["msg"]).removeprefix("Value error, ")
        listed.append({"field": ".".join(place)[:80] or "body", "detail": detail})
    first = listed[0] if listed else {"field": "body", "detail": "is not valid"}
    return Problem("validation", f"{first['field']}: {first['detail']}.", errors=listed)


async def accept(state: State, order: Order, data: bytes, form: CreateForm) -> tuple[str, bool]:
    """Store the picture and put its job into the queue; returns its id and whether it is new."""
    try:
        job_id, new = await run_in_threadpool(_accept, state, order, data, form)
    except Problem as problem:
        state.metrics.uploads.labels(problem.code).inc()
        raise
    state.metrics.uploads.labels("accepted" if new else "repeated").inc()
    if new:
        state.pool.wake()
    return job_id, new


def _accept(state: State, order: Order, data: bytes, form: CreateForm) -> tuple[str, bool]:
    earlier = _earlier_job(state, order)
    if earlier:
        return earlier, False
    check_picture(data, state.readable_types)
    options = form.options()
    options["max_people"] = min(
        options["max_people"] or state.settings.max_people, state.settings.max_people
    )
    job = Job(
        id=new_id(),
        account_id=order.account_id,
        name=form.name,
        options=options,
        upload_key="",
        idempotency_key=order.idempotency_key,
        expires_hours=order.expires_hours,
        created_at=time.time(),
    )
    job.upload_key = f"uploads/{job.id}"
    # The file first: a row without its file would be a job that cannot be done.
    state.storage.put_bytes(job.upload_key, data)
    try:
        with state.database.write() as session:
            account = session.scalars(
                select(Account).where(Account.id == order.account_id).with_for_update()
            ).first()
            if account is None:
                raise Problem("not-authenticated", "The account was deleted.")
            check_room(session, state, account)
            session.add(job)
    except IntegrityError:
        state.storage.delete(job.upload_key)
        earlier = _earlier_job(state, order)
        if earlier is None:
            raise
        return earlier, False
    except BaseException:
        state.storage.delete(job.upload_key)
        raise
    return job.id, True


def _earlier_job(state: State, order: Order) -> str | None:
    if order.idempotency_key is None:
        return None
    with state.database.read() as session:
        return session.scalar(
            select(Job.id).where(
                Job.account_id == order.account_id,
                Job.idempotency_key == order.idempotency_key,
            )
        )


async def wait_for_end(
    state: State, job_id: str, seconds: float, *, patient: bool = False
) -> Job | None:
    """The job when it ends within ``seconds``; else as it stands then. None when it is gone.

    A server that stops ends the wait; a ``patient`` one lasts as long as running jobs may.
    """
    deadline = time.monotonic() + seconds
    with state.changes.watch(job_id) as changed:
        while True:
            changed.clear()
            job = await run_in_threadpool(load_job, state, job_id)
            if state.stopping.is_set():
                grace = state.settings.shutdown_seconds if patient else 0.0
                deadline = min(deadline, time.monotonic() + grace)
                patient = False
            left = deadline - time.monotonic()
            if job is None or job.state not in ACTIVE or left <= 0:
                return job
            try:
                await asyncio.wait_for(changed.wait(), min(left, _LOOK_SECONDS))
            except TimeoutError:
                continue


def load_job(state: State, job_id: str) -> Job | None:
    """A job as it is in the database."""
    with state.database.read() as session:
        return session.get(Job, job_id)
