"""What kernels take: signatures read, arguments packed, everything else refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from vitruvian.compute.signature import Argument, parse_signature

SIGNATURE = parse_signature(
    "int64(float32[:,::1],uint8[::1],float32[:,:],Array(float64,2,'C',readonly=True),i4,float32,boolean)"
)


def arguments() -> list:
    return [
        np.zeros((2, 3), np.float32),
        np.zeros(4, np.uint8),
        np.zeros((5, 8), np.float32)[::2, 1:7:3],
        np.zeros((1, 2)),
        7,
        2.5,
        True,
    ]


def test_a_signature_says_what_is_taken_and_returned() -> None:
    assert SIGNATURE.arguments == (
        Argument(np.dtype("float32"), 2),
        Argument(np.dtype("uint8"), 1),
        Argument(np.dtype("float32"), 2, contiguous=False),
        Argument(np.dtype("float64"), 2, writable=False),
        Argument(np.dtype("int32")),
        Argument(np.dtype("float32")),
        Argument(np.dtype("bool")),
    )
    assert SIGNATURE.results == (np.dtype("int64"),)
    assert parse_signature("void()").results == ()
    pair = parse_signature("Tuple((int64,float32))(f8[::1])")
    assert (pair.results, pair.in_tuple) == ((np.dtype("int64"), np.dtype("float32")), True)
    assert parse_signature("UniTuple(int64, 2)(int64)").results == (np.dtype("int64"),) * 2


@pytest.mark.parametrize(
    "text",
    ["float64", "int64[::1](int64)", "void(complex128)", "void(int64,)x", "void(float32[::2])"],
)
def test_other_signatures_are_errors(text: str) -> None:
    with pytest.raises(ValueError, match=r"signature|type of a number"):
        parse_signature(text)


def test_arguments_lie_in_slots_of_eight_bytes() -> None:
    given = arguments()
    a, b, c, d = given[:4]
    assert struct.unpack("=Q2q Qq Q4q Q2q q d q", SIGNATURE.pack(tuple(given))) == (
        *(a.ctypes.data, 2, 3),
        *(b.ctypes.data, 4),
        *(c.ctypes.data, 3, 2, 64, 12),
        *(d.ctypes.data, 1, 2),
        *(7, 2.5, 1),
    )
    given[3].flags.writeable = False
    given[1] = np.zeros(0, np.uint8)
    given[4:] = np.int16(-3), np.float32(0.1), np.bool_(False)
    assert struct.unpack("=q d q", SIGNATURE.pack(tuple(given))[-24:]) == (-3, np.float32(0.1), 0)


def misaligned() -> np.ndarray:
    return np.frombuffer(bytearray(25), np.float32, 6, offset=1).reshape(2, 3)


def read_only() -> np.ndarray:
    array = np.zeros((2, 3), np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, np.zeros((2, 3))),
        (0, np.zeros((2, 3), ">f4")),
        (0, np.zeros(6, np.float32)),
        (0, np.zeros((3, 2), np.float32).T),
        (0, np.zeros((4, 3), np.float32)[::2]),
        (0, misaligned()),
        (0, read_only()),
        (0, [[1.0, 2.0, 3.0]]),
        (0, None),
        (1, np.zeros(4, bool)),
        (2, read_only()),
        (3, np.zeros((2, 2)).T),
        (4, 1.0),
        (4, 2**64),
        (5, "1"),
        (6, 1),
    ],
)
def test_what_is_of_another_type_is_refused(at: int, value: object) -> None:
    given = arguments()
    given[at] = value
    with pytest.raises(TypeError, match=rf"^Argument {at + 1} is .* instead of |does not fit"):
        SIGNATURE.pack(tuple(given))


def test_the_number_of_arguments_counts() -> None:
    with pytest.raises(TypeError, match="There are 1 arguments instead of 7"):
        SIGNATURE.pack((1,))
