"""The shapes of share links."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    BaseModel,
    Field,
)

from vitruvian.server.api.schemas.common import Strict, Time


class NewShare(Strict):
    """To share a result."""

    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Share(BaseModel):
    """A link that shows a result to whoever has it."""

    id: str
    reconstruction_id: str
    created_at: Time
    expires_at: Time
    page: str
    url: str


class Shares(BaseModel):
    """Every share link of a result."""

    items: list[Share]
