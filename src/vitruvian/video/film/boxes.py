"""Boxes of the ISO base media file format (ISO/IEC 14496-12), of which MP4 and AVIF are made."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of a kind (four bytes) around its parts."""
    size = 8 + sum(map(len, parts))
    return b"".join([struct.pack(">I4s", size, kind), *parts])


def full_box(kind: bytes, flags: int, *parts: bytes) -> bytes:
    """A box of version 0 with flags."""
    return box(kind, struct.pack(">I", flags), *parts)


def find_box(data: bytes, kind: bytes) -> bytes:
    """The content of the first box of a kind, also inside of others.

    Raises ``ValueError`` where there is none.
    """
    for found, content in _walk(data):
        if found == kind:
            return content
    raise ValueError(f"the file has no box {kind.decode()}")


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        size = size or len(data) - at  # 0: up to the end
        content = data[at + 8 : at + size]
        yield kind, content
        if kind in _CONTAINERS:
            yield from _walk(content)
        at += max(size, 8)


def samples_of(data: bytes) -> list[bytes]:
    """The samples of a file with one track: of a film, its encoded pictures in order."""
    table = find_box(find_box(data, b"moov"), b"stbl")
    sizes = _numbers(find_box(table, b"stsz"), 4)
    common, sizes = sizes[0], sizes[2:]
    if common:
        raise ValueError("samples of equal size are not expected of pictures")
    offsets = _numbers(find_box(table, b"stco"), 4)[1:]
    runs = _numbers(find_box(table, b"stsc"), 4)[1:]
    out: list[bytes] = []
    for chunk, offset in enumerate(offsets, 1):
        # Of the runs that have begun, the last says how many samples a chunk has.
        begun = [runs[at + 1] for at in range(0, len(runs), 3) if runs[at] <= chunk]
        for _ in range(begun[-1]):
            size = sizes[len(out)]
            out.append(data[offset : offset + size])
            offset += size
    return out


def _numbers(content: bytes, start: int) -> list[int]:
    """The big-endian 32-bit numbers of a box from a byte on."""
    return list(struct.unpack_from(f">{(len(content) - start) // 4}I", content, start))
