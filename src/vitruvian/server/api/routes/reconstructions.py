"""Create, list, look at, rename, correct and delete results."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from vitruvian.server.api import schemas
from vitruvian.server.api.callers import Caller, Reader, Writer, account_of
from vitruvian.server.api.checks import clean_id
from vitruvian.server.api.documented import IDEMPOTENCY_KEY, PREFER, picture_form, problems
from vitruvian.server.api.pictures import (
    accept,
    check_room,
    idempotency_key,
    take_upload_token,
    wait_for_end,
    wait_seconds,
)
from vitruvian.server.api.reading import read_form
from vitruvian.server.api.views import job_view, reconstruction_view, summary_view
from vitruvian.server.files.janitor import delete_reconstruction
from vitruvian.server.files.serving import MEDIA_TYPES, serve_file
from vitruvian.server.jobs.intake import Order
from vitruvian.server.kinds import PHOTO
from vitruvian.server.models import Job, Reconstruction
from vitruvian.server.problems import Problem, not_found, problem_from
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["reconstructions"])
Here = Annotated[State, Depends(state_of)]

FILE_ANSWERS: dict[int | str, dict[str, Any]] = problems(416) | {
    200: {"description": "The file.", "content": {kind: {} for kind in MEDIA_TYPES}},
    206: {
        "description": "Part of the file, or several.",
        "content": {kind: {} for kind in (*MEDIA_TYPES, "multipart/byteranges")},
    },
    304: {"description": "The file has not changed."},
}


@router.post(
    "/reconstructions",
    status_code=201,
    response_model=schemas.Reconstruction,
    responses=problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503)
    | {202: {"model": schemas.Job, "description": "It is in the queue."}},
    openapi_extra={
        "requestBody": picture_form(),
        "parameters": [PREFER, IDEMPOTENCY_KEY],
    },
)
async def create(request: Request, state: Here, caller: Writer) -> Response:
    """Reconstruct a picture: 201 when the result was there in time, else 202 and a job."""
    wait, key = wait_seconds(request, state), idempotency_key(request)
    await run_in_threadpool(take_upload_token, state, account_of(caller), request)
    # Before the body is read: who has no room need not send it.
    owner = account_of(caller)
    await run_in_threadpool(check_room, state, owner.id)
    expires = state.settings.guest_retention_hours if owner.kind == "guest" else None
    async with read_form(request, state) as form:
        job_id, _ = await accept(state, Order(owner.id, key, expires), form)
    job = await wait_for_end(request, state, job_id, wait)
    if job is None:
        raise not_found()
    return await run_in_threadpool(_answer, state, job)


def _answer(state: State, job: Job, made: int = 201) -> Response:
    """``made`` for a result, 202 for a job, the problem for a failure."""
    if job.state == "failed" and job.problem:
        raise problem_from(job.problem)
    if job.state == "cancelled":
        raise Problem("cancelled", "The job was cancelled; send the picture again.")
    with state.database.read() as session:
        if job.state == "succeeded" and job.reconstruction_id:
            row = session.get(Reconstruction, job.reconstruction_id)
            if row is None:
                raise not_found()
            body = reconstruction_view(row).model_dump_json()
            return json_answer(body, made, f"/api/v1/reconstructions/{row.id}")
        view = job_view(session, state, job)
    return json_answer(view.model_dump_json(), 202, view.links.self)


def json_answer(body: str, status: int, location: str) -> Response:
    """An answer of JSON about something that has an address."""
    return Response(body, status, {"Location": location}, media_type="application/json")


@router.get("/reconstructions", responses=problems(400, 401, 403, 422))
def list_reconstructions(
    state: Here,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> schemas.Reconstructions:
    """The account's results, newest first, a page at a time."""
    rows, next_cursor, total = listed(state, caller, PHOTO, limit, cursor)
    return schemas.Reconstructions(
        items=[summary_view(row) for row in rows], next_cursor=next_cursor, total=total
    )


