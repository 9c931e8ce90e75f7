"""What the shapes of several resources share: strict bodies, times, titles, problems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
)


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# Seconds since the epoch inside, RFC 3339 outside.
Time = Annotated[
    float,
    PlainSerializer(_rfc3339, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]


def printable(text: str) -> str:
    text = " ".join(text.split())
    if not text or not text.isprintable():
        raise ValueError("must hold printable characters")
    return text


Title = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(printable)]


class Strict(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class FieldError(BaseModel):
    """One field that is wrong."""

    field: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not-found",
                    "title": "There is nothing here",
                    "status": 404,
                    "code": "not-found",
                    "detail": "There is nothing at this address; it may have been deleted.",
                    "errors": [],
                }
            ]
        }
    )


class Message(BaseModel):
    """A sentence."""

    detail: str


class Size(BaseModel):
    """Pixels."""

    width: int
    height: int
