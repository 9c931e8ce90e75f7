"""Random requests, drawn from the API's own description: no 5xx, and no answer that breaks it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")
pytest.importorskip("schemathesis", reason="needs schemathesis")

import schemathesis
from hypothesis import HealthCheck, given, settings, strategies

from server_tools import ServerProcess, create, fresh_database, picture, register

CHECKS = [
    getattr(schemathesis.checks, name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    )
]


@dataclass(frozen=True)
class Session:
    """Somebody who is logged in."""

    cookie: str
    csrf_token: str


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with a fake worker, somebody logged in with one of everything, and the ids."""
    import httpx

    with fresh_database() as url:
        server = ServerProcess(
            tmp_path_factory.mktemp("schema") / "data",
            database_url=url,
            register_per_hour=100_000,
            login_per_minute=100_000,
            upload_per_minute=100_000,
            guest_upload_per_minute=100_000,
            guest_per_hour=100_000,
        )
        try:
            with httpx.Client(base_url=server.url, timeout=30) as client:
                register(client, f"{secrets.token_hex(4)}@example.org")
                made = create(client, picture()).json()
                job = create(client, picture(), wait=False).json()
                shared = client.post(f"/api/v1/reconstructions/{made['id']}/shares", json={})
                ids = {
                    "reconstruction_id": made["id"],
                    "job_id": job["id"],
                    "token": shared.json()["url"].rsplit("/", 1)[1],
                    "path": "photo.jpg",
                }
                session = Session(client.cookies["vitruvian"], client.headers["X-CSRF-Token"])
            yield server, ids, session
        finally:
            assert server.stop() == 0
            assert "traceback" not in server.log()


@pytest.fixture(scope="module")
def description(api: Any) -> Any:
    server, _, _ = api
    return schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")


def ask(operation: Any, examples: int, session: Session | None, ids: dict[str, str]) -> set[int]:
    """Send random requests to one operation, check the answers, return their statuses."""
    seen: set[int] = set()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), known=strategies.booleans())
    def once(case: Any, known: bool) -> None:
        for name, value in ids.items():
            if known and name in (case.path_parameters or {}):
                case.path_parameters[name] = value  # something that is there
        if session is not None:  # in place of the random ones that the description suggests
            case.cookies = {"vitruvian": session.cookie}
            case.headers = {
                name: value
                for name, value in (case.headers or {}).items()
                if name.lower() not in ("authorization", "cookie")
            } | {"X-CSRF-Token": session.csrf_token}
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    once()
    return seen


def test_random_requests(api: Any, description: Any) -> None:
    _, ids, session = api
    statuses: dict[str, set[int]] = {}
    for result in description.get_all_operations():
        operation = result.ok()
        # Logging out, deleting what the others use, and logging in as the account of the examples
        # (which ends the session) would leave them only 401 and 404.
        deletes = operation.method.upper() == "DELETE"
        nobody = deletes or operation.path == "/api/v1/sessions"
        seen = ask(operation, 12, None if nobody else session, ids)
        statuses[operation.label] = seen
        if deletes:
            assert all(400 <= status < 500 for status in seen)
    assert len(statuses) > 25
    # It was not all refused at the door.
    assert sum(any(status < 300 for status in seen) for seen in statuses.values()) > 15
    assert 200 in statuses["GET /api/v1/reconstructions/{reconstruction_id}"]
