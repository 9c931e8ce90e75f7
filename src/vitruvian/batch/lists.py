"""Lists of inputs: lines of text, or a table with what is known of each person."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vitruvian.anthropometry.subject import Subject, parse_height, parse_weight
from vitruvian.batch.orders import Task
from vitruvian.batch.places import is_address
from vitruvian.errors import InputError, VitruvianError, quoted
from vitruvian.hints import Hint
from vitruvian.image.names import expanded

LIST_SUFFIXES = (".txt", ".csv")
_COLUMNS = ("input", "front", "side", "height", "weight", "sex", "age", "clothes")


def read_list(text: str, place: str, kind_of: Callable[[str], str]) -> Iterator[Task]:
    """The inputs of a list, without their stamps.

    A ``.csv`` has a line of names first: ``input`` for photographs and videos, ``front``, ``side``
    and ``height`` for pairs to measure; beside them ``height``, ``weight``, ``sex`` and ``age``
    where they are known, and of pairs ``clothes``. Anything else has one path or address on each
    line; lines that begin with ``#`` do not count.

    Args:
        text: the list.
        place: where it is, ``-`` for standard input. Paths are relative to its folder.
        kind_of: ``photo`` or ``video`` for a path.

    A line that cannot be understood becomes an input that fails.

    Raises:
        InputError: a table does not say what its columns are.
    """
    if place.lower().endswith(".csv"):
        yield from _table(text, place, kind_of)
        return
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            source = _beside(line.strip(), place)
            yield Task("video" if kind_of(source) == "video" else "photo", (source,))


def _table(text: str, place: str, kind_of: Callable[[str], str]) -> Iterator[Task]:
    try:
        yield from _rows(text, place, kind_of)
    except csv.Error as error:
        raise InputError(
            f"The list {place} is no table that can be read ({error}): write it as CSV, a line an "
            "input."
        ) from error


def _rows(text: str, place: str, kind_of: Callable[[str], str]) -> Iterator[Task]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown or not ("input" in names or {"front", "side", "height"} <= set(names)):
        but = f", but not {quoted(unknown[0])}" if unknown else ""
        raise InputError(
            f"The first line of {place} must name its columns: input, or front, side and height; "
            f"besides weight, sex, age and clothes{but}."
        )
    for row in reader:
        given = {name: (row.get(name) or "").strip() for name in names}
        try:
            yield _row(given, place, kind_of)
        except InputError as error:
            yield refused(f"{place}, line {reader.line_num}", error)


def refused(place: str, error: VitruvianError) -> Task:
    """An input that is known to fail, which must not stop the others."""
    return Task("photo", (place,), {"refused": [error.code, f"{place}: {error}"]})


def _row(given: dict[str, str], place: str, kind_of: Callable[[str], str]) -> Task:
    known: dict[str, Any] = {}
    if given.get("height"):
        known["height_cm"] = parse_height(given["height"])
    if given.get("weight"):
        known["weight_kg"] = parse_weight(given["weight"])
    if given.get("sex"):
        known["sex"] = given["sex"].lower()
    if given.get("age"):
        known["age"] = _age(given["age"])
    Hint(**{name: value for name, value in known.items() if name != "weight_kg"})  # checks them
    if given.get("front") or given.get("side"):
        if not (given.get("front") and given.get("side") and given.get("height")):
            raise InputError(
                "A pair to measure has front, side and height; fill in what is missing."
            )
        if given.get("clothes"):
            known["clothes"] = given["clothes"].lower()
        if isinstance(known.get("age"), str):
            raise InputError(f"A pair's age is a number of years, not {known['age']!r}.")
        Subject(**known)  # checks them
        both = _beside(given["front"], place), _beside(given["side"], place)
        return Task("pair", both, known)
    if not given.get("input"):
        raise InputError("The line has no input; fill it in.")
    source = _beside(given["input"], place)
    return Task("video" if kind_of(source) == "video" else "photo", (source,), known)


def _age(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.lower()


def _beside(source: str, place: str) -> str:
    """A source of a list, where relative paths are beside the list."""
    if is_address(source):
        return source
    if is_address(place):
        return f"{place.rpartition('/')[0]}/{source}"
    path = expanded(source)
    folder = Path() if place == "-" else Path(place).parent
    return str((folder / path).absolute())
