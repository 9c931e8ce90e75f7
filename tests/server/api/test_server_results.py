"""The whole way with real networks: both APIs, files, sharing, the Python client."""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from PIL import Image

from server_tools import EXAMPLES, another, create, files_of, job_ends, register, wait_until
from vitruvian.result.report import report_schema

PERSON = EXAMPLES / "person.jpg"


def with_place() -> bytes:
    """The example with what a phone adds: where it was taken, by which device, a preview."""
    image = Image.open(PERSON)
    exif = image.getexif()
    exif[0x0110] = "Secret Phone 12"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, comment=b"at home", quality=92)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def made(real_server: Any) -> Any:
    """A reconstruction of somebody's, and their browser."""
    import httpx

    with httpx.Client(base_url=real_server.url, timeout=90) as browser:
        register(browser, "owner@example.org")
        answer = create(browser, with_place(), name="Someone", height_cm=172)
        assert answer.status_code == 201, answer.text
        yield browser, answer.json()


def test_result(made: Any) -> None:
    _, result = made
    (person,) = result["people"]
    assert result["name"] == "Someone"
    assert result["image"] == {"width": 800, "height": 1200}
    assert result["camera"]["source"] == "exif"  # kept as a number, though EXIF is gone
    assert result["camera"]["focal_px"] == pytest.approx(1433.3, abs=0.5)
    assert person["height_m"] == pytest.approx(1.72, abs=0.005)
    assert person["checks"]["silhouette_iou"] > 0.9
    waist = person["measurements_cm"]["waist"]
    assert 55 < waist["low"] < waist["value"] < waist["high"] < 130
    assert result["seconds"] == pytest.approx(sum(result["timings_s"].values()), abs=0.01)
    assert result["options"]["height_cm"] == 172


def test_camera_lays_the_scene_over_the_photo(made: Any) -> None:
    """Project the scene with the answer's camera, as a page does: it must fill the person's box."""
    browser, result = made
    text = browser.get(result["people"][0]["files"]["mesh_obj"]).text
    vertices = np.array(
        [line.split()[1:4] for line in text.splitlines() if line.startswith("v ")], float
    )
    camera_from_world = np.linalg.inv(np.array(result["camera"]["world_from_camera"]))
    seen = vertices @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    size = np.array([result["image"]["width"], result["image"]["height"]])
    pixels = seen[:, :2] / seen[:, 2:] * result["camera"]["focal_px"] + size / 2
    box = np.array(result["people"][0]["box"])
    found = np.concatenate([pixels.min(0), pixels.max(0)])
    assert np.abs(found - box).max() < 0.06 * (box[3] - box[1])


def test_every_file(made: Any) -> None:
    browser, result = made
    files = result["files"] | result["people"][0]["files"]
    wanted = {"photo", "thumbnail", "scene", "preview", "viewer", "report", "all"}
    wanted |= {
        "mesh_obj",
        "mesh_mtl",
        "texture",
        "normal_map",
        "mesh_obj_zip",
        "mesh_glb",
        "mesh_ply",
    }
    wanted |= {"mesh_stl", "avatar", "avatar_vrm", "body_glb", "body_mesh", "body", "alpha"}
    assert set(files) == wanted
    starts = {
        "photo": b"\xff\xd8\xff",
        "thumbnail": b"\xff\xd8\xff",
        "preview": b"\x89PNG",
        "texture": b"\x89PNG",
        "normal_map": b"\x89PNG",
        "alpha": b"\x89PNG",
        "scene": b"glTF",
        "avatar": b"glTF",
        "avatar_vrm": b"glTF",
        "mesh_glb": b"glTF",
        "body_glb": b"glTF",
        "mesh_ply": b"ply\n",
        "all": b"PK",
        "mesh_obj_zip": b"PK",
    }
    for use, url in files.items():
        answer = browser.get(url)
        assert answer.status_code == 200, use
        assert answer.content.startswith(starts.get(use, b"")), use
        assert len(answer.content) > 40, use
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cache-control"].startswith("private")
        disposition = answer.headers.get("content-disposition", "")
        assert disposition.startswith("attachment") == (use in ("viewer", "all", "mesh_obj_zip"))
    saved = browser.get(files["photo"], params={"download": 1})
    name = f"{result['name']}-photo.jpg"
    assert saved.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_etag_and_range(made: Any) -> None:
    browser, result = made
    url = result["files"]["scene"]
    whole = browser.get(url)
    assert browser.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    part = browser.get(url, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    nonsense = browser.get(url, headers={"Range": "lines=1"})
    assert (nonsense.status_code, nonsense.content) == (200, whole.content)
    beyond = browser.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "bad-range")


