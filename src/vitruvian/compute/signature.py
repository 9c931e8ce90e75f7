"""What kernels take and return, read from their signatures without loading numba.

Machine code takes its arguments as slots of eight bytes: an array is its address, its shape and,
unless it must be contiguous, its strides; a number is itself.
"""

from __future__ import annotations

import re
import struct
from ctypes import addressof, c_char
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

_SIGNATURE = re.compile(r"(Tuple\(\(.*?\)\)|UniTuple\(.*?\)|[^(]+)\((.*)\)")
_NUMBER = re.compile(r"boolean|(u?int|float)(8|16|32|64)|[iuf][1248]")
_ARGUMENT = re.compile(r"(?P<type>[a-z]+\d*)(?:\[(?P<axes>[:,]*:)(?P<contiguous>1)?\])?(?:,|$)")
_READ_ONLY = re.compile(r"Array\((?P<type>[a-z]+\d*),(?P<axes>\d),'C',readonly=True\)(?:,|$)")
_TUPLE = re.compile(r"Tuple\(\((?P<types>[a-z\d,]+)\)\)|UniTuple\((?P<type>\w+),(?P<count>\d+)\)")

_KINDS: dict[str, tuple[type, ...]] = {
    "b": (bool, np.bool_),
    "i": (int, np.integer),
    "u": (int, np.integer),
    "f": (float, int, np.floating, np.integer),
}
_Start: Any = c_char * 0  # of a buffer, however short


@dataclass(frozen=True)
class Argument:
    """What a kernel takes in one place.

    Attributes:
        dtype: of the number, or of the array's elements.
        axes: of the array; 0 for a number.
        contiguous: whether the array must be, in C order.
        writable: whether the array must be.
    """

    dtype: np.dtype[Any]
    axes: int = 0
    contiguous: bool = True
    writable: bool = True

    @property
    def slots(self) -> str:
        """How ``struct`` packs it."""
        if self.axes:
            return "Q" + "q" * self.axes * (1 if self.contiguous else 2)
        return {"f": "d", "u": "Q"}.get(self.dtype.kind, "q")

    def put(self, value: Any, slots: list[Any]) -> bool:
        """Append what goes into the slots; False, where ``value`` is not what the kernel takes."""
        if not self.axes:
            slots.append(bool(value) if self.dtype.kind == "b" else value)
            return isinstance(value, _KINDS[self.dtype.kind])
        if not (
            isinstance(value, np.ndarray) and value.dtype == self.dtype and value.ndim == self.axes
        ):
            return False
        flags = value.flags
        slots.append(
            addressof(_Start.from_buffer(value))  # a third of the time of the other
            if flags.carray
            else value.ctypes.data
        )
        slots += value.shape
        if not self.contiguous:
            slots += value.strides
        if not flags.aligned:
            return False
        return (flags.writeable or not self.writable) and (
            flags.c_contiguous or not self.contiguous
        )

    def __str__(self) -> str:
        if not self.axes:
            return f"a number of type {self.dtype}"
        written = "writable, " if self.writable else ""
        order = "contiguous " if self.contiguous else ""
        return f"a {written}{order}{self.axes}-dimensional array of {self.dtype}"


@dataclass(frozen=True)
class Signature:
    """What a kernel takes and returns.

    Attributes:
        arguments: one for each.
        results: types of the numbers returned; none for None.
        in_tuple: whether they are returned as a tuple.
    """

    arguments: tuple[Argument, ...]
    results: tuple[np.dtype[Any], ...] = ()
    in_tuple: bool = False

    @cached_property
    def _pack(self) -> struct.Struct:
        return struct.Struct("=" + "".join(one.slots for one in self.arguments))

    @cached_property
    def result(self) -> struct.Struct:
        """How the results lie in their slots."""
        return struct.Struct("=" + "".join(Argument(one).slots for one in self.results))

    def pack(self, given: tuple[Any, ...]) -> bytes:
        """The slots of arguments, which hold addresses: the arrays must outlive their use.

        Raises:
            TypeError: an argument is not what the kernel takes.
        """
        slots: list[Any] = []
        wanted = self.arguments
        if len(given) != len(wanted):
            raise TypeError(f"There are {len(given)} arguments instead of {len(wanted)}.")
        for number, (argument, value) in enumerate(zip(wanted, given, strict=True), 1):
            if not argument.put(value, slots):
                raise TypeError(f"Argument {number} is {_described(value)} instead of {argument}.")
        try:
            return self._pack.pack(*slots)
        except struct.error as error:  # a number that is too large
            raise TypeError(f"An argument does not fit: {error}.") from None


def _described(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return f"{value!r}, of type {type(value).__name__},"
    right = "writable" if value.flags.writeable else "read-only"
    order = "contiguous " if value.flags.c_contiguous else ""
    return f"a {right}, {order}{value.ndim}-dimensional array of {value.dtype}"


def parse_signature(text: str) -> Signature:
    """Read a signature such as ``int64(float32[:,::1],boolean)``.

    Raises:
        ValueError: it is not of this form, or returns an array: a kernel fills arrays that it gets.
    """
    text = text.replace(" ", "")
    parts = _SIGNATURE.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text} is not a signature.")
    returned, taken = parts.groups()
    arguments = []
    at = 0
    while at < len(taken):
        if found := _ARGUMENT.match(taken, at):
            axes = found["axes"].count(",") + 1 if found["axes"] else 0
            contiguous = not axes or found["contiguous"] is not None
            arguments.append(Argument(_dtype(found["type"]), axes, contiguous))
        elif found := _READ_ONLY.match(taken, at):
            arguments.append(Argument(_dtype(found["type"]), int(found["axes"]), writable=False))
        else:
            raise ValueError(f"The signature {text} cannot be read from {taken[at:]} on.")
        at = found.end()
    several = _TUPLE.fullmatch(returned)
    if several is None:
        types = [] if returned == "void" else [returned]
    elif several["types"]:
        types = several["types"].split(",")
    else:
        types = [several["type"]] * int(several["count"])
    return Signature(tuple(arguments), tuple(map(_dtype, types)), several is not None)


def _dtype(name: str) -> np.dtype[Any]:
    if not _NUMBER.fullmatch(name):
        raise ValueError(f"{name} is not the type of a number.")
    return np.dtype("bool" if name == "boolean" else name)
