"""TIFF files that hold several pictures: camera RAW, and pages that are reduced copies.

A camera RAW file (NEF, DNG, CR2, ARW...) is a TIFF with the sensor's mosaic, which only a developer
reads, and one or more finished previews. The first page may be a thumbnail of 160 pixels.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC = 256, 257, 259, 262
_SUBFILE, _SUB_IFDS, _STRIPS, _STRIP_BYTES = 254, 330, 273, 279
_JPEG_AT, _JPEG_BYTES, _DNG_VERSION, _CR2_SLICES = 513, 514, 50706, 50752
_MOSAIC, _LINEAR_RAW = 32803, 34892
_JPEG_COMPRESSIONS = (6, 7)
_SIZES = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 13: ("I", 4)}  # of the whole numbers we need
_MOST_PAGES, _MOST_VALUES = 64, 64
_HEADER = 8  # bytes


@dataclass(frozen=True)
class Chosen:
    """The picture in a TIFF file that stands for it.

    Attributes:
        data: an image file with it on its first page.
        kind: Pillow's name of that file's format.
        size: (width, height).
        raw: whether the file is a camera's RAW file, so that this is a preview.
        reduced: whether the file says that this is a reduced copy, and has nothing larger.
    """

    data: bytes
    kind: str
    size: tuple[int, int]
    raw: bool
    reduced: bool


@dataclass(frozen=True)
class _Page:
    offset: int
    tags: dict[int, tuple[int, ...]]

    def tag(self, number: int, default: int = 0) -> int:
        values = self.tags.get(number, ())
        return values[0] if values else default

    @property
    def size(self) -> tuple[int, int]:
        return self.tag(_WIDTH), self.tag(_HEIGHT)

    @property
    def is_mosaic(self) -> bool:
        return self.tag(_PHOTOMETRIC) in (_MOSAIC, _LINEAR_RAW) or _CR2_SLICES in self.tags

    @property
    def jpeg(self) -> tuple[int, int] | None:
        """Where a JPEG file lies within the TIFF: its offset and length."""
        if _JPEG_AT in self.tags and _JPEG_BYTES in self.tags:
            return self.tag(_JPEG_AT), self.tag(_JPEG_BYTES)
        one_strip = len(self.tags.get(_STRIPS, ())) == len(self.tags.get(_STRIP_BYTES, ())) == 1
        if self.tag(_COMPRESSION) in _JPEG_COMPRESSIONS and one_strip:
            return self.tag(_STRIPS), self.tag(_STRIP_BYTES)
        return None


def choose_page(data: bytes) -> Chosen | None:
    """The largest finished picture, where it is not simply the file's first page; else None.

    By custom the first page of a TIFF is the picture and others are further ones: only a camera's
    RAW file, or a first page that is marked as a reduced copy, is looked into.
    """
    pages = list(_pages(data))
    if not pages:
        return None
    raw = data[8:10] == b"CR" or any(one.is_mosaic or _DNG_VERSION in one.tags for one in pages)
    if not raw and not pages[0].tag(_SUBFILE) & 1:
        return None
    found = [
        chosen
        for page in pages
        if not page.is_mosaic
        for chosen in [_open(data, page, raw)]
        if chosen is not None
    ]
    if not raw:
        found = [one for one in found if not one.reduced] or found
    return max(found, key=lambda one: one.size[0] * one.size[1], default=None) or Chosen(
        b"", "", (0, 0), raw, False
    )


def _open(data: bytes, page: _Page, raw: bool) -> Chosen | None:
    """A page as a file of its own, if anything can read it."""
    reduced = bool(page.tag(_SUBFILE) & 1)
    if page.jpeg is not None:
        start, length = page.jpeg
        stream = data[start : start + length]
        try:
            with Image.open(io.BytesIO(stream), formats=["JPEG"]) as image:
                return Chosen(stream, "JPEG", image.size, raw, reduced)
        except Exception:  # sensor data in JPEG's lossless form, or damaged
            return None
    if min(page.size) <= 0:
        return None
    # The header points to this page instead of the first; all offsets within stay as they are.
    order = "<" if data[:2] == b"II" else ">"
    file = data[:4] + struct.pack(order + "I", page.offset) + data[8:]
    try:
        with Image.open(io.BytesIO(file), formats=["TIFF"]) as image:
            return Chosen(file, "TIFF", image.size, raw, reduced)
    except Exception:
        return None


def _pages(data: bytes) -> Iterator[_Page]:
    """Every directory of the file: the chain of pages, and the sub-directories of each."""
    if data[:4] not in (b"II*\0", b"MM\0*") or len(data) < _HEADER:
        return
    order = "<" if data[:2] == b"II" else ">"
    waiting = [_number(data, 4, order)]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_PAGES:
        offset = waiting.pop(0)
        if offset in seen or not _HEADER <= offset <= len(data) - 2:
            continue
        seen.add(offset)
        (count,) = struct.unpack_from(order + "H", data, offset)
        after = offset + 2 + 12 * count
        if after > len(data):
            continue
        entries = (_entry(data, at, order) for at in range(offset + 2, after, 12))
        page = _Page(offset, dict(entries))
        yield page
        if after + 4 <= len(data):
            waiting.append(_number(data, after, order))
        waiting.extend(page.tags.get(_SUB_IFDS, ()))


def _number(data: bytes, at: int, order: str) -> int:
    return int(struct.unpack_from(order + "I", data, at)[0])


def _entry(data: bytes, at: int, order: str) -> tuple[int, tuple[int, ...]]:
    """A directory's entry: its tag, and its values where they are whole numbers."""
    tag, kind, count = struct.unpack_from(order + "HHI", data, at)
    if kind not in _SIZES or count > _MOST_VALUES:
        return tag, ()
    letter, size = _SIZES[kind]
    start = at + 8 if count * size <= 4 else _number(data, at + 8, order)
    if start + count * size > len(data):
        return tag, ()
    return tag, struct.unpack_from(f"{order}{count}{letter}", data, start)
