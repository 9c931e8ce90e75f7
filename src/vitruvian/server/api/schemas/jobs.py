"""The shapes of jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    BaseModel,
)

from vitruvian.server.api.schemas.common import ProblemBody, Time

JobKind = Literal["photo", "measures", "video"]


JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class PersonAtWork(BaseModel):
    """Whom a stage is about."""

    number: int
    of: int


class JobLinks(BaseModel):
    """Where to go on."""

    self: str
    events: str
    cancel: str
    reconstruction: str | None
    measurement: str | None = None
    video: str | None = None


class Job(BaseModel):
    """A picture or a video on its way to a result, or two pictures on theirs to measures."""

    id: str
    kind: JobKind = "photo"
    name: str
    state: JobState
    stage: str | None
    person: PersonAtWork | None
    progress: float
    queue_position: int | None
    seconds_left: float | None
    attempts: int
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    reconstruction_id: str | None
    measurement_id: str | None = None
    video_id: str | None = None
    replaces: str | None = None
    problem: ProblemBody | None
    links: JobLinks


class Jobs(BaseModel):
    """The account's latest jobs."""

    items: list[Job]
