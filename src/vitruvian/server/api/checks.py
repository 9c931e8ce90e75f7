"""Checks of a request: ids in addresses, values that validation refused, rates."""

from __future__ import annotations

from typing import Any

from vitruvian.server.accounts.ratelimits import RateLimit
from vitruvian.server.problems import Problem, not_found


def clean_id(text: str) -> str:
    """An id from an address; what cannot be one is not found, without asking the database."""
    if len(text) > 64 or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise not_found()
    return text


def validation_problem(errors: Any) -> Problem:
    """The problem that lists what validation found wrong."""
    listed = []
    for one in errors:
        place = [str(part) for part in one["loc"] if part not in ("body", "query", "path")]
        detail = str(one["msg"]).removeprefix("Value error, ")
        listed.append({"field": ".".join(place)[:80] or "body", "detail": detail})
    first = listed[0] if listed else {"field": "body", "detail": "is not valid"}
    sentence = f"{first['detail'].rstrip('.')}."
    if first["field"] != "body":
        sentence = f"{first['field']}: {sentence}"
    return Problem("validation", sentence, errors=listed)


def take(limit: RateLimit, key: str) -> None:
    """Count an attempt of ``key``; raises ``Problem`` when there were too many."""
    wait = limit.take(key)
    if wait:
        raise too_fast(wait)


def too_fast(wait: float) -> Problem:
    """The answer to too many attempts."""
    return Problem(
        "rate-limited", f"Too many attempts; try again in {round(wait) or 1} s.", retry_after=wait
    )
