"""Servers as fixtures. Without the extra every test here is skipped, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

MODULES = (
    "fastapi",
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "argon2",
    "httpx",
    "prometheus_client",
    "limits",
)
MISSING = [name for name in MODULES if find_spec(name) is None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if MISSING and here in item.path.parents:
            reason = f"needs the extra server ({', '.join(MISSING)} not installed)"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    """A server with a fake worker, nobody logged in."""
    from server_tools import app_client

    with app_client(tmp_path / "data") as made:
        yield made


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with a fake worker for all tests that leave nothing behind."""
    from server_tools import app_client

    with app_client(tmp_path_factory.mktemp("shared") / "data") as made:
        yield made


@pytest.fixture
def visitor(shared_app: Any) -> Any:
    """A fresh browser at the shared server, nobody logged in."""
    from server_tools import another

    return another(shared_app)


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with a real worker, in a process of its own, for the whole session."""
    from server_tools import ServerProcess, fresh_database, wait_until

    data = tmp_path_factory.mktemp("server") / "data"
    with fresh_database() as url:
        server = ServerProcess(
            data,
            worker=None,
            database_url=url,
            upload_per_minute=10_000,
            guest_upload_per_minute=10_000,
            max_upload_mb=4,
            fast_path_seconds=60,
        )
        server.data = data  # type: ignore[attr-defined]
        try:
            import httpx

            wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200, 280)
            yield server
        finally:
            assert server.stop() == 0, server.log()[-3000:]


@pytest.fixture
def real(real_server: Any) -> Iterator[Any]:
    """A browser at the real server, registered and logged in."""
    import secrets

    import httpx

    from server_tools import register

    with httpx.Client(base_url=real_server.url, timeout=90) as browser:
        register(browser, f"{secrets.token_hex(6)}@example.org")
        yield browser
