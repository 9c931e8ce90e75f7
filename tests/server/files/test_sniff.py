"""The first bytes of a picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from vitruvian.server.files.sniff import check_picture, media_type, readable_types
from vitruvian.server.problems import Problem


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("BMP", "image/bmp"),
        ("GIF", "image/gif"),
    ],
)
def test_first_bytes(kind: str, expected: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "teal").save(buffer, kind)
    assert media_type(buffer.getvalue()) == expected
    assert check_picture(buffer.getvalue(), readable_types()) == expected


def test_a_format_that_is_not_installed() -> None:
    heic = b"\0\0\0\x18ftypheic" + bytes(50)
    assert media_type(heic) == "image/heic"
    with pytest.raises(Problem, match="does not read HEIC pictures; save it as JPEG"):
        check_picture(heic, ("image/jpeg",))
