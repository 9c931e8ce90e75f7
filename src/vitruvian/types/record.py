"""What frozen data with arrays have in common: they compare by identity and print in one line."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class Record:
    """Base of the frozen dataclasses that hold arrays; declare them ``eq=False, repr=False``.

    Comparing arrays field by field has no one truth value, so two of them are equal when they are
    the same object, and they can be members of sets. ``repr`` says what is inside without the
    numbers: arrays by type and shape, other records by name.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        shown = (f"{field.name}={_shown(getattr(self, field.name))}" for field in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(shown)})"


def _shown(value: Any) -> str:
    if isinstance(value, Record):
        return f"<{type(value).__name__}>"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"<{value.dtype} {tuple(value.shape)}>"
    if isinstance(value, tuple) and any(isinstance(item, Record) for item in value):
        return f"<{len(value)} of {type(value[0]).__name__}>"
    return repr(value)
