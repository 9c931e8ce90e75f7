"""Every kind of bad file, at a server with the real decoder: a clear 4xx, nothing left on disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from PIL import Image

from server_tools import EXAMPLES, create, files_of, wait_until


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int = 200, height: int = 150) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def png(width: int, height: int, content: bytes = b"\0") -> bytes:
    """A PNG that declares a size and holds what it holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(content, 9))
        + chunk(b"IEND", b"")
    )


def archive(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("picture.jpg", bytes(size))
    return buffer.getvalue()


def jpeg_declaring(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(64, 64), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<html><script>alert(1)</script></html>"
JPEG = encoded(noise(), "JPEG")

CASES: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "empty": (lambda: b"", 422, "damaged-picture"),
    "cut jpeg": (lambda: JPEG[:9000], 422, "damaged-picture"),
    "cut png": (lambda: encoded(noise(), "PNG")[:9000], 422, "damaged-picture"),
    "cut webp": (lambda: encoded(noise(), "WEBP")[:9000], 422, "damaged-picture"),
    "cut tiff": (lambda: encoded(noise(), "TIFF")[:9000], 422, "damaged-picture"),
    "cut bmp": (lambda: encoded(noise(), "BMP")[:9000], 422, "damaged-picture"),
    "start of a jpeg": (lambda: b"\xff\xd8\xff\xe0", 422, "damaged-picture"),
    "start of a png": (lambda: b"\x89PNG\r\n\x1a\n", 422, "damaged-picture"),
    "a letter": (lambda: b"Dear Anna,\n" * 50, 415, "not-a-picture"),
    "zeros": (lambda: bytes(5000), 415, "not-a-picture"),
    "a page": (lambda: HTML, 415, "not-a-picture"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", 415, "not-a-picture"),
    "a film": (lambda: b"\0\0\0\x20ftypisom" + bytes(100), 415, "video"),
    "one pixel": (lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), 422, "too-small"),
    "a line": (lambda: encoded(Image.new("L", (9000, 40)), "PNG"), 422, "too-small"),
    "png bomb, declared": (lambda: png(20000, 20000), 413, "too-large"),
    "png bomb, real": (lambda: png(60000, 60000, bytes(60001 * 900)), 413, "too-large"),
    "jpeg bomb": (lambda: jpeg_declaring(20000, 20000), 413, "too-large"),
    "lying png": (lambda: png(3000, 3000), 422, "damaged-picture"),
    "lying jpeg": (lambda: jpeg_declaring(9000, 9000), 422, "nobody-found"),
    "gif animation": (lambda: animation("GIF"), 422, "animation"),
    "png animation": (lambda: animation("PNG"), 422, "animation"),
    "webp animation": (lambda: animation("WEBP"), 422, "animation"),
    "zip bomb": (lambda: archive(200 * 2**20), 415, "not-a-picture"),
    "svg with a script": (lambda: SVG, 415, "not-a-picture"),
    "svg named xml": (lambda: b'<?xml version="1.0"?>' + SVG, 415, "not-a-picture"),
    "jpeg and zip": (lambda: JPEG + archive(100), 415, "unsupported-picture"),
    "jpeg and page": (lambda: JPEG + HTML, 415, "unsupported-picture"),
    "jpeg and php": (
        lambda: encoded(noise(), "JPEG", comment=b"<?php system($_GET[0]);"),
        415,
        "unsupported-picture",
    ),
    "gif and script": (
        lambda: b"GIF89a/*" + bytes(300) + b"*/=1;alert(1)",
        422,
        "damaged-picture",
    ),
    "bmp and pdf": (lambda: b"BM%PDF-1.7 " + bytes(300), 415, "unsupported-picture"),
    "nobody": (lambda: encoded(Image.new("RGB", (300, 400), "white"), "PNG"), 422, "nobody-found"),
    "too large": (lambda: JPEG + bytes(5 * 2**20), 413, "too-large"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_clear_answer_and_nothing_left(real: Any, real_server: Any, case: str) -> None:
    make, status, code = CASES[case]
    before = set(files_of(real_server.data))
    answer = create(real, make())
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    detail = answer.json()["detail"]
    assert detail.endswith(".")
    assert "/" not in detail.replace("image/", "")  # no path of the server
    wait_until(lambda: set(files_of(real_server.data)) <= before)
    assert real.get("/api/v1/reconstructions").json()["total"] == 0


def test_who_sends_far_too_much_still_reads_why(real_server: Any) -> None:
    """Closing the connection on a client that is sending would cost it the answer."""
    import httpx

    body = JPEG + bytes(40 * 2**20)
    for _ in range(12):
        answer = httpx.post(f"{real_server.url}/Upload", files={"image": body}, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_the_simple_call_refuses_likewise(real_server: Any) -> None:
    import httpx

    for case in ("svg with a script", "cut jpeg", "nobody"):
        make, status, code = CASES[case]
        answer = httpx.post(f"{real_server.url}/Upload", files={"image": make()}, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_claimed_type_does_not_matter(real: Any) -> None:
    answer = real.post(
        "/api/v1/reconstructions",
        files={"image": ("x.jpg", SVG, "image/jpeg")},
    )
    assert answer.status_code == 415
    person = (EXAMPLES / "person.jpg").read_bytes()
    answer = real.post(
        "/api/v1/reconstructions",
        files={"image": ("x.svg", person, "image/svg+xml")},
        data={"detail": "body", "texture": "no"},
    )
    assert answer.status_code == 201


def test_the_worker_lives_through_all_of_it(real: Any, real_server: Any) -> None:
    """None of the bad files has killed it: no worker was lost."""
    for case in ("png bomb, real", "lying jpeg"):
        create(real, CASES[case][0]())
    assert "worker lost" not in real_server.log()
