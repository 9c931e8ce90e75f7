"""The Python client at real servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

import cv2
import httpx

import vitruvian
from measured_people import usual_pair
from server_tools import EXAMPLES, ServerProcess, fresh_database, register
from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.client import ApiError
from vitruvian.errors import InputError
from vitruvian.hints import Hint

PERSON = EXAMPLES / "person.jpg"


def token_of(browser: Any) -> str:
    """An API token of whoever is logged in."""
    scopes = ["reconstructions:read", "reconstructions:write"]
    made = browser.post("/api/v1/tokens", json={"name": "test", "scopes": scopes})
    return str(made.json()["token"])


def test_photographs(real: Any, real_server: Any, tmp_path: Path) -> None:
    token = token_of(real)
    client = vitruvian.Client(real_server.url, token)
    scene = client.reconstruct(PERSON, name="From Python", texture=False, max_people=1)
    assert scene.name == "From Python"
    assert [person["id"] for person in scene.people] == [1]
    folder = scene.save(tmp_path / "out")
    report = json.loads((folder / "report.json").read_text())
    assert report["people"][0]["height_m"] == scene.people[0]["height_m"]
    assert (folder / "person-1" / "mesh.obj").is_file()
    assert not (folder / "person-1" / "texture.png").exists()
    assert [one["id"] for one in client.reconstructions()] == [scene.id]
    assert client.get(scene.id).people == scene.people
    shorter = scene.correct({1: Hint(height_cm=150)})
    assert shorter.id == scene.id
    assert shorter.people[0]["height_m"] == pytest.approx(1.5, abs=0.005)
    shorter.save(tmp_path / "again")
    assert sorted(p.name for p in (tmp_path / "again").rglob("*")) == sorted(
        p.name for p in folder.rglob("*")
    )
    with pytest.raises(InputError, match="30 cm cannot be"):
        scene.correct({1: {"height_cm": 30}})
    link = scene.share(days=2)
    assert link.startswith(f"{real_server.url}/s/")
    scene.delete()
    with pytest.raises(ApiError) as caught:
        client.get(scene.id)
    assert (caught.value.status, caught.value.code) == (404, "not-found")
    fast = {"detail": "body", "texture": False, "check": False}
    both = client.reconstruct(PERSON, same_person=[PERSON.read_bytes()], **fast)
    assert len(both.people) == 1
    assert (both.save(tmp_path / "both") / "photo-2.jpg").is_file()
    with pytest.raises(ApiError) as caught:
        client.reconstruct(b"no picture")
    assert caught.value.code == "not-a-picture"
    with pytest.raises(ApiError) as caught:
        vitruvian.Client(real_server.url, "vtr_wrong").get("x")
    assert caught.value.status == 401
    with pytest.raises(InputError, match="cannot be read"):
        client.reconstruct(tmp_path / "absent.jpg")
    with pytest.raises(InputError, match="cannot be reached"):
        vitruvian.Client("http://127.0.0.1:9", token).get("x")
    with pytest.raises(InputError, match="is not an address"):
        vitruvian.Client("127.0.0.1:8000", token)


def test_measures(real: Any, real_server: Any, tmp_path: Path) -> None:
    client = vitruvian.Client(real_server.url, token_of(real))
    for name, view in zip(("front", "side"), usual_pair(), strict=True):
        cv2.imwrite(str(tmp_path / f"{name}.png"), view)
    pair = tmp_path / "front.png", tmp_path / "side.png"
    made = client.measure(*pair, height_cm=172, sex="woman", name="Anna")
    assert made.name == "Anna"
    assert list(made.measures) == [measure.name for measure in MEASURES]
    here = vitruvian.measure(*pair, height_cm=172, sex="woman")
    for name in ("waist", "inside_leg"):
        assert made.measures[name]["cm"] == pytest.approx(here[name].cm, abs=0.06)
    assert {size["wearer"] for size in made.sizes} == {"women"}
    folder = made.save(tmp_path / "out")
    assert json.loads((folder / "measures.json").read_text())["measures"] == made.measures
    assert {path.name for path in folder.iterdir()} >= {"body.glb", "measures.csv", "tape.png"}
    assert not made.details["kept"]
    made.keep()
    again = client.get_measures(made.id)
    assert again.details["kept"]
    assert again.measures == made.measures
    again.delete()
    with pytest.raises(ApiError) as caught:
        client.get_measures(made.id)
    assert caught.value.status == 404
    with pytest.raises(ApiError, match=r"A height of 17.2 cm cannot be measured") as caught:
        client.measure(*pair, height_cm=17.2)
    assert caught.value.code == "validation"
    with pytest.raises(ApiError, match="face the camera"):
        client.measure(pair[1], pair[1], height_cm=172)
    with pytest.raises(InputError, match="cannot be read"):
        client.measure(pair[0], tmp_path / "absent.png", height_cm=172)


def test_videos(tmp_path: Path) -> None:
    clip = b"\0\0\0\x18ftypisom" + b"\0" * 500
    with fresh_database() as url:
        server = ServerProcess(tmp_path / "data", database_url=url)
        try:
            with httpx.Client(base_url=server.url, timeout=30) as browser:
                register(browser)
                client = vitruvian.Client(server.url, token_of(browser))
            made = client.video(clip, name="Garden", end_s=5, formats=("glb", "csv"), patience=60)
            assert (made.name, made.details["clip"]["frames"]) == ("Garden", 7)
            assert [person["id"] for person in made.people] == [1]
            folder = made.save(tmp_path / "out")
            names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
            assert {"viewer.html", "person-1/joints.csv"} <= names
            assert client.get_video(made.id).files == made.files
            assert made.share(days=1).startswith(f"{server.url}/s/")
            with pytest.raises(ApiError) as caught:
                client.video(clip, start_s=3, end_s=2)
            assert caught.value.code == "validation"
            with pytest.raises(ApiError) as caught:
                client.video(clip + b"#fail", patience=60)
            assert caught.value.code == "nobody-found"
            made.delete()
            with pytest.raises(ApiError) as caught:
                client.get_video(made.id)
            assert caught.value.status == 404
        finally:
            assert server.stop() == 0