def test_archives(made: Any) -> None:
    browser, result = made
    whole = zipfile.ZipFile(io.BytesIO(browser.get(result["files"]["all"]).content))
    assert whole.testzip() is None
    names = set(whole.namelist())
    assert {"photo.jpg", "scene.glb", "report.json", "person-1/avatar.glb"} <= names
    assert not [name for name in names if name.startswith("/") or ".." in name]
    url = result["people"][0]["files"]["mesh_obj_zip"]
    mesh = zipfile.ZipFile(io.BytesIO(browser.get(url).content))
    assert set(mesh.namelist()) == {"mesh.obj", "mesh.mtl", "texture.png", "normals.png"}
    assert b"mtllib mesh.mtl" in mesh.read("mesh.obj")
    assert b"texture.png" in mesh.read("mesh.mtl")


def test_nothing_of_the_upload_remains(made: Any, real_server: Any) -> None:
    """No metadata in any file, and the upload itself is gone."""
    browser, result = made
    photo = browser.get(result["files"]["photo"]).content
    image = Image.open(io.BytesIO(photo))
    assert dict(image.getexif()) == {}
    assert "comment" not in image.info
    wait_until(lambda: not [p for p in files_of(real_server.data) if "uploads" in p])
    for path in (real_server.data / "files").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Secret Phone" not in content
            assert b"at home" not in content
            assert str(real_server.data).encode() not in content


