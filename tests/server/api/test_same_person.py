"""Several pictures of one person over the API: one result of all of them, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

import cv2
import numpy as np
from PIL import Image

from server_tools import (
    EXAMPLES,
    app_client,
    create,
    create_of_one,
    files_of,
    picture,
    register,
    unique,
    wait_until,
)
from vitruvian.server.jobs.parcel import pack
from vitruvian.server.jobs.worker import process

PERSON = EXAMPLES / "person.jpg"
IMAGE_SIZE = Image.open(PERSON).size
CHEAP = {"faces": 4000, "check": "false", "formats": "obj"}


def in_other_clothes() -> bytes:
    """The example from the other side, in the complementary colours, at a known focal length."""
    mirrored = np.asarray(Image.open(PERSON).convert("HSV"))[:, ::-1].copy()
    mirrored[..., 0] += 128
    mirrored[..., 1] = np.maximum(mirrored[..., 1], 120)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 50  # millimetres on 35 mm film
    exif[0x0110] = "Secret Phone 12"
    buffer = io.BytesIO()
    Image.fromarray(mirrored, "HSV").convert("RGB").save(buffer, "JPEG", exif=exif, quality=90)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)


def test_two_pictures_are_one_result(real: Any, real_server: Any) -> None:
    other = in_other_clothes()
    answer = create_of_one(real, [PERSON.read_bytes(), other], name="Both", **CHEAP)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert [person["id"] for person in made["people"]] == [1]
    assert made["options"]["same_person"]
    (said,) = (one for one in made["warnings"] if "another one" in one)
    assert said.startswith("The person in picture 2 may be another one than in the first picture")
    assert real.get("/api/v1/reconstructions").json()["total"] == 1
    # Its pixels are kept to correct it with, and nothing else of the file.
    kept = real.get(made["files"]["photo_2"]).content
    assert b"Secret Phone" not in kept
    assert np.abs(pixels(kept) - pixels(other)).mean() < 4
    assert "photo_3" not in made["files"]
    wait_until(lambda: not [name for name in files_of(real_server.data) if "uploads" in name])

    url = f"/api/v1/reconstructions/{made['id']}"
    answer = real.patch(url, json={"height_cm": 150}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    corrected = answer.json()
    assert corrected["people"][0]["height_m"] == pytest.approx(1.5, abs=0.005)
    assert said in corrected["warnings"]  # so it was made of both
    assert real.get(corrected["files"]["photo_2"]).content == kept


def test_a_correction_knows_what_lens_took_each(tmp_path: Path) -> None:
    upload, first, again = (tmp_path / name for name in ("upload", "first", "again"))
    upload.write_bytes(pack([PERSON.read_bytes(), in_other_clothes()]))
    first.mkdir()
    again.mkdir()
    fast = {"same_person": True, "detail": "body", "texture": False, "check": False}
    made = process(upload, first, fast, None)
    (other,) = made.extra["others"]
    assert other["source"] == "exif"
    assert other["focal_px"] == pytest.approx(50 / 43.27 * np.hypot(*IMAGE_SIZE), rel=1e-3)
    camera = {"focal_px": 1500.0, "source": "assumed", "others": [other]}
    corrected = process(first / "photo.jpg", again, fast, None, camera, [first / "photo-2.jpg"])
    assert corrected.report["camera"]["focal_px"] == 1500.0
    assert corrected.extra["others"] == [other]
    for name in ("photo.jpg", "photo-2.jpg"):
        assert (again / name).read_bytes() == (first / name).read_bytes()


def test_a_picture_that_cannot_be_used_is_named(real: Any) -> None:
    person, buffer = PERSON.read_bytes(), io.BytesIO()
    Image.new("RGB", (300, 200), "grey").save(buffer, "PNG")
    refused = create_of_one(real, [person, person, buffer.getvalue()], **CHEAP)
    assert (refused.status_code, refused.json()["code"]) == (422, "nobody-found")
    assert refused.json()["detail"] == (
        "Nobody was found in picture 3, which should show the same person: leave it out."
    )
    refused = create_of_one(real, [person, person[:9000]], **CHEAP)
    assert (refused.status_code, refused.json()["code"]) == (422, "damaged-picture")
    assert refused.json()["detail"].startswith("Picture 2 is damaged or cut short")


@pytest.mark.parametrize(
    ("count", "same_person", "sentence"),
    [
        (1, "true", "One avatar is made of 2 to 6 pictures of one person, not of 1"),
        (2, "false", "Several pictures come to one result only when they show one person"),
    ],
)
def test_how_many_there_may_be(visitor: Any, count: int, same_person: str, sentence: str) -> None:
    register(visitor, unique())
    answer = create_of_one(visitor, [picture()] * count, same_person=same_person)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation")
    assert answer.json()["detail"].startswith(sentence)
    assert [one["field"] for one in answer.json()["errors"]] == ["same_person"]


def test_six_at_most(visitor: Any) -> None:
    register(visitor, unique())
    assert create_of_one(visitor, [picture()] * 6).status_code == 201
    assert create_of_one(visitor, [picture()] * 7).json()["code"] == "validation"
    assert create_of_one(visitor, [picture()] * 9).json()["code"] == "bad-request"


def test_every_one_must_be_a_picture(visitor: Any) -> None:
    register(visitor, unique())
    for other, code in ((b"text", "not-a-picture"), (b"", "damaged-picture")):
        assert create_of_one(visitor, [picture(), other]).json()["code"] == code
    answer = create_of_one(visitor, [picture(), picture()], image="text")
    assert answer.json()["detail"] == "The form lacks a file in the field image."


def test_together_they_may_be_twice_as_large_as_one(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", max_upload_mb=1) as client:
        register(client)
        large = b"\xff\xd8\xff" + bytes(2**20 - 3 - 6) + b"#quick"
        assert create_of_one(client, [large, large]).status_code == 201
        refused = create_of_one(client, [large, large, large]).json()
        assert refused["code"] == "too-large"
        assert refused["detail"] == (
            "The picture has more than 1 MB, or all together more than 2 MB; save a smaller copy."
        )
        assert create(client, large + b" ").json()["detail"] == (
            "The picture has more than 1 MB; save a smaller copy."
        )
