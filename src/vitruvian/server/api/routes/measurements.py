"""Measure somebody from two pictures; list, look at, keep and delete measures."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from vitruvian.anthropometry.judging import check_pairs
from vitruvian.errors import InputError
from vitruvian.server.accounts.signing import TOKEN_PREFIX, digest, new_token
from vitruvian.server.api import schemas
from vitruvian.server.api.callers import CAPTURE, Capturer, Reader, Writer, account_of
from vitruvian.server.api.documented import IDEMPOTENCY_KEY, PREFER, form_body, problems
from vitruvian.server.api.pictures import (
    accept_pictures,
    check_room,
    idempotency_key,
    take_upload_token,
    wait_for_end,
    wait_seconds,
)
from vitruvian.server.api.reading import read_pictures
from vitruvian.server.api.routes.reconstructions import (
    FILE_ANSWERS,
    json_answer,
    owned,
    remove_result,
    rename,
    serve_owned,
)
from vitruvian.server.api.schemas import measurements as shapes
from vitruvian.server.api.views import job_view, measurement_summary_view, measurement_view
from vitruvian.server.files.names import MOST_CAPTURES
from vitruvian.server.jobs.intake import Order
from vitruvian.server.kinds import MEASURES
from vitruvian.server.models import Account, ApiToken, Job, Reconstruction, new_id
from vitruvian.server.problems import Problem, not_found, problem_from
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["measurements"])
Here = Annotated[State, Depends(state_of)]

PICTURES = {
    "front": "The person from the front, whole, arms off the body: a picture or a bare silhouette. "
    "Of several captures the field comes once for each.",
    "side": "The person from their left side, whole; as often as front.",
}
_UNKEPT_HOURS = 1.0
_HANDOFF_SECONDS = 900.0
_LISTED = 50


@router.post(
    "/measurements",
    status_code=201,
    response_model=shapes.Measurement,
    responses=problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503)
    | {202: {"model": schemas.Job, "description": "It is in the queue."}},
    openapi_extra={
        "requestBody": form_body(shapes.MeasureForm, PICTURES, of_each=MOST_CAPTURES),
        "parameters": [PREFER, IDEMPOTENCY_KEY],
    },
)
async def create(request: Request, state: Here, caller: Capturer) -> Response:
    """Measure somebody: 201 when the result was there in time, else 202 and a job.

    The pictures are deleted when the job ends; the result an hour later, unless it is to be kept.
    """
    wait, key = wait_seconds(request, state), idempotency_key(request)
    owner = account_of(caller)
    await run_in_threadpool(take_upload_token, state, owner, request)
    await run_in_threadpool(check_room, state, owner.id)
    async with read_pictures(
        request, state, tuple(PICTURES), shapes.MeasureForm, MOST_CAPTURES
    ) as (files, form):
        fronts, sides = files["front"], files["side"]
        _check_pairs(len(fronts), len(sides))
        hours = _kept_hours(state, owner) if form.keep else _UNKEPT_HOURS
        order = Order(owner.id, key, hours, MEASURES)
        options = {"told": form.told(), "keep": form.keep}
        images = [image for pair in zip(fronts, sides, strict=True) for image in pair]
        job_id, _ = await accept_pictures(state, order, images, form.name, options)
    job = await wait_for_end(request, state, job_id, wait)
    if job is None:
        raise not_found()
    return await run_in_threadpool(_answer, state, job)


def _check_pairs(fronts: int, sides: int) -> None:
    """Raise ``Problem`` unless there are as many fronts as sides."""
    try:
        check_pairs(fronts, sides)
    except InputError as error:
        errors = [{"field": "side", "detail": str(error)}]
        raise Problem("validation", str(error), errors=errors) from None


def _kept_hours(state: State, owner: Account) -> float | None:
    """Life of a guest's result; None where the account's setting applies."""
    return state.settings.guest_retention_hours if owner.kind == "guest" else None


def _answer(state: State, job: Job) -> Response:
    if job.state == "failed" and job.problem:
        raise problem_from(job.problem)
    with state.database.read() as session:
        row = session.get(Reconstruction, job.reconstruction_id or "")
        if row is None:
            view = job_view(session, state, job)
            return json_answer(view.model_dump_json(), 202, view.links.self)
        made = measurement_view(row)
    return json_answer(made.model_dump_json(), 201, f"/api/v1/measurements/{row.id}")


@router.get("/measurements", responses=problems(401, 403))
def list_measurements(state: Here, caller: Reader) -> shapes.Measurements:
    """The account's measures: the last 50, newest first."""
    query = (
        select(Reconstruction)
        .where(Reconstruction.account_id == account_of(caller).id, Reconstruction.kind == MEASURES)
        .order_by(Reconstruction.created_at.desc(), Reconstruction.id.desc())
        .limit(_LISTED)
    )
    with state.database.read() as session:
        rows = session.scalars(query).all()
    return shapes.Measurements(items=[measurement_summary_view(row) for row in rows])


