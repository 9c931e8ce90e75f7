"""Keypoints and masks sent with a picture: what comes of them, what is kept, what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

import numpy as np
from PIL import Image

from server_tools import (
    EXAMPLES,
    create,
    create_of_one,
    files_of,
    picture,
    register,
    unique,
    wait_until,
)
from vitruvian.exchange.picture import Picture
from vitruvian.exchange.read_keypoints import read_keypoints
from vitruvian.exchange.read_masks import read_masks
from vitruvian.server.api.reading import MAX_GIVEN_BYTES
from vitruvian.server.jobs.parcel import pack
from vitruvian.server.jobs.worker import process

PERSON = EXAMPLES / "person.jpg"
FAST = {"detail": "body", "texture": False, "check": False, "formats": ("obj",), "clips": False}
NOBODY = {"people": []}


def sent(client: Any, data: bytes, files: dict[str, bytes | str], **fields: Any) -> Any:
    """POST a picture with other files."""
    parts = [("image", ("x", data)), *((name, ("y", file)) for name, file in files.items())]
    return client.post("/api/v1/reconstructions", files=parts, data=fields)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the example comes to, with keypoints as OpenPose writes them."""
    folder = tmp_path_factory.mktemp("seen")
    outcome = process(PERSON, folder, FAST | {"keypoint_files": ["openpose"]}, None)
    assert outcome.state == "done"
    return folder


