"""JPEG files that end before their end marker."""

from __future__ import annotations

import numpy as np

END = b"\xff\xd9"

_START_OF_SCAN, _RESTARTS, _STUFFED, _FILL = 0xDA, range(0xD0, 0xD8), 0x00, 0xFF
# A decoder leaves what it gets no data for at the middle of the range.
_UNREAD = 128
# More missing than this share of the rows, and it is no photograph of people any more.
MOST_MISSING = 0.1


def has_all_scans(data: bytes) -> bool:
    """Whether a JPEG that is cut short at least began the last pass over the whole brightness.

    Progressive files paint the picture in passes: cut in an early one, all of it stays a blur. A
    baseline file has one pass. False also for what is no JPEG.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _FILL:  # any number of them may stand before a marker
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN and at + 2 + length <= len(data):
            components = data[at + 4]
            first = data[at + 5]
            last, approximation = data[at + 2 + length - 2], data[at + 2 + length - 1]
            brightness = components > 1 or first in (0, 1)
            if brightness and last == 63 and approximation & 15 == 0:
                return True
            at = _end_of_scan(data, at + 2 + length)
        else:
            at += 2 + length
    return False


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker is that is no part of the coded data."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != _STUFFED and data[at + 1] not in _RESTARTS:
            return at
        at += 2


def rows_missing(pixels: np.ndarray) -> int:
    """How many of the last rows of (H, W) or (H, W, C) uint8 pixels no data was left for."""
    unread = (pixels.reshape(len(pixels), -1) == _UNREAD).all(axis=1)
    return len(pixels) if unread.all() else int(np.argmin(unread[::-1]))
