"""``POST /Upload``: a picture in, the path of its ``.obj`` out."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from vitruvian.server.api import schemas
from vitruvian.server.api.callers import AnyCaller, Caller
from vitruvian.server.api.documented import picture_form, problems
from vitruvian.server.api.pictures import (
    accept,
    check_room,
    take_upload_token,
    wait_for_end,
)
from vitruvian.server.api.reading import read_form
from vitruvian.server.api.routes.sharing import add_share
from vitruvian.server.api.views import reconstruction_view
from vitruvian.server.jobs.intake import Order
from vitruvian.server.models import ACTIVE, Job, Reconstruction
from vitruvian.server.problems import Problem, not_found, problem_from
from vitruvian.server.state import ANONYMOUS, State, state_of

router = APIRouter(tags=["simple call"])
Here = Annotated[State, Depends(state_of)]


@router.post(
    "/Upload",
    responses=problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503),
    openapi_extra={"requestBody": picture_form()},
)
async def upload(request: Request, state: Here, caller: AnyCaller) -> schemas.Uploaded:
    """Reconstruct a picture and answer, when it is done, with the path of the ``.obj``."""
    if caller.scopes is not None and "reconstructions:write" not in caller.scopes:
        raise Problem("forbidden", "The API token lacks the scope reconstructions:write.")
    if caller.account is None and not state.settings.anonymous_uploads:
        raise Problem("not-authenticated", "Log in, or send an API token.")
    order = _order(state, caller)
    await run_in_threadpool(take_upload_token, state, caller.account, request)
    await run_in_threadpool(check_room, state, order.account_id)
    async with read_form(request, state) as form:
        formats = {"formats": f"obj,{form.fields.formats}"}  # what it answers with
        form = replace(form, fields=form.fields.model_copy(update=formats))
        job_id, _ = await accept(state, order, form)
    job = await wait_for_end(
        request, state, job_id, state.settings.upload_timeout_seconds, patient=True
    )
    if job is None:
        raise not_found()
    return await run_in_threadpool(_answer, state, job)


def _order(state: State, caller: Caller) -> Order:
    if caller.account is None:
        hours = state.settings.guest_retention_hours
        return Order(state.system_accounts[ANONYMOUS], expires_hours=hours)
    guest = caller.account.kind == "guest"
    hours_left = state.settings.guest_retention_hours if guest else None
    return Order(caller.account.id, expires_hours=hours_left)


def _answer(state: State, job: Job) -> schemas.Uploaded:
    if job.state in ACTIVE:
        with state.database.write() as session:
            row = session.get(Job, job.id, with_for_update=True)
            if row is not None:
                state.queue.cancel(session, row)
        raise Problem(
            "timeout",
            "The server is too busy to finish the picture now; try later.",
            retry_after=30,
        )
    if job.state == "failed" and job.problem:
        raise problem_from(job.problem)
    if job.state == "cancelled":
        raise Problem("cancelled", "The job was cancelled; send the picture again.")
    with state.database.write() as session:
        result = session.get(Reconstruction, job.reconstruction_id or "")
        if result is None:
            raise not_found()
        days = state.settings.share_default_days
        made = add_share(session, result, time.time() + days * 86_400)
        token = state.signer.share_token(made.id)
        view = reconstruction_view(result, token)
    paths = [person.files["mesh_obj"] for person in view.people]
    largest = max(view.people, key=lambda person: _longer_side(person.box))
    return schemas.Uploaded(
        path=largest.files["mesh_obj"], paths=paths, result=f"/api/v1/shared/{token}"
    )


def _longer_side(box: list[float]) -> float:
    return max(box[2] - box[0], box[3] - box[1])
