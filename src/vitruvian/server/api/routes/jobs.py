"""Look at jobs, follow them, cancel them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from vitruvian.server.api import schemas
from vitruvian.server.api.callers import Caller, Reader, Writer, account_of
from vitruvian.server.api.checks import clean_id
from vitruvian.server.api.documented import problems
from vitruvian.server.api.views import job_view
from vitruvian.server.models import ACTIVE, Job
from vitruvian.server.problems import not_found
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["jobs"])
Here = Annotated[State, Depends(state_of)]

# One event of the stream, as its reader sees it.
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "const": "job"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Job"},
        },
    },
}

_LISTED = 50
_LOOK_SECONDS = 1.0
_KEEP_ALIVE_SECONDS = 10.0


@router.get("/jobs", responses=problems(401, 403, 422))
def list_jobs(
    state: Here,
    caller: Reader,
    job_state: Annotated[schemas.JobState | None, Query(alias="state")] = None,
) -> schemas.Jobs:
    """The account's latest jobs, newest first."""
    query = select(Job).where(Job.account_id == account_of(caller).id)
    if job_state:
        query = query.where(Job.state == job_state)
    query = query.order_by(Job.created_at.desc(), Job.id.desc()).limit(_LISTED)
    with state.database.read() as session:
        return schemas.Jobs(
            items=[job_view(session, state, job) for job in session.scalars(query).all()]
        )


@router.get("/jobs/{job_id}", responses=problems(401, 403, 404, 422))
def get_job(job_id: str, state: Here, caller: Reader) -> schemas.Job:
    """A job."""
    with state.database.read() as session:
        return job_view(session, state, _owned(session, caller, job_id))


@router.post("/jobs/{job_id}/cancel", responses=problems(401, 403, 404, 422))
def cancel(job_id: str, state: Here, caller: Writer) -> schemas.Job:
    """Cancel a job. One that has ended stays as it is."""
    with state.database.write() as session:
        job = _owned(session, caller, job_id, lock=True)
        state.queue.cancel(session, job)
        session.flush()
        view = job_view(session, state, job)
    state.changes.notify(job_id)
    state.janitor.wake()
    return view


@router.get(
    "/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses=problems(401, 403, 404, 422)
    | {
        200: {
            "description": "Events `job`, each with a whole Job; the one that ended is the last.",
            "content": {"text/event-stream": {"schema": _EVENT}},
        }
    },
)
def follow(job_id: str, state: Here, caller: Reader) -> StreamingResponse:
    """Follow a job: server-sent events."""
    with state.database.read() as session:
        _owned(session, caller, job_id)
    return StreamingResponse(
        _events(state, caller, job_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(state: State, caller: Caller, job_id: str) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    last, spoke = "", time.monotonic()
    with state.changes.watch(job_id) as changed:
        while not state.stopping.is_set():  # the client then asks the next server
            changed.clear()
            view = await run_in_threadpool(_look, state, caller, job_id)
            if view is None:
                return
            text = view.model_dump_json()
            now = time.monotonic()
            if text != last or (view.state == "running" and now - spoke >= _LOOK_SECONDS):
                last, spoke = text, now
                yield f"event: job\ndata: {text}\n\n"
            elif now - spoke >= _KEEP_ALIVE_SECONDS:
                spoke = now
                yield ": still here\n\n"
            if view.state not in ACTIVE:
                return
            try:
                await asyncio.wait_for(changed.wait(), _LOOK_SECONDS)
            except TimeoutError:
                continue


def _look(state: State, caller: Caller, job_id: str) -> schemas.Job | None:
    with state.database.read() as session:
        job = session.scalars(
            select(Job).where(Job.id == job_id, Job.account_id == account_of(caller).id)
        ).first()
        return job_view(session, state, job) if job else None


def _owned(session: Session, caller: Caller, job_id: str, *, lock: bool = False) -> Job:
    query = select(Job).where(Job.id == clean_id(job_id), Job.account_id == account_of(caller).id)
    job = session.scalars(query.with_for_update() if lock else query).first()
    if job is None:
        raise not_found()
    return job
