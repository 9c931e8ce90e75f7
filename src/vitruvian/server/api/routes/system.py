"""Limits for clients, health, metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import func, select

from vitruvian._version import __version__
from vitruvian.image.limits import MAX_PIXELS, MIN_SIDE
from vitruvian.server.api import schemas
from vitruvian.server.api.callers import is_local
from vitruvian.server.api.documented import problems
from vitruvian.server.api.views import stage_views
from vitruvian.server.jobs.moving import VIDEO_STAGES
from vitruvian.server.jobs.timing import STAGES
from vitruvian.server.metrics import CONTENT_TYPE
from vitruvian.server.models import ENDED, Job
from vitruvian.server.problems import Problem, not_found
from vitruvian.server.state import State, state_of

router = APIRouter(tags=["server"])
Here = Annotated[State, Depends(state_of)]


@router.get("/api/v1/config")
def config(state: Here) -> schemas.Config:
    """Limits and names for clients."""
    settings = state.settings
    return schemas.Config(
        version=__version__,
        max_upload_bytes=settings.max_upload_bytes,
        max_video_bytes=settings.max_video_bytes,
        max_video_seconds=settings.max_video_seconds,
        max_pixels=MAX_PIXELS,
        min_side=MIN_SIDE,
        accepted_types=list(state.readable_types),
        fast_path_seconds=settings.fast_path_seconds,
        retention_days=settings.retention_days,
        guest_retention_hours=settings.guest_retention_hours,
        guests=settings.guests,
        registration=settings.registration,
        password_min_length=settings.password_min_length,
        share_max_days=settings.share_max_days,
        max_active_jobs=settings.max_active_jobs,
        stages=stage_views(STAGES),
        video_stages=stage_views(VIDEO_STAGES),
    )


@router.get("/healthz")
def healthz() -> schemas.Message:
    """The process answers."""
    return schemas.Message(detail="alive")


@router.get("/readyz", responses=problems(503))
def readyz(state: Here) -> schemas.Message:
    """The database answers and a worker is warm."""
    if state.stopping.is_set():
        raise Problem("unavailable", "The server is stopping.")
    try:
        state.database.ping()
    except Exception:
        raise Problem("unavailable", "The database does not answer.") from None
    if state.pool.count and not state.pool.ready_count:
        raise Problem("unavailable", "No worker is warm yet; try again in a moment.", retry_after=2)
    return schemas.Message(detail="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses=problems(404)
    | {200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
)
def metrics(request: Request, state: Here) -> Response:
    """Counters for Prometheus."""
    allowed = state.settings.metrics
    if allowed == "off" or (allowed == "local" and not is_local(request)):
        raise not_found()
    counted = state.metrics
    with state.database.read() as session:
        rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
        by_state = {state_name: count for state_name, count in rows}
    counted.jobs_waiting.set(by_state.get("queued", 0))
    counted.jobs_running.set(by_state.get("running", 0))
    for name in ENDED:
        counted.jobs_ended.labels(name).set(by_state.get(name, 0))
    counted.workers.labels("wanted").set(state.pool.count)
    counted.workers.labels("warm").set(state.pool.ready_count)
    counted.workers.labels("busy").set(state.pool.busy)
    counted.job_seconds.set(state.clock.total)
    return Response(counted.text(), headers={"Content-Type": CONTENT_TYPE})