def test_report(made: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    browser, result = made
    report = browser.get(result["files"]["report"]).json()
    jsonschema.validate(report, report_schema())
    assert report["image"]["path"] is None


def test_rename_list_share_delete(real: Any, real_server: Any, made: Any) -> None:
    answer = create(real, PERSON.read_bytes(), wait=False, detail="body", texture="false")
    assert answer.status_code == 202
    job = job_ends(real, answer.json()["id"], 60)
    assert job["state"] == "succeeded"
    url = job["links"]["reconstruction"]
    one = real.get(url).json()
    assert "texture" not in one["people"][0]["files"]
    assert real.patch(url, json={"name": " On  the square "}).json()["name"] == "On the square"
    listed = real.get("/api/v1/reconstructions").json()
    assert listed["total"] == 1
    assert listed["items"][0]["name"] == "On the square"
    assert listed["items"][0]["people"] == 1
    thumbnail = Image.open(io.BytesIO(real.get(listed["items"][0]["files"]["thumbnail"]).content))
    assert max(thumbnail.size) == 640

    share = real.post(f"{url}/shares", json={"expires_in_days": 1}).json()
    assert real.get(f"{url}/shares").json()["items"] == [share]
    nobody = another(real)
    shown = nobody.get(share["url"]).json()
    assert shown["people"][0]["height_m"] == one["people"][0]["height_m"]
    scene = nobody.get(shown["files"]["scene"])
    assert scene.content == real.get(one["files"]["scene"]).content
    assert "no-cache" in scene.headers["cache-control"]
    token = share["url"].rsplit("/", 1)[1]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert nobody.get(f"/api/v1/shared/{changed}").status_code == 404
    stranger_file = made[1]["files"]["scene"].split("/files/")[0]
    assert nobody.get(stranger_file).status_code == 401
    too_long = real.post(f"{url}/shares", json={"expires_in_days": 366})
    assert too_long.json()["code"] == "validation"
    assert real.delete(f"/api/v1/shares/{share['id']}").status_code == 204
    assert nobody.get(share["url"]).status_code == 404
    assert nobody.get(shown["files"]["scene"]).status_code == 404

    share = real.post(f"{url}/shares", json={}).json()
    before = len(files_of(real_server.data))
    assert real.delete(url).status_code == 204
    assert real.get(url).status_code == 404
    assert real.delete(url).status_code == 404
    assert nobody.get(share["url"]).status_code == 404
    assert len(files_of(real_server.data)) < before


def test_correct_in_place(real: Any, real_server: Any) -> None:
    """What is told of a person changes the result, from the photograph that it keeps."""

    def results() -> set[str]:
        return {path.split("/")[2] for path in files_of(real_server.data)}

    of_others = results()  # who shares the server may have left some
    made = create(real, with_place()).json()
    url = f"/api/v1/reconstructions/{made['id']}"
    share = real.post(f"{url}/shares", json={}).json()
    before = real.get(made["people"][0]["files"]["body"]).json()
    photo = real.get(made["files"]["photo"]).content
    hints = {"people": {"1": {"height_cm": 150, "sex": "man"}}}
    answer = real.patch(url, json={"hints": hints}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    corrected = answer.json()
    for same in ("id", "name", "created_at", "expires_at", "image"):
        assert corrected[same] == made[same]
    assert corrected["people"][0]["height_m"] == pytest.approx(1.5, abs=0.005)
    assert corrected["options"]["hints"]["people"]["1"]["sex"] == "man"
    # The photograph does not say its focal length any more, but the result does.
    for name in ("focal_px", "source"):
        assert corrected["camera"][name] == made["camera"][name]
    # Browsers keep files for an hour: these have other addresses.
    assert corrected["files"]["scene"] != made["files"]["scene"]
    assert real.get(corrected["people"][0]["files"]["body"]).json() != before
    assert real.get(share["url"]).json()["people"][0]["height_m"] == pytest.approx(1.5, abs=0.005)
    assert real.get("/api/v1/reconstructions").json()["total"] == 1

    assert real.get(corrected["files"]["photo"]).content == photo  # not compressed once more

    taken_back = real.patch(url, json={"hints": None}, headers={"Prefer": "wait=60"}).json()
    assert taken_back["options"]["hints"] is None
    # Nearly the first result: the photograph was compressed once more.
    assert taken_back["people"][0]["height_m"] == pytest.approx(
        made["people"][0]["height_m"], abs=0.02
    )
    wait_until(lambda: len(results() - of_others) <= 1)


def test_the_simple_call(real_server: Any) -> None:
    """As an old script does it: post, read the path, fetch the .obj and what it refers to."""
    import httpx

    with httpx.Client(base_url=real_server.url, timeout=90) as script:
        answer = script.post("/Upload", files={"image": ("me.jpg", PERSON.read_bytes())})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["paths"] == [body["path"]]
        assert body["path"].endswith(".obj")
        mesh = script.get(body["path"])
        assert mesh.text.count("\nv ") > 5000
        folder = body["path"].rsplit("/", 1)[0]
        material = script.get(f"{folder}/mesh.mtl").text
        name = material.split("map_Kd ")[1].split()[0]
        assert script.get(f"{folder}/{name}").content.startswith(b"\x89PNG")
        result = script.get(body["result"]).json()
        left = time.mktime(time.strptime(result["expires_at"], "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(
            time.gmtime()
        )
        assert 23 * 3600 < left < 25 * 3600


def test_the_simple_call_makes_an_obj_whatever_it_is_asked_for(real_server: Any) -> None:
    import httpx

    fields = {"formats": "stl", "detail": "body", "texture": "false", "check": "false"}
    with httpx.Client(base_url=real_server.url, timeout=90) as script:
        answer = script.post("/Upload", files={"image": PERSON.read_bytes()}, data=fields)
        assert answer.status_code == 200, answer.text
        result = script.get(answer.json()["result"]).json()
        assert result["options"]["formats"] == ["obj", "stl"]
        assert {"mesh_obj", "mesh_stl"} <= set(result["people"][0]["files"])
        assert "mesh_glb" not in result["people"][0]["files"]


NOTHING = {"height_cm": None, "sex": None, "age": None, "not_a_person": False, "limbs": None}


def test_every_option_reaches_the_result(real: Any) -> None:
    asked = {
        "height_cm": "172",
        "hints": '{"people": {"1": {"sex": "neutral", "age": 20}}, "boxes": [{"box": [1,2,3,4]}]}',
        "max_people": "1",
        "accessories": "keep",
        "faces": "3000",
        "albedo": "true",
        "check": "false",
        "formats": "PLY,obj",
        "vertex_colors": "true",
        "print_height_mm": "150",
        "poses": "true",
        "rest": "t",
        "rig": "game",
        "bone_names": "unreal",
        "clips": "false",
        "keypoint_files": "OpenPose,coco",
    }
    answer = create(real, PERSON.read_bytes(), **asked)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["options"] == {
        "same_person": False,
        "given": [],
        "height_cm": 172,
        "hints": {
            "people": {"1": NOTHING | {"sex": "neutral", "age": 20}},
            "boxes": [NOTHING | {"box": [1, 2, 3, 4]}],
        },
        "fov_deg": None,
        "max_people": 1,
        "detail": "clothed",
        "relief": "network",
        "incomplete": "cut",
        "accessories": "keep",
        "faces": 3000,
        "texture": True,
        "albedo": True,
        "check": False,
        "formats": ["ply", "obj"],
        "vertex_colors": True,
        "print_height_mm": 150,
        "poses": True,
        "rest": "t",
        "rig": "game",
        "bone_names": "unreal",
        "clips": False,
        "keypoint_files": ["openpose", "coco"],
    }
    (person,) = made["people"]
    (missing,) = made["left_out"]
    assert (missing["reason"], missing["box"], missing["id"]) == ("no-pose", [1, 2, 3, 4], None)
    assert person["height_m"] == pytest.approx(1.72, abs=0.01)
    assert person["checks"]["silhouette_iou"] is None
    assert "albedo" in made["timings_s"]
    assert "mesh_glb" not in person["files"]
    assert "mesh_stl" in person["files"]  # to be printed
    lines = real.get(person["files"]["mesh_obj"]).text.splitlines()
    first = next(line for line in lines if line.startswith("v "))
    assert len(first.split()) == 7  # with a colour
    assert sum(line.startswith("f ") for line in lines) < 8000  # hands come on top
    assert real.get(made["files"]["poses"]).content.startswith(b"\x89PNG")
    assert len(real.get(made["files"]["keypoints_openpose"]).json()["people"]) == 1
    fitted = real.get(made["files"]["keypoints_coco_fitted"]).json()
    assert len(fitted["annotations"][0]["keypoints"]) == 51
    assert "keypoints_blazepose" not in made["files"]
    assert real.get("/api/v1/jobs").json()["items"][0]["state"] == "succeeded"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"height_cm": "900"}, "height_cm: A height of 900 cm cannot be a person's; give 40 to "),
        ({"faces": "9"}, "faces: 9 faces are not possible; give 2000 to 200000."),
        ({"formats": "usd"}, "formats: There is no format 'usd'; choose from obj, glb, ply"),
        (
            {"albedo": "true", "texture": "false"},
            "Light can be taken out of a texture only: leave out albedo, or ask for texture.",
        ),
    ],
)
def test_wrong_options_are_refused_at_once(
    real: Any, fields: dict[str, str], sentence: str
) -> None:
    answer = create(real, PERSON.read_bytes(), **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation")
    assert answer.json()["detail"].startswith(sentence)
