"""Files that are broken where it hurts: mutations that know the structure of each format.

A file is taken apart into its pieces (segments of a JPEG, chunks of PNG and WebP, boxes of HEIC and
MP4, entries of a TIFF), pieces are changed, left out, doubled or told wrong about their length, and
it is put together again, with right checksums more often than not: else no decoder would look on.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np

Pieces = list[bytes]

_MOST_CHANGES = 4
_ODD = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """A broken copy of a file, made of one to a few changes.

    Args:
        data: a sound file; its format is told by its first bytes.
        rng: what is random; the same state gives the same copy.
    """
    split, join = _structure(data)
    pieces = split(data)
    for _ in range(int(rng.integers(1, _MOST_CHANGES + 1))):
        if not pieces:
            break
        change = _CHANGES[int(rng.integers(len(_CHANGES)))]
        pieces = change(pieces, rng)
    out = join(pieces, bool(rng.random() < 0.8))
    if rng.random() < 0.15:
        out = out[: int(rng.integers(len(out) + 1))]
    return out


def _drop(pieces: Pieces, rng: np.random.Generator) -> Pieces:
    at = int(rng.integers(len(pieces)))
    return pieces[:at] + pieces[at + 1 :]


def _double(pieces: Pieces, rng: np.random.Generator) -> Pieces:
    one, at = int(rng.integers(len(pieces))), int(rng.integers(len(pieces) + 1))
    return pieces[:at] + [pieces[one]] * int(rng.integers(1, 4)) + pieces[at:]


def _swap(pieces: Pieces, rng: np.random.Generator) -> Pieces:
    out = list(pieces)
    a, b = rng.integers(len(pieces), size=2)
    out[a], out[b] = out[b], out[a]
    return out


def _in_one(change: Callable[[bytearray, np.random.Generator], bytearray]) -> Callable[..., Pieces]:
    def changed(pieces: Pieces, rng: np.random.Generator) -> Pieces:
        out = list(pieces)
        at = int(rng.integers(len(pieces)))
        if out[at]:
            out[at] = bytes(change(bytearray(out[at]), rng))
        return out

    return changed


def _flip(piece: bytearray, rng: np.random.Generator) -> bytearray:
    for at in rng.integers(len(piece), size=int(rng.integers(1, 9))):
        piece[at] ^= 1 << int(rng.integers(8))
    return piece


def _odd_number(piece: bytearray, rng: np.random.Generator) -> bytearray:
    """A number that programs forget, where a length, a size or a count may be: near the start."""
    size = int(rng.choice([1, 2, 4]))
    if len(piece) <= size:
        return piece
    at = int(rng.integers(min(len(piece) - size, 64)))
    value = int(rng.choice(_ODD)) & ((1 << 8 * size) - 1)
    piece[at : at + size] = value.to_bytes(size, "big" if rng.random() < 0.6 else "little")
    return piece


def _cut(piece: bytearray, rng: np.random.Generator) -> bytearray:
    a, b = sorted(int(at) for at in rng.integers(len(piece) + 1, size=2))
    return piece[:a] + piece[b:]


def _noise(piece: bytearray, rng: np.random.Generator) -> bytearray:
    at, size = int(rng.integers(len(piece))), int(rng.integers(1, 65))
    if rng.random() < 0.5:
        piece[at:at] = rng.bytes(size)
    else:
        piece[at : at + size] = rng.bytes(size)[: len(piece) - at]
    return piece


_CHANGES: tuple[Callable[[Pieces, np.random.Generator], Pieces], ...] = (
    _drop, _double, _swap, _in_one(_flip), _in_one(_odd_number), _in_one(_odd_number),
    _in_one(_cut), _in_one(_noise),
)  # fmt: skip


def _structure(
    data: bytes,
) -> tuple[Callable[[bytes], Pieces], Callable[[Pieces, bool], bytes]]:
    """How a file comes apart, and how it is put together; the flag asks for right checksums."""
    if data[:2] == b"\xff\xd8":
        return _jpeg_pieces, _plain_join
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_pieces, _png_join
    if data[:4] == b"RIFF":
        return _riff_pieces, _riff_join
    if data[4:8] == b"ftyp":
        return _box_pieces, _plain_join
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff_pieces, _plain_join
    return _even_pieces, _plain_join


def _plain_join(pieces: Pieces, _: bool) -> bytes:
    return b"".join(pieces)


def _jpeg_pieces(data: bytes) -> Pieces:
    """Start, segments with their markers, and from the scan on blocks of it."""
    pieces, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        pieces.append(data[at:end])
        at = end
    return pieces + _even_pieces(data[at:])


def _png_pieces(data: bytes) -> Pieces:
    """Signature, then chunks without length and checksum."""
    pieces, at = [data[:8]], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        pieces.append(data[at + 4 : at + 8 + size])
        at += 12 + size
    return pieces


def _png_join(pieces: Pieces, right: bool) -> bytes:
    out = [pieces[0]] if pieces else []
    for piece in pieces[1:]:
        checksum = zlib.crc32(piece) if right else 0
        out.append(struct.pack(">I", max(0, len(piece) - 4)) + piece + struct.pack(">I", checksum))
    return b"".join(out)


def _riff_pieces(data: bytes) -> Pieces:
    """The first twelve bytes, then chunks."""
    pieces, at = [data[:12]], 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        pieces.append(data[at : at + 8 + size + size % 2])
        at += 8 + size + size % 2
    return pieces


def _riff_join(pieces: Pieces, right: bool) -> bytes:
    out = b"".join(pieces)
    if right and len(out) >= 12:
        out = out[:4] + struct.pack("<I", len(out) - 8) + out[8:]
    return out


def _box_pieces(data: bytes) -> Pieces:
    """Boxes; those that hold others as their head and the boxes inside."""
    pieces, at = [], 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size < 8 or at + size > len(data):
            break
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"iprp", b"ipco", b"meta"):
            head = 12 if kind == b"meta" else 8
            pieces.append(data[at : at + head])
            pieces += _box_pieces(data[at + head : at + size])
        else:
            pieces.append(data[at : at + size])
        at += size
    return pieces + ([data[at:]] if at < len(data) else [])


def _tiff_pieces(data: bytes) -> Pieces:
    """The entries of the first directory one by one, and what lies before and behind them."""
    order: str = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack(order + "I", data[4:8])
    (count,) = struct.unpack(order + "H", data[start : start + 2])
    entries = [data[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    return [data[:start], data[start : start + 2], *entries, data[start + 2 + 12 * count :]]


def _even_pieces(data: bytes, count: int = 8) -> Pieces:
    """Blocks of the same size, of formats that are not known here."""
    size = max(1, -(-len(data) // count))
    return [data[at : at + size] for at in range(0, len(data), size)]
