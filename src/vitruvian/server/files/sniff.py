"""What an upload is, by its bytes, before anything decodes it."""

from __future__ import annotations

import io
import re
import zipfile
from typing import BinaryIO

from vitruvian.errors import InputError
from vitruvian.image.decode import HEIC_BRANDS
from vitruvian.server.problems import Problem

# Media types by the first bytes. Names and Content-Type of an upload are the sender's claims and
# are not looked at.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"BM", "image/bmp"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys(HEIC_BRANDS, "image/heic"),
}

# A picture that is also a page or a program: harmless once re-encoded, but nobody's photograph.
_ACTIVE = re.compile(rb"<script|<\?php|<!doctype html|<html|<svg", re.IGNORECASE)
_PDF = b"%PDF-"

_NOT_A_PICTURE = (
    "The file is not a picture in a format that can be read; give a JPEG, PNG, WebP or HEIC file."
)
_POLYGLOT = (
    "The file is a picture and something else at once; export it again with a photo program."
)


def media_type(data: bytes) -> str | None:
    """The media type of a picture by its first bytes, or None."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12])
    return None


def check_picture(data: bytes, readable: tuple[str, ...]) -> str:
    """The media type of an upload.

    Args:
        data: the whole file.
        readable: media types that this installation reads.

    Raises:
        Problem: it is empty, no picture, one that cannot be read here, or something else as well.
    """
    if not data:
        raise Problem("damaged-picture", "The picture is empty; export or download it again.")
    kind = media_type(data)
    if kind is None:
        if data[4:8] == b"ftyp":
            raise Problem("video", "The file is a video; give a picture.")
        raise Problem("not-a-picture", _NOT_A_PICTURE)
    if kind not in readable:
        name = kind.removeprefix("image/").upper()
        raise Problem(
            "unsupported-picture", f"This server does not read {name} pictures; save it as JPEG."
        )
    if _PDF in data[:1024] or _ACTIVE.search(data) or zipfile.is_zipfile(io.BytesIO(data)):
        raise Problem("unsupported-picture", _POLYGLOT)
    return kind


def check_video(file: BinaryIO) -> None:
    """Raise ``Problem`` for a file whose first bytes say that it is no video.

    Whether it is one that can be read is for a worker to find out. The file is at its start after.
    """
    from vitruvian.video.clip import HEAD_BYTES, check_head

    head = file.read(HEAD_BYTES)
    file.seek(0)
    try:
        check_head(head, "The file")
    except InputError as error:
        raise Problem(error.code, str(error)) from None


def readable_types() -> tuple[str, ...]:
    """Media types of pictures that this installation decodes."""
    from importlib.util import find_spec

    from PIL import features

    kinds = ["image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "image/gif"]
    if find_spec("pillow_heif") is not None:
        kinds.append("image/heic")
    if features.check("avif"):
        kinds.append("image/avif")
    return tuple(kinds)
