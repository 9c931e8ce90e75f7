"""The way of a picture or a video through a request: counted, read, queued, waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from vitruvian.errors import InputError
from vitruvian.server.api.callers import client_key
from vitruvian.server.api.checks import validation_problem
from vitruvian.server.api.documented import MAX_IDEMPOTENCY_KEY
from vitruvian.server.api.schemas import CreateForm
from vitruvian.server.files.names import MOST_PHOTOS
from vitruvian.server.jobs.intake import Order
from vitruvian.server.models import ACTIVE, Account, Job
from vitruvian.server.problems import Problem
from vitruvian.server.state import State

MAX_FORM_FIELDS = 16
MAX_FIELD_BYTES = 16_384

_LOOK_SECONDS = 0.5

Form = TypeVar("Form", bound=BaseModel)


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


@asynccontextmanager
async def read_form(
    request: Request, state: State
) -> AsyncIterator[tuple[list[UploadFile], CreateForm]]:
    """The picture, or pictures of one person, and the fields of a form; see ``read_pictures``."""
    most = state.settings.max_upload_bytes
    async with _read_files(
        request, ("image",), CreateForm, most, too_large(state), MOST_PHOTOS
    ) as (files, form):
        images = files["image"]
        try:
            form.check_count(len(images))
        except InputError as error:
            errors = [{"field": "same_person", "detail": str(error)}]
            raise Problem("validation", str(error), errors=errors) from None
        yield images, form


@asynccontextmanager
async def read_pictures(
    request: Request, state: State, names: Sequence[str], model: type[Form], of_each: int
) -> AsyncIterator[tuple[dict[str, list[UploadFile]], Form]]:
    """The pictures, by their field, and the other fields of a form, while the block lasts.

    A picture that arrives is on disk from its second megabyte on: however slowly it comes, nobody
    waits for it.

    Args:
        request: with the form.
        state: for the limits.
        names: fields with pictures.
        model: the other fields.
        of_each: how many pictures a field may have at most.

    Raises:
        Problem: too large, not a form, without a picture, with wrong fields.
    """
    most = state.settings.max_upload_bytes
    async with _read_files(request, names, model, most, too_large(state), of_each) as read:
        yield read


@asynccontextmanager
async def read_video(
    request: Request, state: State, model: type[Form]
) -> AsyncIterator[tuple[UploadFile, Form]]:
    """The file ``video`` and the fields of a form, as ``read_pictures`` reads them."""
    most = state.settings.max_video_bytes
    async with _read_files(request, ("video",), model, most, video_too_large(state)) as read:
        yield read[0]["video"][0], read[1]


@asynccontextmanager
async def _read_files(
    request: Request,
    names: Sequence[str],
    model: type[Form],
    most: int,
    refused: Problem,
    of_each: int = 1,
) -> AsyncIterator[tuple[dict[str, list[UploadFile]], Form]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        fields_of = f"the fields {' and '.join(names)}" if len(names) > 1 else f"a field {names[0]}"
        raise Problem(
            "unsupported-media-type", f"Send a form (multipart/form-data) with {fields_of}."
        )
    async with request.form(
        max_files=len(names) * of_each, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FIELD_BYTES
    ) as form:
        files: dict[str, list[UploadFile]] = {name: [] for name in names}
        for name in names:
            sent = form.getlist(name)
            for image in sent or ("",):
                if not isinstance(image, UploadFile):
                    wrong = f"The form lacks a file in the field {name}."
                    raise Problem("validation", wrong, errors=[{"field": name, "detail": wrong}])
                if (image.size or 0) > most:
                    raise refused
                files[name].append(image)
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            if name in names:
                continue
            if name in fields or not isinstance(value, str):
                detail = "must be given once, as text"
                raise Problem(
                    "validation",
                    f"{name[:40]}: {detail}.",
                    errors=[{"field": name[:40], "detail": detail}],
                )
            fields[name] = value
        yield files, _parse_fields(fields, model)


def too_large(state: State, together: int = 0) -> Problem:
    """The answer to a picture over the limit, or to pictures that are ``together`` times it."""
    most = state.settings.max_upload_mb
    all_of_them = f", or all together more than {together * most} MB" if together else ""
    return Problem(
        "too-large", f"The picture has more than {most} MB{all_of_them}; save a smaller copy."
    )


def video_too_large(state: State) -> Problem:
    """The answer to a video over the limit."""
    most = state.settings.max_video_mb
    return Problem("too-large", f"The video has more than {most} MB; cut it or make it smaller.")


def _parse_fields(fields: Mapping[str, str], model: type[Form]) -> Form:
    try:
        # An empty field of a form is one that was left out.
        return model.model_validate({k: v for k, v in fields.items() if v != ""})
    except ValidationError as error:
        raise validation_problem(error.errors()) from None


async def accept(
    state: State, order: Order, images: Sequence[UploadFile], form: CreateForm
) -> tuple[str, bool]:
    """Store what ``read_form`` read and put its job into the queue; returns its id and whether it
    is new.
    """
    options = form.options() | {"same_person": form.same_person}
    most = state.settings.max_people
    options["max_people"] = min(options["max_people"] or most, most)
    return await accept_pictures(state, order, images, form.name, options)


async def accept_pictures(
    state: State, order: Order, images: Sequence[UploadFile], name: str, options: dict[str, Any]
) -> tuple[str, bool]:
    """Store pictures and put their job into the queue; returns its id and whether it is new."""

    async def take() -> tuple[str, bool]:
        data = [await image.read() for image in images]
        return await run_in_threadpool(state.intake.accept, order, data, name, options)

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
