"""Downloads are named after the picture, whatever it is called."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from vitruvian.server.files.serving import disposition


def read_name(header: str) -> str:
    """The file name as a browser reads it."""
    assert header.isascii()
    assert header.isprintable()
    plain, _, encoded = header.removeprefix("attachment; filename=").partition(
        "; filename*=UTF-8''"
    )
    assert plain[0] == plain[-1] == '"'
    assert not set(plain[1:-1]) & {'"', "\\"}
    return unquote(encoded, errors="strict") if encoded else plain[1:-1]


@pytest.mark.parametrize(
    ("title", "saved"),
    [
        ("Anna in Paris", "Anna in Paris-person-1-mesh.zip"),
        ("Zo\u00eb \u5f20", "Zo\u00eb \u5f20-person-1-mesh.zip"),
        ('a"; filename="evil.exe', "a ; filename= evil.exe-person-1-mesh.zip"),
        ("../../etc/passwd", "etc passwd-person-1-mesh.zip"),
        ("one\r\nSet-Cookie: x=1", "one Set-Cookie x=1-person-1-mesh.zip"),
        ("...", "person-1-mesh.zip"),
        ("", "person-1-mesh.zip"),
        ("x" * 200, "x" * 80 + "-person-1-mesh.zip"),
        ("half \ud800", "half ?-person-1-mesh.zip"),
    ],
)
def test_names(title: str, saved: str) -> None:
    assert read_name(disposition(title, "person-1/mesh.zip")) == saved
