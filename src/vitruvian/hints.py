"""What the user knows of the people in a picture: it overrules what is estimated.

People are numbered as in the report: from 1, the largest in the picture first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal, cast, get_args

from vitruvian.errors import InputError

Sex = Literal["man", "woman", "neutral"]
AgeGroup = Literal["child", "adult"]
SEXES: tuple[str, ...] = get_args(Sex)
AGE_GROUPS: tuple[str, ...] = get_args(AgeGroup)
LEAST_HEIGHT_CM, MOST_HEIGHT_CM = 40, 260
OLDEST = 120


@dataclass(frozen=True)
class Hint:
    """What is known of one person; None where nothing is.

    Raises ``InputError``, one sentence with the remedy, for a value that cannot be.

    Attributes:
        height_cm: stature in centimetres.
        sex: the body's build: a man's, a woman's, or neither.
        age: years, or only ``child`` (up to about twelve) or ``adult``.
    """

    height_cm: float | None = None
    sex: Sex | None = None
    age: float | AgeGroup | None = None

    def __post_init__(self) -> None:
        if self.height_cm is not None and not _within(
            self.height_cm, LEAST_HEIGHT_CM, MOST_HEIGHT_CM
        ):
            raise _refused(
                f"A height of {_written(self.height_cm)} cm cannot be a person's; give "
                f"{LEAST_HEIGHT_CM} to {MOST_HEIGHT_CM}."
            )
        if self.sex is not None and self.sex not in SEXES:
            raise _refused(f"There is no sex {self.sex!r}; choose {_listed(SEXES)}.")
        if self.age is not None and self.age not in AGE_GROUPS and not _within(self.age, 0, OLDEST):
            raise _refused(
                f"An age of {_written(self.age)} cannot be a person's; give 0 to {OLDEST} years, "
                f"{_listed(AGE_GROUPS)}."
            )

    def plain(self) -> dict[str, Any]:
        """What is known as plain values, for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def checked_hints(given: Mapping[Any, Any] | None) -> dict[int, Hint] | None:
    """Hints by the person's number, of which keys may be text and hints plain mappings.

    Raises:
        InputError: a number or a hint cannot be.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise _refused(f"Hints go by the person's number, such as 1; got {given!r}.")
    return {_number(key): _hint(value) for key, value in given.items()}


def read_hints(text: str | bytes, name: str) -> dict[int, Hint]:
    """Hints from JSON: ``{"people": {"2": {"height_cm": 165, "sex": "woman", "age": 30}}}``.

    Args:
        text: the JSON.
        name: what sentences call it.

    Raises:
        InputError: it cannot be read, or a hint cannot be.
    """
    try:
        read = json.loads(text)
    except ValueError as error:
        raise _refused(
            f"{name} is not JSON: write it as the page on the command line shows."
        ) from error
    if not isinstance(read, dict) or set(read) != {"people"}:
        raise _refused(f'{name} must have one entry, "people", with hints by the person\'s number.')
    return checked_hints(read["people"]) or {}


def write_hints(hints: Mapping[int, Hint]) -> str:
    """Hints as ``read_hints`` reads them."""
    return json.dumps({"people": {str(number): hint.plain() for number, hint in hints.items()}})


def read_hints_file(path: Path) -> dict[int, Hint]:
    """``read_hints`` of a file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _refused(f"The hints {path} cannot be read: give a JSON file.") from error
    return read_hints(text, str(path))


def parse_hints(
    heights: Iterable[str] = (), sexes: Iterable[str] = (), ages: Iterable[str] = ()
) -> dict[int, Hint]:
    """Hints from a command line: ``VALUE`` of the largest person, or ``NUMBER:VALUE``.

    Raises:
        InputError: one cannot be read, or a person has two of a kind.
    """
    hints: dict[int, Hint] = {}
    for kind, texts in (("height_cm", heights), ("sex", sexes), ("age", ages)):
        for text in texts:
            number, value = _split(text)
            hint = hints.get(number, Hint())
            if getattr(hint, kind) is not None:
                what = {"height_cm": "height"}.get(kind, kind)
                raise _refused(f"Person {number} has two values of {what}: give one.")
            hints[number] = _with(hint, kind, value)
    return hints


def merged(*parts: Mapping[int, Hint] | None) -> dict[int, Hint] | None:
    """Hints together; what later ones say counts. None where there are none."""
    out: dict[int, Hint] = {}
    for part in parts:
        for number, hint in (part or {}).items():
            out[number] = replace(out.get(number, Hint()), **hint.plain())
    return out or None


def _split(text: str) -> tuple[int, str]:
    number, colon, value = text.partition(":")
    return (_number(number), value.strip()) if colon else (1, text.strip())


def _with(hint: Hint, kind: str, text: str) -> Hint:
    value: Any = text.lower()
    if kind != "sex" and value not in AGE_GROUPS:
        try:
            value = float(value)
        except ValueError:
            if kind == "height_cm":
                raise _refused(
                    f"A height is in centimetres, such as 172 or 2:172; got {text!r}."
                ) from None
    return replace(hint, **{kind: value})


def _number(key: Any) -> int:
    try:
        number = int(str(key))
    except ValueError:
        number = 0
    if number < 1:
        raise _refused(f"People are numbered from 1, the largest first; got {str(key)!r}.")
    return number


def _hint(value: Any) -> Hint:
    if isinstance(value, Hint):
        return value
    known = {field.name for field in fields(Hint)}
    if not isinstance(value, Mapping) or not set(value) <= known:
        raise _refused(f"A hint may have {_listed(sorted(known))}; got {value!r}.")
    return Hint(**cast("dict[str, Any]", dict(value)))


def _within(value: Any, least: float, most: float) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and math.isfinite(value) and least <= float(value) <= most


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, Real) else repr(value)


def _listed(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} or {last}"


def _refused(sentence: str) -> InputError:
    return InputError(sentence, code="bad-option")
