"""MP4 with one track of AV1 pictures (AV1 Codec ISO Media File Format Binding 1.2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vitruvian.video.film.boxes import box, full_box

TIMESCALE = 90_000  # ticks per second
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_ENGLISH_UNDEFINED = 0x55C4  # "und"


def mp4(
    samples: Sequence[bytes],
    keys: Sequence[int],
    ticks: Sequence[int],
    size: tuple[int, int],
    codec: bytes,
) -> bytes:
    """A whole file.

    Args:
        samples: encoded pictures.
        keys: indices of those that need none before them.
        ticks: how long each is shown, in 1 / ``TIMESCALE`` s.
        size: width and height in pixels.
        codec: content of the codec's configuration box ``av1C``.
    """
    kind = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2av01mp41")
    # What is before the pictures has the same length wherever they begin.
    start = len(kind) + len(_movie(samples, keys, ticks, size, codec, 0)) + 8
    movie = _movie(samples, keys, ticks, size, codec, start)
    return b"".join([kind, movie, box(b"mdat", *samples)])


def _movie(
    samples: Sequence[bytes],
    keys: Sequence[int],
    ticks: Sequence[int],
    size: tuple[int, int],
    codec: bytes,
    start: int,
) -> bytes:
    width, height = size
    length = sum(ticks)
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
            _table(samples, keys, ticks, size, codec, start),
        ),
    )
    return box(b"moov", header, box(b"trak", track_header, media))


def _table(
    samples: Sequence[bytes],
    keys: Sequence[int],
    ticks: Sequence[int],
    size: tuple[int, int],
    codec: bytes,
    start: int,
) -> bytes:
    entry = box(
        b"av01",
        struct.pack(">6xH16x2H2IIH32xHh", 1, *size, 0x480000, 0x480000, 0, 1, 24, -1),
        box(b"av1C", codec),
    )
    count = len(samples)
    return box(
        b"stbl",
        full_box(b"stsd", 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, _list([number for tick in ticks for number in (1, tick)], 2)),
        full_box(b"stsc", 0, _list([1, count, 1], 3)),
        full_box(b"stsz", 0, struct.pack(">I", 0), _list([len(sample) for sample in samples])),
        full_box(b"stco", 0, _list([start])),
        full_box(b"stss", 0, _list([key + 1 for key in keys])),
    )


def _list(numbers: Sequence[int], width: int = 1) -> bytes:
    """Numbers behind how many entries of ``width`` they are."""
    return struct.pack(f">{1 + len(numbers)}I", len(numbers) // width, *numbers)
