"""Videos over the API: one in, a job with stages, people in motion out; its page runs apart."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from server_tools import (
    another,
    app_client,
    create,
    files_of,
    job_ends,
    picture,
    register,
    wait_until,
)

# What is behind the first bytes is for a worker to read.
HEAD = b"\0\0\0\x18ftypisom" + b"\0" * 500


def clip(*wishes: str) -> bytes:
    """A file that begins as an MP4 does, with wishes for the fake worker."""
    return HEAD + f"#{','.join(wishes)}".encode()


def post(client: Any, video: bytes, headers: Any = None, **fields: Any) -> Any:
    """Send a video."""
    files = {"video": ("somebody.mp4", video)}
    return client.post("/api/v1/videos", files=files, data=fields, headers=headers or {})


def newcomer(visitor: Any, name: str) -> Any:
    """Somebody with a fresh account."""
    register(visitor, f"{name}-{time.time_ns()}@example.org")
    return visitor


def made(client: Any, **fields: Any) -> dict[str, Any]:
    """A video that is done."""
    job = job_ends(client, post(client, clip(), **fields).json()["id"])
    assert job["state"] == "succeeded", job
    return client.get(job["links"]["video"]).json()


def test_a_video_becomes_a_job_and_a_result(tmp_path: Path) -> None:
    with app_client(tmp_path / "data") as client:
        register(client)
        answer = post(client, clip("sleep=0.6"), name="Garden", end_s="5", height_cm="172")
        assert answer.status_code == 202, answer.text
        job = answer.json()
        assert answer.headers["location"] == job["links"]["self"]
        assert (job["kind"], job["reconstruction_id"], job["video_id"]) == ("video", None, None)

        def moving() -> Any:
            now = client.get(job["links"]["self"]).json()
            return now if now["stage"] == "motion" else None

        on_the_way = wait_until(moving)
        assert on_the_way["progress"] == pytest.approx(0.3)
        # The rest as fast as the first three tenths.
        assert 0 < on_the_way["seconds_left"] < 10

        done = job_ends(client, job["id"])
        video = client.get(done["links"]["video"]).json()
        assert (video["kind"], video["name"], video["clip"]["frames"]) == ("video", "Garden", 7)
        assert video["people"][0]["checks"]["silhouette_iou"] == 0.9
        types = {}
        for use, url in (video["files"] | video["people"][0]["files"]).items():
            got = client.get(url)
            assert got.status_code == 200, url
            types[use] = got.headers["content-type"].partition(";")[0]
        assert types["preview"] == "video/webm"
        assert {"viewer", "people", "motion", "thumbnail", "joints", "all"} <= set(types)
        assert [name for name in files_of(tmp_path / "data") if "uploads" in name] == []

        # It is no photograph, and in the list of videos.
        assert client.get(f"/api/v1/reconstructions/{video['id']}").status_code == 404
        assert client.get("/api/v1/reconstructions").json()["total"] == 0
        listed = client.get("/api/v1/videos").json()
        assert [one["id"] for one in listed["items"]] == [video["id"]]
        assert (listed["items"][0]["people"], listed["total"]) == (1, 1)

        path = f"/api/v1/videos/{video['id']}"
        assert client.patch(path, json={"name": "Yard"}).json()["name"] == "Yard"
        stranger = another(client)
        register(stranger, "eve@example.org")
        for method in ("get", "delete"):
            assert getattr(stranger, method)(path).status_code == 404
        for below in ("shares", "files/viewer.html"):
            assert stranger.get(f"{path}/{below}").status_code == 404
        assert client.delete(path).status_code == 204
        assert files_of(tmp_path / "data") == []


def test_the_page_of_a_video_belongs_to_no_host(visitor: Any) -> None:
    client = newcomer(visitor, "page")
    url = made(client)["files"]["viewer"]
    shown = client.get(url)
    policy = shown.headers["content-security-policy"]
    assert "sandbox allow-scripts;" in policy  # no allow-same-origin: no cookie, no API
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert shown.headers["x-frame-options"] == "SAMEORIGIN"
    assert "content-disposition" not in shown.headers
    assert "attachment" in client.get(f"{url}?download=true").headers["content-disposition"]
    # Everything else is as strict as ever.
    other = client.get(url.replace("viewer.html", "preview.webm"))
    assert other.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert other.headers["x-frame-options"] == "DENY"


def test_a_photographs_page_is_not_shown(visitor: Any) -> None:
    from server_tools import create

    client = newcomer(visitor, "photo")
    shown = client.get(create(client, picture()).json()["files"]["viewer"])
    assert "attachment" in shown.headers["content-disposition"]
    assert "allow-scripts" not in shown.headers["content-security-policy"]


def test_a_video_is_shared_until_the_link_is_revoked(visitor: Any, shared_app: Any) -> None:
    client = newcomer(visitor, "share")
    video = made(client, name="Garden")
    shares = f"/api/v1/videos/{video['id']}/shares"
    link = client.post(shares, json={"expires_in_days": 2}).json()
    friend = another(shared_app)
    seen = friend.get(link["url"]).json()
    assert (seen["kind"], seen["name"]) == ("video", "Garden")
    viewer = friend.get(seen["files"]["viewer"])
    assert viewer.status_code == 200
    assert "sandbox allow-scripts;" in viewer.headers["content-security-policy"]
    assert [one["id"] for one in client.get(shares).json()["items"]] == [link["id"]]
    client.delete(f"/api/v1/shares/{link['id']}")
    assert friend.get(link["url"]).status_code == 404
    assert friend.get(seen["files"]["viewer"]).status_code == 404


@pytest.mark.parametrize(
    ("data", "status", "code", "sentence"),
    [
        (b"", 422, "damaged-clip", "The file is empty (0 bytes)"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 600, 415, "not-a-clip", "reconstruct it as a photograph"),
        (b"ID3" + b"\0" * 600, 415, "not-a-clip", "The file is a sound file"),
        (b"#EXTM3U\nhttp://10.0.0.1/x.ts\n", 415, "not-a-clip", "convert it to MP4"),
    ],
)
def test_what_is_no_video_is_refused(
    visitor: Any, data: bytes, status: int, code: str, sentence: str
) -> None:
    answer = post(newcomer(visitor, "no"), data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"start_s": "5", "end_s": "3"}, "end_s must be after start_s"),
        ({"start_s": "-1"}, "greater than or equal to 0"),
        ({"height_cm": "9"}, "height"),
        ({"formats": "glb,obj"}, "Meshes per frame"),
        ({"formats": "gif"}, "no format of a video"),
        ({"shoes": "42"}, "not permitted"),
    ],
)
def test_fields_must_be_possible(visitor: Any, fields: dict[str, str], sentence: str) -> None:
    answer = post(newcomer(visitor, "fields"), clip(), **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation")
    assert sentence in answer.json()["detail"]


def test_a_video_has_a_limit_of_its_own(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", max_upload_mb=1, max_video_mb=2) as client:
        register(client)
        config = client.get("/api/v1/config").json()
        assert config["max_video_bytes"] == 2 * 2**20
        assert [one["name"] for one in config["video_stages"]][:2] == ["people", "motion"]
        between = post(client, HEAD + b"\0" * (3 * 2**19) + b"#")
        assert between.status_code == 202
        refused = post(client, HEAD + b"\0" * (2 * 2**20))
        assert (refused.status_code, refused.json()["code"]) == (413, "too-large")
        assert "more than 2 MB; cut it" in refused.json()["detail"]


def test_a_video_is_cancelled_and_asked_for_once(visitor: Any) -> None:
    client = newcomer(visitor, "twice")
    key = {"Idempotency-Key": "one"}
    first = post(client, clip("sleep=20"), key).json()
    assert post(client, clip("sleep=20"), key).json()["id"] == first["id"]
    client.post(first["links"]["cancel"])
    assert job_ends(client, first["id"])["state"] == "cancelled"


def test_a_photograph_does_not_wait_for_a_video(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", workers=1) as client:
        register(client)
        first, second = (post(client, clip("sleep=60")).json() for _ in range(2))
        wait_until(lambda: client.get(first["links"]["self"]).json()["state"] == "running")
        photo = create(client, picture(), wait=False).json()
        assert job_ends(client, photo["id"])["state"] == "succeeded"
        states = [client.get(job["links"]["self"]).json()["state"] for job in (first, second)]
        assert states == ["running", "queued"]  # the worker that was added makes no videos
        pool = client.app.state.vitruvian.pool
        wait_until(lambda: pool.ready_count == 2)
        client.post(first["links"]["cancel"])
        client.post(second["links"]["cancel"])
        wait_until(lambda: pool.ready_count == 1)  # and is gone when it is not needed


def test_a_video_may_take_longer_than_a_picture(tmp_path: Path) -> None:
    limits = {"job_timeout_seconds": 0.3, "video_timeout_seconds": 1.5}
    with app_client(tmp_path / "data", **limits) as client:
        register(client)
        done = job_ends(client, post(client, clip("sleep=0.6")).json()["id"])
        assert done["state"] == "succeeded"
        late = job_ends(client, post(client, clip("hang")).json()["id"])
        assert late["problem"]["code"] == "took-too-long"
        assert "shorter part" in late["problem"]["detail"]
