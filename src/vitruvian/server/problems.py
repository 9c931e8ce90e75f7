"""Errors of the API: one shape, RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"
CLIENT_LEFT = 499  # nobody reads it: for the log, as in nginx's


@dataclass(frozen=True)
class Kind:
    """What a code means: its HTTP status and a title that does not change with the occasion."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "bad-request": Kind(400, "The request cannot be understood"),
    "not-authenticated": Kind(401, "Nobody is logged in"),
    "wrong-credentials": Kind(401, "Name or password is wrong"),
    "csrf": Kind(403, "The request does not come from the page"),
    "wrong-password": Kind(403, "The password is wrong"),
    "forbidden": Kind(403, "This is not allowed"),
    "not-found": Kind(404, "There is nothing here"),
    "method-not-allowed": Kind(405, "The method is not allowed here"),
    "too-slow": Kind(408, "The request came too slowly"),
    "conflict": Kind(409, "This contradicts an earlier request"),
    "too-large": Kind(413, "The file or picture is too large"),
    "unsupported-picture": Kind(415, "The picture is of a kind that is not read here"),
    "unsupported-media-type": Kind(415, "The body has another type than expected"),
    "bad-range": Kind(416, "The file has no such part"),
    "not-a-picture": Kind(415, "The file is not a picture"),
    "video": Kind(415, "The file is a video"),
    "not-a-clip": Kind(415, "The file is not a video"),
    "damaged-clip": Kind(422, "The video cannot be read"),
    "too-long": Kind(422, "The video is too long"),
    "bad-picture": Kind(422, "The picture cannot be used"),
    "bad-keypoints": Kind(422, "The keypoints cannot be used"),
    "bad-masks": Kind(422, "The masks cannot be used"),
    "animation": Kind(422, "The picture moves"),
    "damaged-picture": Kind(422, "The picture is damaged"),
    "too-small": Kind(422, "The picture is too small"),
    "nobody-found": Kind(422, "Nobody was found"),
    "validation": Kind(422, "The request is not valid"),
    "rate-limited": Kind(429, "Too many requests"),
    "quota-exceeded": Kind(429, "The account is full"),
    "too-many-jobs": Kind(429, "Too many pictures at once"),
    "queue-full": Kind(429, "The queue is full"),
    "internal": Kind(500, "The server failed"),
    "crashed": Kind(500, "The reconstruction failed"),
    "timeout": Kind(503, "It took too long"),
    "took-too-long": Kind(503, "The reconstruction took too long"),
    "cancelled": Kind(409, "The job was cancelled"),
    "unavailable": Kind(503, "The server cannot work now"),
}

# For statuses that the framework raises by itself.
CODE_OF_STATUS = {
    400: "bad-request",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "validation",
    429: "rate-limited",
    503: "unavailable",
}


class Problem(Exception):
    """An answer that is an error.

    Args:
        code: a key of ``KINDS``.
        detail: one sentence for people, with the remedy.
        errors: ``{"field": ..., "detail": ...}`` of each field that is wrong.
        retry_after: seconds after which the request may succeed.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """HTTP status."""
        return KINDS[self.code].status

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer besides its type."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after)))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers

    def body(self) -> dict[str, Any]:
        """The problem as plain values."""
        kind = KINDS[self.code]
        return {
            "type": f"/problems/{self.code}",
            "title": kind.title,
            "status": kind.status,
            "code": self.code,
            "detail": self.detail,
            "errors": self.errors,
        }


def problem_from(body: Mapping[str, Any]) -> Problem:
    """The problem that ``body`` describes, as :meth:`Problem.body` writes it."""
    return Problem(body["code"], body["detail"], errors=body.get("errors", ()))


def not_found() -> Problem:
    """The one answer for what does not exist and for what belongs to others."""
    return Problem("not-found", "There is nothing at this address; it may have been deleted.")
