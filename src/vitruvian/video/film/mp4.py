"""MP4 with one track of pictures: AV1 (AV1 Codec ISO Media File Format Binding 1.2), or JPEGs."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.video.film.boxes import box, full_box

TIMESCALE = 90_000  # ticks per second
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_ENGLISH_UNDEFINED = 0x55C4  # "und"
_LAST_S = 1 / 30  # how long the last picture is shown where nothing says


def ticks_of(times_s: Sequence[float]) -> list[int]:
    """How long pictures are shown that are shown from these seconds on, as of ``Pictures``."""
    starts = np.round((np.array(times_s) - times_s[0]) * TIMESCALE).astype(int)
    steps = np.diff(starts)
    last = round(float(np.median(steps))) if len(steps) else round(_LAST_S * TIMESCALE)
    return [*steps.tolist(), last]


@dataclass(frozen=True)
class Pictures:
    """What the header of a film says of its pictures.

    Attributes:
        sizes: bytes of each.
        keys: indices of those that need none before them.
        ticks: how long each is shown, in 1 / ``TIMESCALE`` s.
        width, height: pixels.
        codec: content of the box ``av1C`` of AV1; None where they are JPEGs.
    """

    sizes: Sequence[int]
    keys: Sequence[int]
    ticks: Sequence[int]
    width: int
    height: int
    codec: bytes | None = None


def mp4(pictures: Pictures, samples: Sequence[bytes]) -> bytes:
    """A whole film: ``samples`` are its encoded pictures, behind a header that describes them."""
    kind = file_type()
    # What is before the pictures has the same length wherever they begin.
    start = len(kind) + len(movie(pictures, 0)) + 8
    return b"".join([kind, movie(pictures, start), box(b"mdat", *samples)])


def file_type() -> bytes:
    """The box that a film begins with."""
    return box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2av01mp41")


def movie(pictures: Pictures, start: int) -> bytes:
    """The box that describes pictures, which lie one behind the other from byte ``start`` on."""
    width, height = pictures.width, pictures.height
    length = sum(pictures.ticks)
    header = full_box(
        b"mvhd",
        0,
        struct.pack(">4IIH10x", 0, 0, TIMESCALE, length, 0x10000, 0x100),
        _MATRIX,
        struct.pack(">24xI", 2),
    )
    track_header = full_box(
        b"tkhd",
        3,  # enabled, in the movie
        struct.pack(">5I16x", 0, 0, 1, 0, length),
        _MATRIX,
        struct.pack(">2I", width << 16, height << 16),
    )
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, struct.pack(">4I2H", 0, 0, TIMESCALE, length, _ENGLISH_UNDEFINED, 0)),
        full_box(b"hdlr", 0, struct.pack(">4x4s12x", b"vide"), b"pictures\0"),
        box(
            b"minf",
            full_box(b"vmhd", 1, bytes(8)),
            box(b"dinf", full_box(b"dref", 0, struct.pack(">I", 1), full_box(b"url ", 1))),
            _table(pictures, start),
        ),
    )
    return box(b"moov", header, box(b"trak", track_header, media))


def _table(pictures: Pictures, start: int) -> bytes:
    count = len(pictures.sizes)
    return box(
        b"stbl",
        full_box(b"stsd", 0, struct.pack(">I", 1), _entry(pictures)),
        full_box(b"stts", 0, _list([number for tick in pictures.ticks for number in (1, tick)], 2)),
        full_box(b"stsc", 0, _list([1, count, 1], 3)),
        full_box(b"stsz", 0, struct.pack(">I", 0), _list(pictures.sizes)),
        full_box(b"stco", 0, _list([start])),
        full_box(b"stss", 0, _list([key + 1 for key in pictures.keys])),
    )


def _entry(pictures: Pictures) -> bytes:
    size = pictures.width, pictures.height
    inside = struct.pack(">6xH16x2H2IIH32xHh", 1, *size, 0x480000, 0x480000, 0, 1, 24, -1)
    if pictures.codec is None:
        return box(b"jpeg", inside)
    return box(b"av01", inside, box(b"av1C", pictures.codec))


def _list(numbers: Sequence[int], width: int = 1) -> bytes:
    """Numbers behind how many entries of ``width`` they are."""
    return struct.pack(f">{1 + len(numbers)}I", len(numbers) // width, *numbers)
