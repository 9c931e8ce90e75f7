"""The application: routes, errors, the API's description, start and stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from vitruvian._version import __version__
from vitruvian.server.api import documented
from vitruvian.server.api.checks import validation_problem
from vitruvian.server.api.guard import INTERNAL, Guard
from vitruvian.server.api.routes import (
    account,
    jobs,
    measurements,
    reconstructions,
    sessions,
    sharing,
    system,
    upload,
    videos,
)
from vitruvian.server.files.page import Page
from vitruvian.server.jobs.process import COMMAND
from vitruvian.server.problems import CLIENT_LEFT, CODE_OF_STATUS, MEDIA_TYPE, Problem, not_found
from vitruvian.server.settings import Settings
from vitruvian.server.state import State

_DESCRIPTION = (
    "Photographs in; metric, textured, animatable 3D people out. Errors are RFC 9457 problem "
    "details; requests with a session's cookie that change something carry X-CSRF-Token."
)


def create_app(settings: Settings, worker_command: Sequence[str] = COMMAND) -> FastAPI:
    """The application for ``settings``; nothing starts before its lifespan does.

    Args:
        settings: how it behaves.
        worker_command: the workers' program, for tests of the queue.

    Raises:
        InputError: a setting or the data folder cannot be used.
    """
    state = State(settings, worker_command)
    app = FastAPI(
        title="Vitruvian",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages run scripts from other hosts
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.vitruvian = state
    modules = (account, sessions, reconstructions, measurements, videos, jobs, sharing, upload)
    for module in (*modules, system):
        app.include_router(module.router)
    _serve_page(app)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_client_left)
    app.add_exception_handler(Exception, _on_bug)
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_security(documented.tidy(describe()))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    _wrap(app, state)
    return app


def _wrap(app: FastAPI, state: State) -> None:
    """Put the guard around everything, also around the framework's own error handling."""
    build = app.build_middleware_stack

    def guarded() -> ASGIApp:
        return Guard(build(), state)

    app.build_middleware_stack = guarded  # type: ignore[method-assign]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: State = app.state.vitruvian
    state.changes.bind(asyncio.get_running_loop())
    await asyncio.to_thread(state.start)
    logging.getLogger(__name__).info("started")
    try:
        yield
    finally:
        await asyncio.to_thread(state.stop)
        state.changes.bind(None)


def _serve_page(app: FastAPI) -> None:
    page = Page()

    @app.api_route("/{path:path}", methods=["GET"], include_in_schema=False)
    def page_or_file(path: str, request: Request) -> Response:
        if path == "api" or path.startswith("api/"):
            raise not_found()
        return page.answer(request)


def _problem_response(problem: Problem) -> Response:
    return JSONResponse(
        problem.body(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _problem_response(error)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    kinds = {one["type"] for one in error.errors()}
    if "json_invalid" in kinds:
        return _problem_response(Problem("bad-request", "The body is not JSON."))
    return _problem_response(validation_problem(error.errors()))


async def _on_client_left(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)


async def _on_bug(_: Request, __: Exception) -> Response:
    """Answers; the guard, which meets the exception next, writes it into the log."""
    return _problem_response(Problem("internal", INTERNAL))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = CODE_OF_STATUS.get(error.status_code, "bad-request")
    if code == "not-found":
        return _problem_response(not_found())
    details = {
        "method-not-allowed": f"{request.method[:10]} is not possible here.",
        "bad-request": "The request is damaged or not what was expected.",
    }
    response = _problem_response(Problem(code, details.get(code, "The request was refused.")))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value  # such as Allow
    return response


def _with_security(description: dict[str, Any]) -> dict[str, Any]:
    """Say how requests show who makes them."""
    description["components"]["securitySchemes"] = {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "vitruvian",
            "description": "With X-CSRF-Token on requests that change something; called "
            "__Host-vitruvian over https.",
        },
        "token": {"type": "http", "scheme": "bearer"},
    }
    for path, operations in description["paths"].items():
        for operation in operations.values():
            if "401" in operation["responses"]:
                both: list[dict[str, list[str]]] = [{"session": []}, {"token": []}]
                optional = path in ("/Upload", "/api/v1/session", "/api/v1/sessions")
                operation["security"] = both + ([{}] if optional else [])
    return description
