"""Servers for tests: in this process or in one of their own, on SQLite or PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FAKE_WORKER = (sys.executable, str(Path(__file__).parent / "fake_worker.py"))
DATABASE_VARIABLE = "VITRUVIAN_TEST_DATABASE_URL"

PASSWORD = "correct horse battery"


def picture(*wishes: str) -> bytes:
    """What passes for a picture with the fake worker: it begins as a JPEG does."""
    return b"\xff\xd8\xff\xe0 not really a picture " + b"#" + ",".join(wishes).encode()


@contextlib.contextmanager
def fresh_database() -> Iterator[str]:
    """A URL of an empty database: "" for SQLite, or a new one on the server under test."""
    url = os.environ.get(DATABASE_VARIABLE, "")
    if not url:
        yield ""
        return
    import psycopg

    name = f"vitruvian_test_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    base, _, query = url.partition("?")
    try:
        yield base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def make_settings(data: Path, database_url: str, **given: Any) -> Any:
    """Settings of a small server that does not slow tests down."""
    from vitruvian.server.settings import load_settings

    values = {
        "data": str(data),
        "database_url": database_url,
        "samples": False,
        "workers": 1,
        "login_per_minute": 1000,
        "register_per_hour": 10_000,
        "upload_per_minute": 10_000,
        "guest_upload_per_minute": 10_000,
        "shutdown_seconds": 0.3,
        "lease_seconds": 2.0,
    }
    return load_settings({}, **(values | given))


@contextlib.contextmanager
def app_client(data: Path, worker: Any = FAKE_WORKER, **given: Any) -> Iterator[Any]:
    """A ``TestClient`` of a server in this process, started and stopped."""
    from fastapi.testclient import TestClient

    from vitruvian.server.app import create_app

    with fresh_database() as url:
        app = create_app(make_settings(data, url, **given), worker)
        with TestClient(
            app, base_url="http://127.0.0.1", client=("127.0.0.1", 5000), follow_redirects=False
        ) as client:
            yield client


def unique() -> str:
    """A name that nobody has yet."""
    return f"{secrets.token_hex(6)}@example.org"


def register(client: Any, name: str = "anna@example.org", password: str = PASSWORD) -> None:
    """Register and log in; the client then carries the session and its CSRF token."""
    answer = client.post("/api/v1/accounts", json={"name": name, "password": password})
    assert answer.status_code == 202, answer.text
    log_in(client, name, password)


def log_in(client: Any, name: str = "anna@example.org", password: str = PASSWORD) -> None:
    """Log in; the client then carries the session and its CSRF token."""
    client.cookies.clear()
    answer = client.post("/api/v1/sessions", json={"name": name, "password": password})
    assert answer.status_code == 201, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]


def another(client: Any) -> Any:
    """Another browser at the same server."""
    import httpx
    from fastapi.testclient import TestClient

    if isinstance(client, TestClient):
        return TestClient(client.app, base_url="http://127.0.0.1", client=("127.0.0.1", 5001))
    return httpx.Client(base_url=client.base_url, timeout=60)


def create(client: Any, data: bytes, wait: bool = True, **fields: Any) -> Any:
    """POST a picture."""
    headers = {} if wait else {"Prefer": "respond-async"}
    headers |= fields.pop("headers", {})
    return client.post(
        "/api/v1/reconstructions", files={"image": ("x", data)}, data=fields, headers=headers
    )


def create_of_one(client: Any, pictures: Sequence[bytes], **fields: Any) -> Any:
    """POST several pictures of one person, unless ``same_person`` says otherwise."""
    files = [("image", ("x", data)) for data in pictures]
    return client.post(
        "/api/v1/reconstructions", files=files, data={"same_person": "true"} | fields
    )


def wait_until(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What ``check`` returns once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def job_ends(client: Any, job_id: str, seconds: float = 20.0) -> dict[str, Any]:
    """The job, once it has ended."""

    def ended() -> Any:
        job = client.get(f"/api/v1/jobs/{job_id}").json()
        return job if job["state"] in ("succeeded", "failed", "cancelled") else None

    return wait_until(ended, seconds)


def files_of(data: Path) -> list[str]:
    """What lies in a server's storage and staging."""
    return sorted(
        path.relative_to(data).as_posix()
        for folder in ("files", "staging")
        for path in (data / folder).rglob("*")
        if path.is_file()
    )


_RUN = """
import sys
from vitruvian.server.running import run
from vitruvian.server.settings import load_settings
sys.exit(run(load_settings(), sys.argv[1:]))
"""


class ServerProcess:
    """A server in a process of its own.

    Args:
        data: its folder.
        worker: the workers' program; None for the real one.
        settings: by name.
    """

    def __init__(self, data: Path, worker: Any = FAKE_WORKER, **settings: Any) -> None:
        values = {
            "data": data,
            "port": 0,
            "workers": 1,
            "samples": False,
            "lease_seconds": 2.0,
            "log_format": "json",
        }
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VITRUVIAN_SERVER_")}
        environment |= {
            f"VITRUVIAN_SERVER_{name.upper()}": str(value)
            for name, value in (values | settings).items()
        }
        if worker is None:
            program = (
                "import sys; from vitruvian.commands.cli import main; sys.exit(main(['serve']))"
            )
            command = [sys.executable, "-c", program]
        else:
            command = [sys.executable, "-c", _RUN, *worker]
        self.log_path = data.with_name(data.name + ".log")
        self._log = self.log_path.open("ab")
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the server did not start: {line!r} {self.log()[-2000:]}"
        self.url = found.group()

    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self.log_path.read_text()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        return code