def listed(
    state: State, caller: Caller, kind: str, limit: int, cursor: str | None
) -> tuple[Sequence[Reconstruction], str | None, int]:
    """A page of the account's results of a kind, where the next one begins, and how many are."""
    mine = and_(Reconstruction.account_id == account_of(caller).id, Reconstruction.kind == kind)
    query = select(Reconstruction).where(mine)
    if cursor:
        when, last = _read_cursor(cursor)
        query = query.where(
            or_(
                Reconstruction.created_at < when,
                and_(Reconstruction.created_at == when, Reconstruction.id < last),
            )
        )
    query = query.order_by(Reconstruction.created_at.desc(), Reconstruction.id.desc())
    with state.database.read() as session:
        total = session.scalar(select(func.count()).select_from(Reconstruction).where(mine))
        rows = session.scalars(query.limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, _write_cursor(rows[-1]) if more else None, total or 0


def _write_cursor(row: Reconstruction) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at!r} {row.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[float, str]:
    try:
        when, _, last = base64.urlsafe_b64decode(cursor.encode("ascii")).decode().partition(" ")
        seconds = float(when)
        if not 0 <= seconds < 1e11:
            raise ValueError
        return seconds, clean_id(last)
    except (ValueError, binascii.Error, Problem):
        raise Problem("bad-request", "The cursor is not one that this list gave.") from None


def owned(
    session: Session, caller: Caller, reconstruction_id: str, kind: str = PHOTO
) -> Reconstruction:
    """A result of the caller's of that kind; raises ``Problem`` not-found for anything else."""
    row = session.scalars(
        select(Reconstruction).where(
            Reconstruction.id == clean_id(reconstruction_id),
            Reconstruction.account_id == account_of(caller).id,
            Reconstruction.kind == kind,
        )
    ).first()
    if row is None:
        raise not_found()
    return row


@router.get("/reconstructions/{reconstruction_id}", responses=problems(401, 403, 404, 422))
def get_reconstruction(
    reconstruction_id: str, state: Here, caller: Reader
) -> schemas.Reconstruction:
    """A result."""
    with state.database.read() as session:
        row = owned(session, caller, reconstruction_id)
        return reconstruction_view(row)


@router.patch(
    "/reconstructions/{reconstruction_id}",
    response_model=schemas.Reconstruction,
    responses=problems(400, 401, 403, 404, 409, 415, 422, 429, 500, 503)
    | {202: {"model": schemas.Job, "description": "The correction is in the queue."}},
    openapi_extra={"parameters": [PREFER]},
)
async def change(
    request: Request, reconstruction_id: str, body: schemas.Change, state: Here, caller: Writer
) -> Response:
    """Rename a result, or correct it: other hints make it anew, in place.

    200 with the result, when it was there in time, else 202 and a job. Until then, and when it
    fails, the result stays as it is.
    """
    changes = body.options()
    view = await run_in_threadpool(_rename, state, caller, reconstruction_id, body.name)
    if not changes:
        return json_answer(
            view.model_dump_json(), 200, f"/api/v1/reconstructions/{reconstruction_id}"
        )
    wait = wait_seconds(request, state)
    owner = account_of(caller)
    await run_in_threadpool(take_upload_token, state, owner, request)
    job_id = await run_in_threadpool(state.intake.correct, owner.id, reconstruction_id, changes)
    state.pool.wake()
    job = await wait_for_end(request, state, job_id, wait)
    if job is None:
        raise not_found()
    return await run_in_threadpool(_answer, state, job, 200)


def _rename(
    state: State, caller: Caller, reconstruction_id: str, name: str | None
) -> schemas.Reconstruction:
    with state.database.write() as session:
        row = owned(session, caller, reconstruction_id)
        if name is not None:
            rename(session, row, name)
        return reconstruction_view(row)


def rename(session: Session, row: Reconstruction, name: str) -> None:
    """Call a result, and the job that made it, something else."""
    row.name = name
    session.execute(update(Job).where(Job.id == row.job_id).values(name=name))
    session.flush()


@router.delete(
    "/reconstructions/{reconstruction_id}", status_code=204, responses=problems(401, 403, 404, 422)
)
def delete(reconstruction_id: str, state: Here, caller: Writer) -> None:
    """Delete a result, its links and its files."""
    remove_result(state, caller, reconstruction_id)


def remove_result(state: State, caller: Caller, result_id: str, kind: str = PHOTO) -> None:
    """Delete a result of the caller's of that kind, its links and its files."""
    with state.database.write() as session:
        delete_reconstruction(session, owned(session, caller, result_id, kind))
    state.janitor.remove_files()


@router.get(
    "/reconstructions/{reconstruction_id}/files/{path:path}",
    response_class=Response,
    responses=problems(401, 403, 404, 422) | FILE_ANSWERS,
)
def get_file(
    reconstruction_id: str,
    path: str,
    request: Request,
    state: Here,
    caller: Reader,
    download: bool = False,
) -> Response:
    """A file of a result."""
    return serve_owned(request, state, caller, reconstruction_id, path, download=download)


def serve_owned(
    request: Request,
    state: State,
    caller: Caller,
    result_id: str,
    path: str,
    kind: str = PHOTO,
    *,
    download: bool,
) -> Response:
    """A file of a result of the caller's of that kind."""
    with state.database.read() as session:
        row = owned(session, caller, result_id, kind)
    return serve_file(request, state.storage, row, path, download=download)
