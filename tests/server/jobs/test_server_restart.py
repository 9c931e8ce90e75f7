"""kill -9 and SIGTERM of a whole server while it works: every accepted job still ends, once."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

import httpx

from server_tools import (
    ServerProcess,
    create,
    files_of,
    fresh_database,
    job_ends,
    log_in,
    picture,
    register,
    wait_until,
)


def test_kill_9_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRUVIAN_TEST_RUNS", str(tmp_path / "runs"))
    data = tmp_path / "data"
    with fresh_database() as url:
        server = ServerProcess(data, database_url=url, workers=2)
        with httpx.Client(base_url=server.url, timeout=30) as client:
            register(client)
            ids = [create(client, picture("sleep=1.2"), wait=False).json()["id"] for _ in range(5)]
            wait_until(lambda: (tmp_path / "runs").exists())
            wait_until(lambda: len((tmp_path / "runs").read_text().split()) >= 2)
            children = children_of(server.process.pid)
            server.kill()
        wait_until(lambda: not any(alive(worker) for worker in children), 5)
        server = ServerProcess(data, database_url=url, workers=2)
        with httpx.Client(base_url=server.url, timeout=30) as client:
            log_in(client)
            jobs = [job_ends(client, one, 40) for one in ids]
            assert {job["state"] for job in jobs} == {"succeeded"}
            # Two were running when the server died: begun twice, with one result each.
            assert sum(job["attempts"] for job in jobs) >= 7
            assert client.get("/api/v1/reconstructions").json()["total"] == 5
            assert len({job["reconstruction_id"] for job in jobs}) == 5
        assert server.stop() == 0
    started = Counter((tmp_path / "runs").read_text().split())
    assert set(started) == set(ids)
    assert sum(started.values()) >= 7
    folders = {path.split("/")[2] for path in files_of(data) if "results" in path}
    assert len(folders) == 5


def children_of(process_id: int) -> list[str]:
    """Process ids; empty where the system does not tell."""
    found = []
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        found += task.read_text().split()
    return found


def alive(process_id: str) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_sigterm(tmp_path: Path) -> None:
    """What runs may end, what waits is kept, what takes too long goes back; streams end."""
    data = tmp_path / "data"
    with fresh_database() as url:
        server = ServerProcess(data, database_url=url, workers=2, shutdown_seconds=3)
        with httpx.Client(base_url=server.url, timeout=30) as client:
            register(client, "anna.of.the.logs@example.org")
            made = create(client, picture(), name="Anna at the sea").json()
            client.get(f"/api/v1/reconstructions/{made['id']}/files/../../secret")
            client.post("/api/v1/sessions", json={"name": "anna.of.the.logs", "password": "x"})
            log_in(client, "anna.of.the.logs@example.org")
            wishes = ("sleep=30", "sleep=1.5", "quick")
            ids = [create(client, picture(one), wait=False).json()["id"] for one in wishes]
            wait_until(lambda: client.get(f"/api/v1/jobs/{ids[1]}").json()["stage"])
            with client.stream("GET", f"/api/v1/jobs/{ids[2]}/events") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "retry: 1000"
                start = time.monotonic()
                server.process.terminate()
                list(lines)  # it ends
        assert server.stop() == 0
        assert time.monotonic() - start < 10
        text = server.log()

        server = ServerProcess(data, database_url=url, job_attempts=1)
        with httpx.Client(base_url=server.url, timeout=30) as client:
            log_in(client, "anna.of.the.logs@example.org")
            long, short, waiting = (client.get(f"/api/v1/jobs/{one}").json() for one in ids)
            assert (short["state"], short["attempts"]) == ("succeeded", 1)
            # One attempt is all it has, and the first does not count: it is begun again.
            running = wait_until(lambda: client.get(f"/api/v1/jobs/{ids[0]}").json()["stage"])
            assert running
            client.post(long["links"]["cancel"])
            assert job_ends(client, ids[0])["state"] == "cancelled"
            assert job_ends(client, waiting["id"])["state"] == "succeeded"
        assert server.stop() == 0

    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    routes = {one.get("route") for one in records if one["event"] == "request"}
    assert "/api/v1/sessions" in routes
    for secret in ("anna.of", "the sea", made["id"], "127.0.0.1", "correct horse"):
        assert secret not in text  # logs hold nothing of anybody
