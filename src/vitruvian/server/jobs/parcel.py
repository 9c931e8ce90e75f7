"""Several files of one upload as one: whatever holds for uploads then holds for all of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_LENGTH = struct.Struct(">Q")


def pack(files: Sequence[bytes]) -> bytes:
    """The files one behind the other, each after its length in 8 bytes, big-endian."""
    return b"".join(_LENGTH.pack(len(file)) + file for file in files)


def unpack(parcel: bytes) -> list[bytes]:
    """The files of ``pack``.

    Raises:
        ValueError: it is none of its parcels.
    """
    files, start = [], 0
    while start < len(parcel):
        if start + _LENGTH.size > len(parcel):
            raise ValueError("a parcel ends in a length")
        (length,) = _LENGTH.unpack_from(parcel, start)
        start += _LENGTH.size
        files.append(parcel[start : start + length])
        start += length
    if start != len(parcel):
        raise ValueError("a parcel ends in a file")
    return files
