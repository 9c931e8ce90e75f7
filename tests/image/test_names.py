"""File names that are no text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vitruvian.image.names import expanded, readable


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"street.jpg", "street.jpg"),
        ("Zoë 日本.jpg".encode(), "Zoë 日本.jpg"),
        (b"caf\xe9.jpg", "caf\ufffd.jpg"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_bytes_of_names(name: bytes, text: str) -> None:
    assert readable(os.fsdecode(name)) == text
    # As it arrives under a locale that knows ASCII only.
    assert readable(name.decode("ascii", "surrogateescape")) == text


def test_halves_that_stand_for_no_byte() -> None:
    assert readable("a\ud800b") == "a?b"


def test_homes_are_written_out_and_those_of_nobody_stay() -> None:
    assert expanded("~/a.jpg") == Path.home() / "a.jpg"
    assert expanded("~nobody-of-that-name/a.jpg") == Path("~nobody-of-that-name/a.jpg")
    assert expanded(Path("a~.jpg")) == Path("a~.jpg")
    assert expanded("~a\0b/c") == Path("~a\0b/c")
