"""What every request passes: host and origin checks, size and time limits on bodies, security
headers, one line of log and one count.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitruvian.server.api.bodies import VIDEO_SECONDS, Arriving, Body
from vitruvian.server.api.callers import address_key
from vitruvian.server.api.reading import too_large, video_too_large
from vitruvian.server.problems import CLIENT_LEFT, MEDIA_TYPE, Problem
from vitruvian.server.state import State

VIDEO_PATH = "/api/v1/videos"
# How many of the largest pictures a body may hold; of one person it may hold more smaller ones.
PICTURE_PATHS = {"/Upload": 2, "/api/v1/reconstructions": 2, "/api/v1/measurements": 2}
INTERNAL = "The server failed over this request; try again later."
_FORM_ROOM = 128 * 1024  # for a form's fields and boundaries
_JSON_BYTES = 64 * 1024
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # addresses of shared results are secrets
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Permissions-Policy": (
        "camera=(self), xr-spatial-tracking=(self), microphone=(), geolocation=(), payment=(), "
        "usb=()"
    ),
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_HSTS = "max-age=31536000"

log = logging.getLogger("vitruvian.server.requests")


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state
        self._arriving = Arriving(state.settings.uploads_per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no websockets here
        start = time.perf_counter()
        request_id = secrets.token_hex(8)
        status = 500
        started = finished = False
        body = self._body(scope, receive)

        # What answers GET answers HEAD; streams, which would go on in silence, do not.
        bare = scope["method"] == "HEAD" and not scope["path"].endswith("/events")
        if bare:
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started, finished
            if bare and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                _add_headers(message, scope, request_id)
                expects = "expect" in Headers(scope=scope)
                if status >= 400 and not expects and not await body.discard():
                    MutableHeaders(scope=message)["Connection"] = "close"
                # A body that is no HTTP, which came with its head, has ended the connection; only
                # in the next round of the loop is that known, and nothing is sent any more.
                await asyncio.sleep(0)
            await send(message)
            if message["type"] == "http.response.body":
                finished = not message.get("more_body", False)

        try:
            problem = self._refusal(scope)
            if problem is not None:
                await _answer(problem, send_with_headers)
            else:
                await self._app(scope, body, send_with_headers)
        except Exception as error:
            if isinstance(error, Problem) and not started:
                await _answer(error, send_with_headers)
            else:
                log.exception("request failed", extra={"request": request_id})
                if not started:
                    await _answer(Problem("internal", INTERNAL), send_with_headers)
        finally:
            body.end()
            # Whoever follows events leaves when it is enough.
            streams = scope["path"].endswith("/events")
            if body.broken_off or (body.left and not finished and not streams):
                status = CLIENT_LEFT
            self._record(scope, status, time.perf_counter() - start, request_id)

    def _body(self, scope: Scope, receive: Receive) -> Body:
        video = scope["path"] == VIDEO_PATH
        file = video or scope["path"] in PICTURE_PATHS
        client = scope.get("client")
        return Body(
            receive,
            self._body_limit(scope),
            _too_large(self._state, scope),
            address_key(client[0] if client else None),
            self._arriving if file and scope["method"] == "POST" else None,
            **({"seconds": VIDEO_SECONDS} if video else {}),
        )

    def _refusal(self, scope: Scope) -> Problem | None:
        """Why a request is not even looked at."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        allowed = self._state.settings.host_names
        if allowed and _host_name(host) not in allowed:
            return Problem(
                "bad-request",
                "The server does not answer to this name; see the setting "
                "VITRUVIAN_SERVER_ALLOWED_HOSTS.",
            )
        if scope["method"] not in _SAFE_METHODS and _is_cross_site(headers, host):
            return Problem("forbidden", "Requests from other sites are refused.")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._body_limit(scope):
            return _too_large(self._state, scope)
        return None

    def _body_limit(self, scope: Scope) -> int:
        if scope["path"] == VIDEO_PATH:
            return self._state.settings.max_video_bytes + _FORM_ROOM
        pictures = PICTURE_PATHS.get(scope["path"])
        if pictures is None:
            return _JSON_BYTES
        return pictures * self._state.settings.max_upload_bytes + _FORM_ROOM

    def _record(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        """Count and log, by the route's pattern: paths hold ids and secrets."""
        route = getattr(scope.get("route"), "path", None) or "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._state.metrics.requests.labels(method, route, str(status)).inc()
        if not route.endswith("/events"):  # their length says nothing
            self._state.metrics.seconds.labels(method, route).observe(seconds)
        level = logging.DEBUG if route in ("/healthz", "/readyz", "/metrics") else logging.INFO
        log.log(
            level,
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "request": request_id,
            },
        )


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _is_cross_site(headers: Headers, host: str) -> bool:
    """Whether a browser says that another site's page made the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:  # such as http://[::1
        return True


def _host_name(host: str) -> str:
    """The name in a header ``Host``, without its port; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _too_large(state: State, scope: Scope) -> Problem:
    if scope["path"] in PICTURE_PATHS:
        return too_large(state, PICTURE_PATHS[scope["path"]])
    if scope["path"] == VIDEO_PATH:
        return video_too_large(state)
    return Problem("too-large", f"The body has more than {_JSON_BYTES // 1024} kB.")


def _add_headers(message: Message, scope: Scope, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers["X-Request-Id"] = request_id
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = _HSTS


async def _answer(problem: Problem, send: Send) -> None:
    body = json.dumps(problem.body()).encode()
    headers = problem.headers | {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body))}
    if problem.status in (408, 413):
        headers["Connection"] = "close"  # what else is on its way is not read
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
