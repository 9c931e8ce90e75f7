"""Measures over the API: two pictures in, centimetres out, and nothing that stays unasked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

import cv2
import numpy as np

from measured_people import usual_pair
from server_tools import another, app_client, files_of, job_ends, picture, register
from vitruvian.anthropometry.definitions import MEASURES

VIEWS = ("front", "side")


def post(client: Any, front: bytes, side: bytes, wait: bool = True, **fields: Any) -> Any:
    """Two pictures to measure by."""
    files = {"front": ("a", front), "side": ("b", side)}
    headers = {} if wait else {"Prefer": "respond-async"}
    headers |= fields.pop("headers", {})
    fields = {"height_cm": 172} | fields
    return client.post("/api/v1/measurements", files=files, data=fields, headers=headers)


def png(matte: np.ndarray) -> bytes:
    """A silhouette as a file."""
    return cv2.imencode(".png", matte)[1].tobytes()


def test_two_silhouettes_are_measured(real: Any, real_server: Any) -> None:
    front, side = (png(view) for view in usual_pair())
    answer = post(real, front, side, sex="woman", weight_kg=68)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/measurements/{made['id']}"
    assert list(made["measures"]) == [measure.name for measure in MEASURES]
    told = {"height_cm": 172, "weight_kg": 68, "sex": "woman", "age": None, "clothes": None}
    assert made["subject"] == told
    waist = made["measures"]["waist"]
    assert 55 < waist["low_cm"] < waist["cm"] < waist["high_cm"] < 130
    assert not made["kept"]

    got = {use: real.get(url) for use, url in made["files"].items()}
    assert {answer.status_code for answer in got.values()} == {200}
    assert got["measures"].json()["measures"] == made["measures"]
    assert got["table"].headers["content-type"].startswith("text/csv")
    assert got["body_glb"].content.startswith(b"glTF")
    # The pictures are gone, and the result is no reconstruction.
    uploads = [name for name in files_of(real_server.data) if "uploads" in name]
    assert uploads == []
    assert real.get(f"/api/v1/reconstructions/{made['id']}").status_code == 404
    assert real.get("/api/v1/reconstructions").json()["total"] == 0

    # A side view given twice: the sentence of the command line.
    refused = post(real, side, side)
    assert refused.status_code == 422
    assert refused.json()["code"] == "bad-picture"
    assert "face the camera" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"height_cm": "17.2"}, "body", "A height of 17.2 cm cannot be measured"),
        ({"height_cm": ""}, "height_cm", "Field required"),
        ({"weight_kg": "900"}, "body", "A weight of 900 kg"),
        ({"sex": "horse"}, "sex", "'man' or 'woman'"),
        ({"shoes": "42"}, "shoes", "not permitted"),
    ],
)
def test_what_is_told_must_be_possible(
    visitor: Any, fields: dict[str, str], field: str, sentence: str
) -> None:
    register(visitor, f"told-{time.time_ns()}@example.org")
    answer = post(visitor, picture(), picture(), **fields)
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation"
    assert sentence in answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == field


def test_two_pictures_are_needed(visitor: Any) -> None:
    register(visitor, f"two-{time.time_ns()}@example.org")
    files = {"front": ("a", picture())}
    answer = visitor.post("/api/v1/measurements", files=files, data={"height_cm": 172})
    assert answer.json()["detail"] == "The form lacks a file in the field side."
    assert post(visitor, picture(), b"text").json()["code"] == "not-a-picture"
    assert post(visitor, picture(), b"").json()["code"] == "damaged-picture"
    assert visitor.post("/api/v1/measurements", json={}).status_code == 415


def test_several_captures_are_measured_as_one(real: Any) -> None:
    mattes = [[np.pad(matte, 60) for matte in usual_pair(sex)] for sex in ("women", "men")]
    given = [(view, png(one)) for pair in mattes for view, one in zip(VIEWS, pair, strict=True)]
    answer = real.post(
        "/api/v1/measurements",
        files=[(view, (view, data)) for view, data in reversed(given)],  # the fields' order is free
        data={"height_cm": 172},
    )
    assert answer.status_code == 201, answer.text
    each = [post(real, *(png(matte) for matte in pair)).json()["measures"] for pair in mattes]
    both = answer.json()["measures"]
    for name in ("waist", "hip", "shoulder_breadth", "inside_leg"):
        one, two = (measures[name]["cm"] for measures in each)
        assert both[name]["cm"] == pytest.approx((one * two) ** 0.5, abs=0.1)

    uneven = real.post(
        "/api/v1/measurements",
        files=[(view, (view, data)) for view, data in given[:3]],
        data={"height_cm": 172},
    )
    assert uneven.status_code == 422
    assert uneven.json()["code"] == "validation"
    assert "2 front and 1 side views" in uneven.json()["detail"]


def test_only_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with app_client(data) as client:
        register(client)
        passing = post(client, picture(), picture()).json()
        kept = post(client, picture(), picture(), keep="true", name="Anna").json()
        assert kept["kept"]
        assert (kept["name"], passing["name"]) == ("Anna", "Measures")
        state = client.app.state.vitruvian
        with state.database.read() as session:
            from vitruvian.server.models import Job, Reconstruction

            told = [job.options for job in session.query(Job)]
            assert told == [{}, {}]  # of somebody's body nothing stays in the queue
            life = {row.id: row.expires_at for row in session.query(Reconstruction)}
        assert life[passing["id"]] == pytest.approx(time.time() + 3600, abs=60)
        assert life[kept["id"]] > time.time() + 20 * 86_400

        later = client.patch(f"/api/v1/measurements/{passing['id']}", json={"keep": True}).json()
        assert later["kept"]
        assert later["expires_at"][:10] == kept["expires_at"][:10]
        assert client.patch(f"/api/v1/measurements/{passing['id']}", json={}).status_code == 422
        listed = client.get("/api/v1/measurements").json()["items"]
        assert [one["id"] for one in listed] == [kept["id"], passing["id"]]

        stranger = another(client)
        register(stranger, "eve@example.org")
        for method in ("get", "delete"):
            path = f"/api/v1/measurements/{kept['id']}"
            assert getattr(stranger, method)(path).status_code == 404
        for one in listed:
            assert client.delete(f"/api/v1/measurements/{one['id']}").status_code == 204
        assert files_of(data) == []


def test_a_guest_who_logs_in_takes_along_what_is_kept(visitor: Any) -> None:
    guest = visitor.post("/api/v1/sessions/guest").json()
    visitor.headers["X-CSRF-Token"] = guest["csrf_token"]
    passing = post(visitor, picture(), picture()).json()
    kept = post(visitor, picture(), picture(), keep="true").json()
    name = f"guest-{time.time_ns()}@example.org"
    credentials = {"name": name, "password": "correct horse battery"}
    visitor.post("/api/v1/accounts", json=credentials)
    session = visitor.post("/api/v1/sessions", json=credentials).json()
    visitor.headers["X-CSRF-Token"] = session["csrf_token"]
    now = {
        one["id"]: one["expires_at"] for one in visitor.get("/api/v1/measurements").json()["items"]
    }
    assert now[passing["id"]] == passing["expires_at"]
    assert now[kept["id"]] > kept["expires_at"]


def test_a_job_says_what_it_makes(visitor: Any) -> None:
    register(visitor, f"job-{time.time_ns()}@example.org")
    answer = post(visitor, picture(), picture("sleep=0.3"), wait=False)
    assert answer.status_code == 202
    job = job_ends(visitor, answer.json()["id"])
    assert (job["kind"], job["state"]) == ("measures", "succeeded")
    assert job["reconstruction_id"] is None
    assert visitor.get(job["links"]["measurement"]).status_code == 200


def test_a_phone_may_send_pictures_and_nothing_else(visitor: Any, shared_app: Any) -> None:
    register(visitor, f"phone-{time.time_ns()}@example.org")
    first = visitor.post("/api/v1/measurements/handoffs").json()["token"]
    token = visitor.post("/api/v1/measurements/handoffs").json()["token"]
    phone = another(shared_app)
    bearer = {"Authorization": f"Bearer {token}"}
    made = post(phone, picture(), picture(), headers=bearer)
    assert made.status_code == 201
    assert [one["id"] for one in visitor.get("/api/v1/measurements").json()["items"]] == [
        made.json()["id"]
    ]
    for path in ("measurements", f"measurements/{made.json()['id']}", "reconstructions", "account"):
        assert phone.get(f"/api/v1/{path}", headers=bearer).status_code == 403
    # A new one takes the place of the one before, and neither is among the tokens.
    stale = post(phone, picture(), picture(), headers={"Authorization": f"Bearer {first}"})
    assert stale.status_code == 401
    assert visitor.get("/api/v1/tokens").json()["items"] == []


def test_parcels_come_apart_as_they_were() -> None:
    from vitruvian.server.jobs.parcel import pack, unpack

    files = [b"", b"front" * 1000, json.dumps({}).encode()]
    assert unpack(pack(files)) == files
    for cut in (3, -1):
        with pytest.raises(ValueError, match="ends in"):
            unpack(pack(files)[:cut])