@router.get("/measurements/{measurement_id}", responses=problems(401, 403, 404, 422))
def get_measurement(measurement_id: str, state: Here, caller: Reader) -> shapes.Measurement:
    """Somebody's measures."""
    with state.database.read() as session:
        return measurement_view(owned(session, caller, measurement_id, MEASURES))


@router.patch("/measurements/{measurement_id}", responses=problems(400, 401, 403, 404, 415, 422))
def change(
    measurement_id: str, body: shapes.MeasurementChange, state: Here, caller: Writer
) -> shapes.Measurement:
    """Rename measures, or keep them as long as other results."""
    with state.database.write() as session:
        row = owned(session, caller, measurement_id, MEASURES)
        if body.name is not None:
            rename(session, row, body.name)
        if body.keep:
            row.details = row.details | {"options": {"keep": True}}
            row.expires_at = _kept_until(state, account_of(caller))
        session.flush()
        return measurement_view(row)


def _kept_until(state: State, owner: Account) -> float | None:
    hours = _kept_hours(state, owner)
    days = state.settings.retention_days if hours is None else hours / 24
    return time.time() + days * 86_400 if days else None


@router.delete(
    "/measurements/{measurement_id}", status_code=204, responses=problems(401, 403, 404, 422)
)
def delete(measurement_id: str, state: Here, caller: Writer) -> None:
    """Delete measures and their files."""
    remove_result(state, caller, measurement_id, MEASURES)


@router.get(
    "/measurements/{measurement_id}/files/{path:path}",
    response_class=Response,
    responses=problems(401, 403, 404, 422) | FILE_ANSWERS,
)
def get_file(
    measurement_id: str,
    path: str,
    request: Request,
    state: Here,
    caller: Reader,
    download: bool = False,
) -> Response:
    """A file of somebody's measures."""
    return serve_owned(request, state, caller, measurement_id, path, MEASURES, download=download)


@router.post("/measurements/handoffs", status_code=201, responses=problems(401, 403))
def hand_off(state: Here, caller: Writer) -> shapes.Handoff:
    """Let another device, such as a phone, send pictures into this account for 15 minutes."""
    token = TOKEN_PREFIX + new_token()
    now = time.time()
    row = ApiToken(
        id=new_id(),
        account_id=account_of(caller).id,
        name="Hand-off",
        digest=digest(token),
        scopes=CAPTURE,
        created_at=now,
        expires_at=now + _HANDOFF_SECONDS,
    )
    with state.database.write() as session:
        session.execute(  # there is one at a time
            delete_rows(ApiToken).where(
                ApiToken.account_id == row.account_id, ApiToken.scopes == CAPTURE
            )
        )
        session.add(row)
    return shapes.Handoff(token=token, expires_at=now + _HANDOFF_SECONDS)
