"""The numbers of an OBJ file as text, quickly."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel


def float_lines(keyword: bytes, values: np.ndarray) -> bytes:
    """A line per row of ``values`` (N, C): the keyword and C numbers with six decimals.

    Raises ``ValueError`` for values that are not finite or too large for an integer of millionths.
    """
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e9:
        raise ValueError("OBJ needs finite coordinates below 1e9 m")
    micro = np.ascontiguousarray(np.round(values * 1e6).astype(np.int64))
    # A line holds the keyword, and per value a space, a sign, at most 10 + 6 digits and a point.
    out = np.empty(len(micro) * (len(keyword) + 1 + 19 * micro.shape[1]), np.uint8)
    size = _format_fixed(micro, np.array(list(keyword), np.uint8), out)
    return out[:size].tobytes()


def face_lines(corners: np.ndarray) -> bytes:
    """An ``f`` line per face of ``corners`` (F, 3, kinds), zero-based indices joined by slashes."""
    one_based = np.ascontiguousarray(corners.astype(np.int64) + 1)
    count, kinds = len(one_based), one_based.shape[2]
    out = np.empty(count * (2 + 3 * kinds * 12), np.uint8)
    size = _format_faces(one_based, out)
    return out[:size].tobytes()


# Python needs about 60 ms to format a body's 230,000 numbers; this needs 3.
@kernel("int64(uint8[::1],int64,int64,int64)")
def _put_digits(out: np.ndarray, at: int, value: int, least: int) -> int:
    """Write non-negative ``value`` in at least ``least`` digits at ``at``; returns the end."""
    digits = 1
    ceiling = 10
    while value >= ceiling:
        digits += 1
        ceiling *= 10
    digits = max(digits, least)
    for position in range(at + digits - 1, at - 1, -1):
        out[position] = 48 + value % 10
        value //= 10
    return at + digits


@kernel("int64(int64[:,::1],uint8[::1],uint8[::1])")
def _format_fixed(micro: np.ndarray, keyword: np.ndarray, out: np.ndarray) -> int:
    at = 0
    for row in range(micro.shape[0]):
        for letter in keyword:
            out[at] = letter
            at += 1
        for column in range(micro.shape[1]):
            value = micro[row, column]
            out[at] = 32  # space
            at += 1
            if value < 0:
                out[at] = 45  # minus
                at += 1
                value = -value
            at = _put_digits(out, at, value // 1000000, 1)
            out[at] = 46  # point
            at = _put_digits(out, at + 1, value % 1000000, 6)
        out[at] = 10  # newline
        at += 1
    return at


@kernel("int64(int64[:,:,::1],uint8[::1])")
def _format_faces(corners: np.ndarray, out: np.ndarray) -> int:
    at = 0
    for row in range(corners.shape[0]):
        out[at] = 102  # f
        at += 1
        for corner in range(3):
            for kind in range(corners.shape[2]):
                out[at] = 32 if kind == 0 else 47  # space, slash
                at = _put_digits(out, at + 1, corners[row, corner, kind], 1)
        out[at] = 10
        at += 1
    return at
