"""Turn videos into people in motion; list, look at, rename, share and delete them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from vitruvian.server.api import schemas
from vitruvian.server.api.callers import Reader, Writer, account_of
from vitruvian.server.api.documented import IDEMPOTENCY_KEY, form_body, problems
from vitruvian.server.api.pictures import (
    accept_video,
    check_room,
    idempotency_key,
    take_upload_token,
)
from vitruvian.server.api.reading import read_video
from vitruvian.server.api.routes.reconstructions import (
    FILE_ANSWERS,
    json_answer,
    listed,
    owned,
    remove_result,
    rename,
    serve_owned,
)
from vitruvian.server.api.routes.sharing import share_result, shares_of
from vitruvian.server.api.schemas import videos as shapes
from vitruvian.server.api.views import job_view, video_summary_view, video_view
from vitruvian.server.jobs.intake import Order
from vitruvian.server.kinds import VIDEO
from vitruvian.server.models import Job
from vitruvian.server.problems import not_found
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["videos"])
Here = Annotated[State, Depends(state_of)]

_FILES = {"video": "The video: MP4, MOV, WebM, Matroska, AVI or an animated picture."}


@router.post(
    "/videos",
    status_code=202,
    response_model=schemas.Job,
    responses=problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503),
    openapi_extra={
        "requestBody": form_body(shapes.VideoForm, _FILES),
        "parameters": [IDEMPOTENCY_KEY],
    },
)
async def create(request: Request, state: Here, caller: Writer) -> Response:
    """Put a video into the queue: 202 and its job. The video is deleted when the job ends."""
    key, owner = idempotency_key(request), account_of(caller)
    await run_in_threadpool(take_upload_token, state, owner, request)
    # Before the body is read: who has no room need not send it.
    await run_in_threadpool(check_room, state, owner.id)
    hours = state.settings.guest_retention_hours if owner.kind == "guest" else None
    async with read_video(request, state, shapes.VideoForm) as (video, form):
        options = form.options()
        most = state.settings.max_people
        options["max_people"] = min(options["max_people"] or most, most)
        order = Order(owner.id, key, hours, VIDEO)
        job_id, _ = await accept_video(state, order, video, form.name, options)
    return await run_in_threadpool(_answer, state, job_id)


def _answer(state: State, job_id: str) -> Response:
    with state.database.read() as session:
        job = session.get(Job, job_id)
        if job is None:
            raise not_found()
        view = job_view(session, state, job)
    return json_answer(view.model_dump_json(), 202, view.links.self)


@router.get("/videos", responses=problems(400, 401, 403, 422))
def list_videos(
    state: Here,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> shapes.Videos:
    """The account's videos, newest first, a page at a time."""
    rows, next_cursor, total = listed(state, caller, VIDEO, limit, cursor)
    items = [video_summary_view(row) for row in rows]
    return shapes.Videos(items=items, next_cursor=next_cursor, total=total)


@router.get("/videos/{video_id}", responses=problems(401, 403, 404, 422))
def get_video(video_id: str, state: Here, caller: Reader) -> shapes.Video:
    """A video."""
    with state.database.read() as session:
        return video_view(owned(session, caller, video_id, VIDEO))


@router.patch("/videos/{video_id}", responses=problems(400, 401, 403, 404, 415, 422))
def change(video_id: str, body: shapes.VideoChange, state: Here, caller: Writer) -> shapes.Video:
    """Rename a video."""
    with state.database.write() as session:
        row = owned(session, caller, video_id, VIDEO)
        rename(session, row, body.name)
        return video_view(row)


@router.delete("/videos/{video_id}", status_code=204, responses=problems(401, 403, 404, 422))
def delete(video_id: str, state: Here, caller: Writer) -> None:
    """Delete a video, its links and its files."""
    remove_result(state, caller, video_id, VIDEO)


@router.get(
    "/videos/{video_id}/files/{path:path}",
    response_class=Response,
    responses=problems(401, 403, 404, 422) | FILE_ANSWERS,
)
def get_file(
    video_id: str,
    path: str,
    request: Request,
    state: Here,
    caller: Reader,
    download: bool = False,
) -> Response:
    """A file of a video."""
    return serve_owned(request, state, caller, video_id, path, VIDEO, download=download)


@router.get("/videos/{video_id}/shares", responses=problems(401, 403, 404, 422))
def list_shares(video_id: str, state: Here, caller: Reader) -> schemas.Shares:
    """The share links of a video."""
    return shares_of(state, caller, video_id, VIDEO)


@router.post(
    "/videos/{video_id}/shares",
    status_code=201,
    responses=problems(400, 401, 403, 404, 409, 415, 422),
)
def share(video_id: str, body: schemas.NewShare, state: Here, caller: Writer) -> schemas.Share:
    """Make a link that shows a video to whoever has it."""
    return share_result(state, caller, video_id, body, VIDEO)
