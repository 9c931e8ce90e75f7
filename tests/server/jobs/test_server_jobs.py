"""Jobs through the API with a worker that does what the test says."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from server_tools import (
    FAKE_WORKER,
    another,
    app_client,
    create,
    files_of,
    job_ends,
    log_in,
    picture,
    register,
    wait_until,
)


def events(client: Any, job_id: str) -> list[dict[str, Any]]:
    """Every event of a job until its stream ends."""
    answer = client.get(f"/api/v1/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]


def test_fast_path_answers_with_the_result(client: Any) -> None:
    register(client)
    answer = create(client, picture(), name="  My \t photo ", height_cm=170)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/reconstructions/{made['id']}"
    assert made["name"] == "My photo"
    assert made["options"]["height_cm"] == 170
    assert client.get(answer.headers["Location"]).json() == made


def test_slow_path_answers_with_a_job_that_is_followed(client: Any) -> None:
    register(client)
    answer = create(client, picture("sleep=1.5"), wait=False)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}" == job["links"]["self"]
    seen = events(client, job["id"])
    assert seen[-1]["state"] == "succeeded"
    assert seen[-1]["progress"] == 1
    states = [one["state"] for one in seen]
    assert states == sorted(states, key=["queued", "running", "succeeded"].index)
    stages = list(dict.fromkeys(one["stage"] for one in seen if one["stage"]))
    # Whoever listens late has missed what is over.
    assert stages
    assert stages == ["decode", "people", "body"][-len(stages) :]
    progress = [one["progress"] for one in seen]
    assert progress == sorted(progress)
    assert all(one["seconds_left"] >= 0 for one in seen[:-1])
    assert seen[-1]["seconds_left"] is seen[-1]["queue_position"] is None
    link = seen[-1]["links"]["reconstruction"]
    assert client.get(link).json()["id"] == seen[-1]["reconstruction_id"]
    # A stream of a job that has ended has one event.
    assert [one["state"] for one in events(client, job["id"])] == ["succeeded"]


def test_wait_preference(client: Any) -> None:
    register(client)
    start = time.monotonic()
    answer = create(client, picture("sleep=30"), headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert 0.9 < time.monotonic() - start < 5
    client.post(answer.json()["links"]["cancel"])


def test_queue_positions(client: Any) -> None:
    register(client)
    running = create(client, picture("sleep=20"), wait=False).json()["id"]
    wait_until(lambda: client.get(f"/api/v1/jobs/{running}").json()["state"] == "running")
    waiting = [create(client, picture(), wait=False).json() for _ in range(3)]
    assert [job["queue_position"] for job in waiting] == [1, 2, 3]
    assert waiting[2]["seconds_left"] > waiting[0]["seconds_left"] > 0
    client.post(waiting[0]["links"]["cancel"])
    assert client.get(waiting[2]["links"]["self"]).json()["queue_position"] == 2
    listed = client.get("/api/v1/jobs", params={"state": "queued"}).json()["items"]
    assert [job["id"] for job in listed] == [waiting[2]["id"], waiting[1]["id"]]
    client.post(f"/api/v1/jobs/{running}/cancel")
    assert [job_ends(client, job["id"])["state"] for job in waiting] == [
        "cancelled",
        "succeeded",
        "succeeded",
    ]


@pytest.mark.parametrize("manner", ["sleep=60", "hang"])
def test_cancelling_a_running_job(client: Any, tmp_path: Path, manner: str) -> None:
    """One that listens, and one whose worker must be killed; the next picture works again."""
    register(client)
    job_id = create(client, picture(manner), wait=False).json()["id"]
    wait_until(lambda: client.get(f"/api/v1/jobs/{job_id}").json()["stage"])
    start = time.monotonic()
    assert client.post(f"/api/v1/jobs/{job_id}/cancel").json()["state"] == "running"
    job = job_ends(client, job_id)
    assert job["state"] == "cancelled"
    assert time.monotonic() - start < 5
    assert client.post(f"/api/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert create(client, picture()).status_code == 201
    wait_until(lambda: not [f for f in files_of(tmp_path / "data") if "uploads" in f])


def test_failure_is_the_answer_and_leaves_nothing(client: Any, tmp_path: Path) -> None:
    register(client)
    answer = create(client, picture("fail"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "nobody-found"
    job_id = create(client, picture("fail"), wait=False).json()["id"]
    job = job_ends(client, job_id)
    assert job["state"] == "failed"
    assert job["problem"]["code"] == "nobody-found"
    wait_until(lambda: files_of(tmp_path / "data") == [])
    assert client.get("/api/v1/reconstructions").json()["items"] == []


def test_a_picture_that_breaks_workers_ends(client: Any, tmp_path: Path) -> None:
    register(client)
    job_id = create(client, picture("crash"), wait=False).json()["id"]
    after = create(client, picture(), wait=False).json()["id"]
    job = job_ends(client, job_id)
    assert (job["state"], job["attempts"], job["problem"]["code"]) == ("failed", 3, "crashed")
    assert job_ends(client, after)["state"] == "succeeded"


def test_killing_workers_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    monkeypatch.setenv("VITRUVIAN_TEST_RUNS", str(runs))
    with app_client(tmp_path / "data", workers=2, job_attempts=10) as client:
        register(client)
        ids = [create(client, picture("sleep=0.6"), wait=False).json()["id"] for _ in range(8)]
        pool = client.app.state.vitruvian.pool
        for _ in range(4):
            time.sleep(0.3)
            for process_id in pool.process_ids[:1]:
                os.kill(process_id, signal.SIGKILL)
        jobs = [job_ends(client, one) for one in ids]
        assert {job["state"] for job in jobs} == {"succeeded"}
        listed = client.get("/api/v1/reconstructions").json()
        assert listed["total"] == 8
        started = runs.read_text().split()
        assert set(started) == set(ids)
        assert len(started) > 8  # some were indeed begun twice
        wait_until(lambda: not [f for f in files_of(tmp_path / "data") if "results" not in f])
        folders = {path.split("/")[2] for path in files_of(tmp_path / "data")}
        assert len(folders) == 8  # and nothing of the lost attempts lies about


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", job_timeout_seconds=0.5) as client:
        register(client)
        answer = create(client, picture("hang"))
        assert answer.status_code == 503
        assert answer.json()["code"] == "took-too-long"
        assert create(client, picture()).status_code == 201


def test_limits_of_account_and_queue(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", max_active_jobs=2, max_queue=3) as client:
        register(client)
        first = create(client, picture("sleep=60"), wait=False).json()["id"]
        wait_until(lambda: client.get(f"/api/v1/jobs/{first}").json()["state"] == "running")
        assert create(client, picture(), wait=False).status_code == 202
        answer = create(client, picture(), wait=False)
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-jobs")
        assert int(answer.headers["Retry-After"]) >= 1
        other = another(client)
        register(other, "ben@example.org")
        assert create(other, picture(), wait=False).status_code == 202
        assert create(other, picture(), wait=False).status_code == 202
        third = another(client)
        register(third, "carl@example.org")
        answer = create(third, picture(), wait=False)
        assert (answer.status_code, answer.json()["code"]) == (429, "queue-full")
        uploads = [f for f in files_of(tmp_path / "data") if "uploads" in f]
        assert len(uploads) == 4  # of what was accepted, and of nothing else


def test_quota(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", quota_reconstructions=2) as client:
        register(client)
        first = create(client, picture()).json()
        assert create(client, picture()).status_code == 201
        answer = create(client, picture())
        assert (answer.status_code, answer.json()["code"]) == (429, "quota-exceeded")
        account = client.get("/api/v1/account").json()
        assert account["usage"]["reconstructions"] == account["quota"]["reconstructions"] == 2
        assert client.delete(f"/api/v1/reconstructions/{first['id']}").status_code == 204
        assert create(client, picture()).status_code == 201


def test_quota_in_bytes(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", quota_mb=0) as client:
        register(client)
        assert create(client, picture()).json()["code"] == "quota-exceeded"


def test_idempotency_key(client: Any) -> None:
    register(client)
    key = {"Idempotency-Key": "once"}
    first = create(client, picture(), headers=key)
    again = create(client, picture(), headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    together: list[str] = []

    def send() -> None:
        answer = create(client, picture("sleep=0.5"), headers={"Idempotency-Key": "at once"})
        together.append(answer.json()["id"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(together)) == 1
    other = another(client)
    register(other, "ben@example.org")
    assert create(other, picture(), headers=key).json()["id"] != first.json()["id"]
    assert client.get("/api/v1/reconstructions").json()["total"] == 2
    too_long = create(client, picture(), headers={"Idempotency-Key": "x" * 129})
    assert too_long.json()["code"] == "bad-request"


def test_upload_rate(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", guest_upload_per_minute=2) as client:
        for _ in range(2):
            assert client.post("/Upload", files={"image": picture()}).status_code == 200
        answer = client.post("/Upload", files={"image": picture()})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        register(client)  # somebody with an account is counted apart
        assert create(client, picture()).status_code == 201


def test_upload_that_takes_too_long(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", upload_timeout_seconds=0.5) as client:
        answer = client.post("/Upload", files={"image": picture("sleep=60")})
        assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
        # Nobody waits for it any more: it does not keep the worker.
        assert client.post("/Upload", files={"image": picture()}).status_code in (200, 503)
        wait_until(lambda: not [f for f in files_of(tmp_path / "data") if "uploads" in f])


def test_upload_can_be_for_accounts_only(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", anonymous_uploads=False) as client:
        answer = client.post("/Upload", files={"image": picture()})
        assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
        register(client)
        assert client.post("/Upload", files={"image": picture()}).status_code == 200
        assert client.get("/api/v1/reconstructions").json()["total"] == 1


def test_deleting_the_account_ends_its_jobs(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", FAKE_WORKER) as client:
        register(client)
        assert create(client, picture()).status_code == 201
        create(client, picture("hang"), wait=False)
        create(client, picture(), wait=False)
        deleted = client.post(
            "/api/v1/account/deletion", json={"password": "correct horse battery"}
        )
        assert deleted.status_code == 204
        wait_until(lambda: files_of(tmp_path / "data") == [])
        register(client)  # the name is free again, and nothing of before is there
        assert client.get("/api/v1/reconstructions").json()["total"] == 0
        assert client.get("/api/v1/jobs").json()["items"] == []
        log_in(client)


def test_the_gallery_is_made_at_the_first_start(tmp_path: Path) -> None:
    from vitruvian.server.files.gallery import SAMPLES

    data = tmp_path / "data"
    with app_client(data, samples=True) as client:
        wait_until(lambda: not client.get("/api/v1/samples").json()["preparing"])
        items = client.get("/api/v1/samples").json()["items"]
        assert [item["id"] for item in items] == [sample.id for sample in SAMPLES]
        one = client.get("/api/v1/samples/person").json()
        assert one["expires_at"] is None
        assert client.get(one["files"]["scene"]).status_code == 200
        assert client.get("/api/v1/samples/nothing").status_code == 404
