"""The shapes of requests and answers about videos."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.options import OPTIONS
from vitruvian.server.api.schemas.common import Strict, Time, Title
from vitruvian.video.formats import SEQUENCES, VIDEO_FORMATS, parse_video_formats

TITLE = "Video"
FORMATS = ("glb", "npz", "csv", "bvh", "webm")
_OFFERED = [name for name in VIDEO_FORMATS if name not in SEQUENCES]
_HINTS = ("height_cm", "fov_deg", "max_people")


def _hint(name: str) -> Any:
    option = OPTIONS[name]
    said = {"minimum": option.least, "maximum": option.most}
    extra: Any = {word: value for word, value in said.items() if value is not None}
    return Field(None, description=option.help, json_schema_extra=extra)


class VideoForm(Strict):
    """The fields beside the video, as they come in a form."""

    name: Annotated[Title, Field(description="What you call the result.")] = TITLE
    start_s: Annotated[float, Field(ge=0, le=1e6, description="Second to begin at.")] = 0.0
    end_s: Annotated[float | None, Field(gt=0, le=1e6, description="Second to end at.")] = None
    every: Annotated[
        int | None,
        Field(ge=1, le=10_000, description="Use every how many frames; else 30 a second."),
    ] = None
    height_cm: float | None = _hint("height_cm")
    fov_deg: float | None = _hint("fov_deg")
    max_people: int | None = _hint("max_people")
    formats: Annotated[str, Field(description=f"With commas, of {', '.join(_OFFERED)}.")] = (
        ",".join(FORMATS)
    )

    @field_validator(*_HINTS)
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        try:
            OPTIONS[info.field_name].check(value)
        except InputError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("formats")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            wanted = parse_video_formats(value)
        except (InputError, MissingExtraError) as error:
            raise ValueError(str(error)) from None
        if set(SEQUENCES) & {*wanted}:
            raise ValueError("Meshes per frame are for vitruvian video, not for the server")
        return ",".join(wanted)

    @model_validator(mode="after")
    def _lasts(self) -> VideoForm:
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError("end_s must be after start_s")
        return self

    def options(self) -> dict[str, Any]:
        """All of them as plain values, for the worker."""
        return self.model_dump() | {"formats": self.formats.split(",")}


class VideoChange(Strict):
    """To rename a video."""

    name: Title


class VideoClip(BaseModel):
    """What was used of the clip: its ``frames`` and the ``seconds`` from the first to the last."""

    width: int
    height: int
    fps: float
    every: int
    frames: int
    seconds: float


class MovingPerson(BaseModel):
    """One person of a video; ``checks`` are those of ``report.json``."""

    id: int
    height_m: float
    height_sd_m: float
    first_frame: int
    last_frame: int
    frames: int
    frames_filled_in: int
    checks: dict[str, float | None]
    warnings: list[str]
    files: dict[str, str]


class _VideoBrief(BaseModel):
    kind: Literal["video"] = "video"
    id: str
    name: str
    created_at: Time
    expires_at: Time | None
    clip: VideoClip
    bytes: int
    files: dict[str, str]


class VideoSummary(_VideoBrief):
    """A video in a list."""

    people: int


class Video(_VideoBrief):
    """A video. ``files`` and ``people[].files`` map what a file is for to its URL."""

    people: list[MovingPerson]
    warnings: list[str]
    timings_s: dict[str, float]


class Videos(BaseModel):
    """A page of videos, newest first."""

    items: list[VideoSummary]
    next_cursor: str | None
    total: int
