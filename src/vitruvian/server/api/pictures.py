"""The way of a picture or a video through a request: counted, queued, waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from vitruvian.server.api.callers import client_key
from vitruvian.server.api.documented import MAX_IDEMPOTENCY_KEY
from vitruvian.server.api.reading import PictureForm
from vitruvian.server.jobs.intake import Order
from vitruvian.server.models import ACTIVE, Account, Job
from vitruvian.server.problems import Problem
from vitruvian.server.state import State

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


def check_room(state: State, account_id: str) -> None:
    """Raise ``Problem`` when an account or the queue has no room for another job."""
    with state.database.read() as session:
        account = session.get(Account, account_id)
        if account is not None:
            state.intake.check_room(session, account)


def wait_seconds(request: Request, state: State) -> float:
    """How long to wait for the result, from the ``Prefer`` header (RFC 7240)."""
    most = state.settings.fast_path_seconds
    for part in request.headers.get("prefer", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "respond-async":
            return 0.0
        if name == "wait" and value.strip('" ').isascii() and value.strip('" ').isdigit():
            return min(float(value.strip('" ')[:6]), most)
    return most


def idempotency_key(request: Request) -> str | None:
    """What the sender calls a request; raises ``Problem`` for what is no name."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= MAX_IDEMPOTENCY_KEY and key.isprintable()):
        raise Problem(
            "bad-request", f"The Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} characters."
        )
    return key


async def accept(state: State, order: Order, form: PictureForm) -> tuple[str, bool]:
    """Store what ``read_form`` read and put its job into the queue; returns its id and whether it
    is new.
    """
    options = form.fields.options() | {"same_person": form.fields.same_person}
    most = state.settings.max_people
    options["max_people"] = min(options["max_people"] or most, most)
    return await accept_pictures(state, order, form.images, form.fields.name, options, form.given)


async def accept_pictures(
    state: State,
    order: Order,
    images: Sequence[UploadFile],
    name: str,
    options: dict[str, Any],
    given: Mapping[str, UploadFile] = MappingProxyType({}),
) -> tuple[str, bool]:
    """Store pictures, and what was given with them, and put their job into the queue; returns its
    id and whether it is new.
    """

    async def take() -> tuple[str, bool]:
        data = [await image.read() for image in images]
        also = {name: await file.read() for name, file in given.items()}
        return await run_in_threadpool(state.intake.accept, order, data, name, options, also)

    return await _accepted(state, take)


async def accept_video(
    state: State, order: Order, video: UploadFile, name: str, options: dict[str, Any]
) -> tuple[str, bool]:
    """Store a video and put its job into the queue; returns its id and whether it is new."""

    async def take() -> tuple[str, bool]:
        file: Any = video.file
        return await run_in_threadpool(state.intake.accept_video, order, file, name, options)

    return await _accepted(state, take)


async def _accepted(
    state: State, take: Callable[[], Awaitable[tuple[str, bool]]]
) -> tuple[str, bool]:
    """What ``take`` takes in: counted, few at once, and told to the workers."""
    try:
        async with state.uploads_at_once:
            job_id, new = await take()
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
