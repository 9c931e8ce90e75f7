"""The way of a picture through a request: counted, read from its form, queued, waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from vitruvian.server.api.callers import client_key
from vitruvian.server.api.checks import validation_problem
from vitruvian.server.api.schemas import CreateForm
from vitruvian.server.jobs.intake import Order
from vitruvian.server.models import ACTIVE, Account, Job
from vitruvian.server.problems import Problem
from vitruvian.server.state import State

MAX_FORM_FIELDS = 16
MAX_FIELD_BYTES = 16_384

_LOOK_SECONDS = 0.5


def take_upload_token(state: State, account: Account | None, request: Request) -> None:
    """Count an upload; raises ``Problem`` when there were too many.

    Accounts are counted each for itself. Whoever has none, or a guest's, which costs nothing, is
    counted by address, too.
    """
    counted = []
    if account is not None:
        counted.append((state.limits.upload, f"account {account.id}"))
    if account is None or account.kind == "guest":
        counted.append((state.limits.guest_upload, f"at {client_key(request)}"))
    for limit, key in counted:
        wait = limit.take(key)
        if wait:
            raise Problem(
                "rate-limited",
                f"Too many pictures in a minute; try again in {round(wait) or 1} s.",
                retry_after=wait,
            )


@asynccontextmanager
async def read_form(request: Request, state: State) -> AsyncIterator[tuple[UploadFile, CreateForm]]:
    """The picture and the fields of a form, while the block lasts.

    A picture that arrives is on disk from its second megabyte on: however slowly it comes, nobody
    waits for it.

    Raises:
        Problem: too large, not a form, without a picture, with wrong fields.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Problem(
            "unsupported-media-type", "Send a form (multipart/form-data) with a field image."
        )
    async with request.form(
        max_files=1, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FIELD_BYTES
    ) as form:
        image = form.get("image")
        if not isinstance(image, UploadFile):
            wrong = "The form lacks a file in the field image."
            raise Problem("validation", wrong, errors=[{"field": "image", "detail": wrong}])
        if (image.size or 0) > state.settings.max_upload_bytes:
            raise too_large(state)
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
        yield image, _parse_fields(fields)


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


async def accept(
    state: State, order: Order, image: UploadFile, form: CreateForm
) -> tuple[str, bool]:
    """Store the picture and put its job into the queue; returns its id and whether it is new."""
    options = form.options()
    most = state.settings.max_people
    options["max_people"] = min(options["max_people"] or most, most)
    try:
        async with state.uploads_at_once:
            data = await image.read()
            job_id, new = await run_in_threadpool(
                state.intake.accept, order, data, form.name, options
            )
    except Problem as problem:
        state.metrics.uploads.labels(problem.code).inc()
        raise
    state.metrics.uploads.labels("accepted" if new else "repeated").inc()
    if new:
        state.pool.wake()
    return job_id, new


async def wait_for_end(
    request: Request, state: State, job_id: str, seconds: float, *, patient: bool = False
) -> Job | None:
    """The job when it ends within ``seconds``; else as it stands then. None when it is gone.

    A server that stops ends the wait; a ``patient`` one lasts as long as running jobs may.

    Raises:
        ClientDisconnect: nobody waits any more; the job goes on.
    """
    deadline = time.monotonic() + seconds
    with state.changes.watch(job_id) as changed:
        while True:
            changed.clear()
            job = await run_in_threadpool(_load_job, state, job_id)
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
                if await request.is_disconnected():
                    raise ClientDisconnect from None


def _load_job(state: State, job_id: str) -> Job | None:
    with state.database.read() as session:
        return session.get(Job, job_id)
