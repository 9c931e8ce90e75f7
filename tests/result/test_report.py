from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitruvian.anthropometry.one_view import Guess
from vitruvian.formats import write_json
from vitruvian.result.checks import avatar_warnings
from vitruvian.result.report import person_report, report_schema, scene_report
from vitruvian.types.avatar import Avatar
from vitruvian.types.mesh import Mesh
from vitruvian.types.seen import WHOLE

jsonschema = pytest.importorskip("jsonschema")


def example() -> dict:
    person = person_report(
        id=1,
        box=np.array([10.123, 20, 110.5, 420]),
        score=np.float32(0.91),
        seen=WHOLE,
        height_m=1.73456,
        height_sd_m=0.05204,
        silhouette_iou=np.float64(0.87),
        keypoint_error=float("nan"),
        warnings=["The feet are hidden."],
        files={"mesh": "person-1/mesh.obj", "avatar": Path("person-1") / "avatar.glb"},
        measures={"waist": Guess(81.23, 72.41, 91.06)},
    )
    return scene_report(
        path=Path("photos/street.jpg"),
        width=640,
        height=480,
        focal_px=896.0,
        focal_source="assumed",
        world_from_camera=np.diag([1.0, -1, -1, 1]),
        timings_s={"people": 0.0712345, "body": np.float32(0.05)},
        people=[person],
    )


def an_avatar() -> Avatar:
    skin = np.zeros((3, 4), np.uint16), np.eye(4, dtype=np.float32)[[0, 0, 0]]
    mesh = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]] * 2, np.int32), "body")
    mesh = replace(mesh, skin_joints=skin[0], skin_weights=skin[1])
    return Avatar(mesh, np.array([1, 0], np.uint8), 0.0123456, 2, 0.91)


def check(report: dict) -> None:
    jsonschema.Draft202012Validator(report_schema()).validate(report)


def test_report_is_plain_and_meets_its_schema(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())
    path = write_json(tmp_path / "report.json", example())
    read = json.loads(path.read_text(encoding="utf-8"))
    check(read)
    assert read["people"][0] == {
        "id": 1,
        "box": [10.12, 20.0, 110.5, 420.0],
        "score": 0.91,
        "complete": True,
        "seen": {"extent": "whole", "share": 1.0, "cut": [], "hidden": [], "guessed": []},
        "height_m": 1.7346,
        "height_sd_m": 0.052,
        "measurements_cm": {"waist": {"value": 81.2, "low": 72.4, "high": 91.1}},
        "checks": {"silhouette_iou": 0.87, "keypoint_error": None, "image_similarity": None},
        "warnings": ["The feet are hidden."],
        "files": {"mesh": "person-1/mesh.obj", "avatar": "person-1/avatar.glb"},
    }
    assert read["image"] == {"path": "photos/street.jpg", "width": 640, "height": 480}
    camera = read["camera"]
    assert (camera["focal_px"], camera["source"]) == (896.0, "assumed")
    np.testing.assert_array_equal(camera["world_from_camera"], np.diag([1.0, -1, -1, 1]))
    assert read["timings_s"] == {"people": 0.0712, "body": 0.05}


def test_the_avatar_is_told_of() -> None:
    person = person_report(
        id=1,
        box=[0, 0, 1, 1],
        score=1,
        seen=WHOLE,
        height_m=1.7,
        height_sd_m=0,
        silhouette_iou=None,
        keypoint_error=None,
        avatar=an_avatar(),
    )
    assert person["avatar"] == {
        "layers": ["body", "skirt"],
        "torn": 0.0123,
        "severed": 2,
        "silhouette_iou": 0.91,
        "image_similarity": None,
    }
    check({**example(), "people": [person]})


def test_an_avatar_that_falls_apart_is_warned_of() -> None:
    avatar = an_avatar()
    assert "comes apart" in avatar_warnings(avatar)[0]
    assert avatar_warnings(replace(avatar, severed=0)) == []
    assert "7%" in avatar_warnings(replace(avatar, severed=0, torn=0.07))[0]


def test_nobody_is_a_valid_report() -> None:
    check({**example(), "people": [], "warnings": ["Nobody was found in the picture."]})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("version",), 2),
        (("camera", "source"), "guessed"),
        (("image", "width"), 0),
        (("people", 0, "box"), [1, 2, 3]),
        (("people", 0, "score"), 1.5),
        (("people", 0, "checks", "silhouette_iou"), 2),
        (("people", 0, "height_m"), None),
        (("people", 0, "files", "mesh"), "/absolute/mesh.obj"),
        (("people", 0, "colour"), "red"),
        (("warnings",), [""]),
    ],
)
def test_schema_refuses(place: tuple, value: object) -> None:
    report = deepcopy(example())
    holder = report
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check(report)
