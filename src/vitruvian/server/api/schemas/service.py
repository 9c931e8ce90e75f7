"""What the service says of itself."""

from __future__ import annotations

from pydantic import (
    BaseModel,
)


class Stage(BaseModel):
    """A stage and what to call it."""

    name: str
    title: str


class Config(BaseModel):
    """Limits and names for clients."""

    version: str
    max_upload_bytes: int
    max_video_bytes: int
    max_video_seconds: float
    max_pixels: int
    min_side: int
    accepted_types: list[str]
    fast_path_seconds: float
    retention_days: float
    guest_retention_hours: float
    guests: bool
    registration: bool
    password_min_length: int
    share_max_days: int
    max_active_jobs: int
    stages: list[Stage]
    video_stages: list[Stage]