@pytest.fixture(scope="module")
def upper_half(seen: Path) -> bytes:
    """A label map of the person's upper half."""
    alpha = np.array(Image.open(seen / "person-1" / "alpha.png"))
    alpha = (alpha[..., -1] if alpha.ndim == 3 else alpha) > 127
    rows = np.flatnonzero(alpha.any(1))
    alpha[(rows[0] + rows[-1]) // 2 :] = False
    buffer = io.BytesIO()
    Image.fromarray(alpha.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def alpha_of(result: bytes) -> np.ndarray:
    pixels = np.array(Image.open(io.BytesIO(result)))
    return np.asarray((pixels[..., -1] if pixels.ndim == 3 else pixels) > 127)


def test_they_take_the_place_of_ours_also_in_corrections(
    real: Any, real_server: Any, seen: Path, upper_half: bytes
) -> None:
    points = json.loads((seen / "keypoints-openpose.json").read_bytes())
    ours = np.reshape(points["people"][0]["pose_keypoints_2d"], (25, 3))
    theirs = ours.copy()
    theirs[:15, 0] += 6.0 * (theirs[:15, 2] > 0)
    points["people"][0]["pose_keypoints_2d"] = theirs.reshape(-1).tolist()
    fields = {"detail": "body", "texture": "false", "check": "false", "formats": "obj"}
    files = {"keypoints": json.dumps(points), "masks": upper_half}
    answer = sent(real, PERSON.read_bytes(), files, **fields)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["options"]["given"] == ["keypoints", "masks"]
    width, height = made["image"]["width"], made["image"]["height"]
    kept = {name: real.get(made["files"][f"{name}_given"]).content for name in files}
    here = Picture("photo", width, height)
    (pose,) = read_keypoints(kept["keypoints"], here)
    (again,) = read_keypoints(files["keypoints"].encode(), here)
    assert np.array_equal(pose.points, again.points, equal_nan=True)
    (mask,), (label,) = read_masks(kept["masks"], here), read_masks(upper_half, here)
    assert np.array_equal(mask.values, label.values)
    assert np.array_equal(mask.box, label.box)
    (person,) = made["people"]
    alpha = alpha_of(real.get(person["files"]["alpha"]).content)
    assert alpha[: int(label.box[3])].sum() > 0.97 * alpha.sum()  # the edge is refined
    wait_until(lambda: not [name for name in files_of(real_server.data) if "uploads" in name])

    url = f"/api/v1/reconstructions/{made['id']}"
    answer = real.patch(url, json={"height_cm": 150}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    corrected = answer.json()
    assert corrected["people"][0]["height_m"] == pytest.approx(1.5, abs=0.005)
    assert corrected["options"]["given"] == ["keypoints", "masks"]
    for name, content in kept.items():
        assert real.get(corrected["files"][f"{name}_given"]).content == content
    assert (
        np.mean(alpha_of(real.get(corrected["people"][0]["files"]["alpha"]).content) != alpha)
        < 0.002
    )


def test_of_a_large_picture_they_count_its_own_pixels(seen: Path, tmp_path: Path) -> None:
    large = io.BytesIO()
    image = Image.open(PERSON)
    scale = 4200 / max(image.size)
    big = image.resize((round(image.width * scale), round(image.height * scale)))
    big.save(large, "JPEG")
    points = json.loads((seen / "keypoints-openpose.json").read_bytes())
    rows = np.reshape(points["people"][0]["pose_keypoints_2d"], (25, 3))
    rows[:, :2] = (rows[:, :2] + 0.5) * scale - 0.5
    points["people"][0]["pose_keypoints_2d"] = rows.reshape(-1).tolist()
    upload, folder = tmp_path / "upload", tmp_path / "result"
    upload.write_bytes(pack([large.getvalue(), json.dumps(points).encode()]))
    folder.mkdir()
    outcome = process(upload, folder, FAST | {"given": ["keypoints"]}, None)
    assert outcome.error is None
    size = Image.open(folder / "photo.jpg").size
    (kept,) = read_keypoints(folder / "keypoints-given.json", Picture("photo", *size))
    (asked,) = read_keypoints(
        json.dumps(points).encode(), Picture("photo", *big.size, size[0] / big.width)
    )
    assert np.array_equal(kept.points, asked.points, equal_nan=True)
    assert max(size) < max(big.size)  # else this says nothing


@pytest.mark.parametrize(
    ("name", "content", "code", "sentence"),
    [
        ("keypoints", b"{", "bad-keypoints", "The keypoints are no JSON: give a file as its"),
        ("keypoints", json.dumps(NOBODY), "bad-keypoints", "The keypoints tell of nobody in photo"),
        ("masks", b"\x89PNG\r\n\x1a\n", "bad-masks", "The masks cannot be read: give a PNG."),
        ("masks", b"", "bad-masks", "The masks cannot be read: give a PNG."),
        ("masks", PERSON.read_bytes(), "bad-masks", "The masks are no PNG: save them without loss"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(
    real: Any, name: str, content: Any, code: str, sentence: str
) -> None:
    refused = sent(real, PERSON.read_bytes(), {name: content}, detail="body", texture="false")
    assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    assert refused.json()["detail"].startswith(sentence)
    assert str(Path("/")) not in refused.json()["detail"]


def test_forms_that_are_refused(visitor: Any) -> None:
    register(visitor, unique())
    as_text = create(visitor, picture(), keypoints="{}")
    assert (as_text.status_code, as_text.json()["code"]) == (422, "validation")
    assert as_text.json()["detail"] == "keypoints: must be one file."
    twice = [("image", ("x", picture())), ("masks", ("y", b"{}")), ("masks", ("y", b"{}"))]
    answer = visitor.post("/api/v1/reconstructions", files=twice)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "masks")
    much = sent(visitor, picture(), {"masks": b"[" * (MAX_GIVEN_BYTES + 1)})
    assert (much.status_code, much.json()["code"]) == (413, "too-large")
    assert much.json()["detail"].startswith("The masks have more than 16 MB")
    # With measures and videos they do not go.
    pair = [(name, ("x", picture())) for name in ("front", "side", "masks")]
    answer = visitor.post("/api/v1/measurements", files=pair, data={"height_cm": 170})
    assert answer.status_code in (400, 422), answer.text
    # A browser's field without a choice is one that was left out.
    body = b'--b\r\nContent-Disposition: form-data; name="masks"; filename=""\r\n\r\n\r\n'
    body += b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
    body += picture() + b"\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    made = visitor.post("/api/v1/reconstructions", content=body, headers=kind)
    assert made.status_code == 201, made.text
    assert made.json()["options"]["given"] == []


def test_they_go_with_the_first_of_several_pictures(real: Any, upper_half: bytes) -> None:
    person = PERSON.read_bytes()
    files = [("image", ("x", person)), ("image", ("x", person)), ("masks", ("y", upper_half))]
    fields = {"same_person": "true", "detail": "body", "texture": "false", "check": "false"}
    answer = real.post("/api/v1/reconstructions", files=files, data=fields)
    assert answer.status_code == 201, answer.text
    assert answer.json()["options"]["given"] == ["masks"]
    assert {"photo_2", "masks_given"} <= set(answer.json()["files"])
    refused = create_of_one(real, [person], **fields)
    assert refused.status_code == 422
