"""What the user knows of the people in a picture: it overrules what is estimated.

Hints are told by whom they are of: the person's number in the report, a box around them in pixels
of the picture, or ``largest``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal, cast, get_args

from vitruvian.errors import InputError, quoted

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the picture
Who = int | Box | Literal["largest"]
Sex = Literal["man", "woman", "neutral"]
AgeGroup = Literal["child", "adult"]
# Which way a part of a limb points, from the trunk outwards: towards the camera or away from it.
Direction = Literal["towards", "away"]
SEXES: tuple[str, ...] = get_args(Sex)
AGE_GROUPS: tuple[str, ...] = get_args(AgeGroup)
DIRECTIONS: tuple[str, ...] = get_args(Direction)
LIMBS = tuple(
    f"{side} {part}"
    for part in ("upper arm", "forearm", "thigh", "lower leg")
    for side in ("left", "right")
)
LEAST_HEIGHT_CM, MOST_HEIGHT_CM = 40, 260
OLDEST = 120
LARGEST: Literal["largest"] = "largest"
MOST_BOXES = 100
_WRITTEN = {"height_cm": "height"}


@dataclass(frozen=True)
class Hint:
    """What is known of one person; None where nothing is.

    Raises ``InputError``, one sentence with the remedy, for a value that cannot be.

    Attributes:
        height_cm: stature in centimetres.
        sex: the body's build: a man's, a woman's, or neither.
        age: years, or only ``child`` (up to about twelve) or ``adult``.
        not_a_person: what was found there is none, and is left out.
        limbs: which way parts of arms and legs (``LIMBS``) point, ``towards`` the camera or
            ``away`` from it, as one goes from the trunk outwards.
    """

    height_cm: float | None = None
    sex: Sex | None = None
    age: float | AgeGroup | None = None
    not_a_person: bool = False
    limbs: Mapping[str, Direction] | None = None

    def __post_init__(self) -> None:
        if self.height_cm is not None and not _within(
            self.height_cm, LEAST_HEIGHT_CM, MOST_HEIGHT_CM
        ):
            raise _refused(
                f"A height of {_written(self.height_cm)} cm cannot be a person's; give "
                f"{LEAST_HEIGHT_CM} to {MOST_HEIGHT_CM}."
            )
        if self.sex is not None and self.sex not in SEXES:
            raise _refused(f"There is no sex {quoted(self.sex)}; choose {_listed(SEXES)}.")
        if self.age is not None and self.age not in AGE_GROUPS and not _within(self.age, 0, OLDEST):
            raise _refused(
                f"An age of {_written(self.age)} cannot be a person's; give 0 to {OLDEST} years, "
                f"{_listed(AGE_GROUPS)}."
            )

        if not isinstance(self.not_a_person, bool):
            raise _refused(f"not_a_person is true or false; got {quoted(self.not_a_person)}.")
        if not isinstance(self.limbs, Mapping | None):
            raise _refused(
                f'limbs go by their names, such as {{"left forearm": "towards"}}; got '
                f"{quoted(self.limbs)}."
            )
        for limb, direction in (self.limbs or {}).items():
            if limb not in LIMBS:
                raise _refused(f"There is no limb {quoted(limb)}; choose {_listed(LIMBS)}.")
            if direction not in DIRECTIONS:
                raise _refused(
                    f"The {limb} cannot point {quoted(direction)}; choose {_listed(DIRECTIONS)}."
                )

    def plain(self) -> dict[str, Any]:
        """What is known as plain values, for JSON."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None and value is not False
        }


def checked_hints(given: Mapping[Any, Any] | None) -> dict[Who, Hint] | None:
    """Hints by whom they are of; keys may be text and hints plain mappings.

    What JSON holds, ``{"people": ..., "boxes": ...}``, is understood, too.

    Raises:
        InputError: a number, a box or a hint cannot be.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise _refused(f"Hints go by the person's number, such as 1; got {quoted(given)}.")
    if given and set(given) <= {"people", "boxes"}:
        return _document(given)
    return _few({_who(key): _hint(value) for key, value in given.items()})


def read_hints(text: str | bytes, name: str) -> dict[Who, Hint]:
    """Hints from JSON, by number and by box.

    >>> read_hints('{"people": {"2": {"sex": "woman"}}, "boxes": [{"box": [10, 20, 90, 300]}]}', "")
    {2: Hint(..., sex='woman', ...), (10.0, 20.0, 90.0, 300.0): Hint(...)}

    Args:
        text: the JSON.
        name: what sentences call it.

    Raises:
        InputError: it cannot be read, or a hint cannot be.
    """
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(
            f"{name} is not JSON: write it as the page on the command line shows."
        ) from error
    if not isinstance(read, dict) or not read or not set(read) <= {"people", "boxes"}:
        raise _refused(
            f'{name} must have "people", with hints by the person\'s number, or "boxes", with '
            "hints by a box, or both."
        )
    return _document(read)


def plain_hints(hints: Mapping[Who, Hint]) -> dict[str, Any]:
    """Hints as plain values, as ``read_hints`` reads them from JSON."""
    people = {str(who): hint.plain() for who, hint in hints.items() if not isinstance(who, tuple)}
    boxes = [
        {"box": list(who), **hint.plain()} for who, hint in hints.items() if isinstance(who, tuple)
    ]
    return {"people": people} | ({"boxes": boxes} if boxes else {})


def write_hints(hints: Mapping[Who, Hint]) -> str:
    """Hints as ``read_hints`` reads them."""
    return json.dumps(plain_hints(hints))


def read_hints_file(path: Path) -> dict[Who, Hint]:
    """``read_hints`` of a file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _refused(f"The hints {path} cannot be read: give a JSON file.") from error
    return read_hints(text, str(path))


def parse_hints(
    heights: Iterable[str] = (),
    sexes: Iterable[str] = (),
    ages: Iterable[str] = (),
    added: Iterable[str] = (),
    not_people: Iterable[str] = (),
) -> dict[Who, Hint]:
    """Hints from a command line.

    Args:
        heights, sexes, ages: ``VALUE`` of the largest person, or ``NUMBER:VALUE``.
        added: boxes ``X0,Y0,X1,Y1`` of people who were missed.
        not_people: numbers or boxes of what is no person.

    Raises:
        InputError: one cannot be read, or a person has two of a kind.
    """
    hints: dict[Who, Hint] = {}
    for kind, texts in (("height_cm", heights), ("sex", sexes), ("age", ages)):
        for text in texts:
            who, value = _split(text)
            hint = hints.get(who, Hint())
            if getattr(hint, kind) is not None:
                whose = "The largest person" if who == LARGEST else f"Person {who}"
                what = _WRITTEN.get(kind, kind)
                raise _refused(f"{whose} has two values of {what}: give one.")
            hints[who] = _with(hint, kind, value)
    for text in added:
        hints[_box_of_text(text)] = Hint()
    for text in not_people:
        one = _box_of_text(text) if "," in text else _number(text.strip())
        hints[one] = replace(hints.get(one, Hint()), not_a_person=True)
    return _few(hints)


def merged(*parts: Mapping[Who, Hint] | None) -> dict[Who, Hint] | None:
    """Hints together; what later ones say counts. None where there are none."""
    out: dict[Who, Hint] = {}
    for part in parts:
        for who, hint in (part or {}).items():
            out[who] = together(out.get(who, Hint()), hint)
    return out or None


def together(*hints: Hint) -> Hint:
    """What several hints say of one person; what later ones say counts."""
    out = Hint()
    for hint in hints:
        limbs = {**(out.limbs or {}), **(hint.limbs or {})} or None
        out = replace(out, **hint.plain() | {"limbs": limbs})
    return out


def _document(read: Mapping[str, Any]) -> dict[Who, Hint]:
    people, boxes = read.get("people", {}), read.get("boxes", [])
    if not isinstance(people, Mapping):
        raise _refused(f"Hints go by the person's number, such as 1; got {quoted(people)}.")
    if not isinstance(boxes, list | tuple):
        raise _refused(f"Hints by box are a list; got {quoted(boxes)}.")
    hints: dict[Who, Hint] = {_who(key): _hint(value) for key, value in people.items()}
    for entry in boxes:
        if not isinstance(entry, Mapping) or "box" not in entry:
            raise _refused(f'A hint by box needs "box", [x0, y0, x1, y1]; got {quoted(entry)}.')
        known = {name: value for name, value in entry.items() if name != "box"}
        hints[_box(entry["box"])] = _hint(known)
    return _few(hints)


def _few(hints: dict[Who, Hint]) -> dict[Who, Hint]:
    """The hints, where there are not too many boxes, each of which costs a look at the picture."""
    count = sum(isinstance(who, tuple) for who in hints)
    if count > MOST_BOXES:
        raise _refused(f"Hints for {count} boxes are too many; give at most {MOST_BOXES}.")
    return hints


def _split(text: str) -> tuple[Who, str]:
    number, colon, value = text.partition(":")
    return (_number(number), value.strip()) if colon else (LARGEST, text.strip())


def _with(hint: Hint, kind: str, text: str) -> Hint:
    value: Any = text.lower()
    if kind != "sex" and value not in AGE_GROUPS:
        try:
            value = float(value)
        except ValueError:
            if kind == "height_cm":
                raise _refused(
                    f"A height is in centimetres, such as 172 or 2:172; got {quoted(text)}."
                ) from None
    return replace(hint, **{kind: value})


def _who(key: Any) -> Who:
    if isinstance(key, tuple | list):
        return _box(key)
    return LARGEST if key == LARGEST else _number(key)


def _number(key: Any) -> int:
    try:
        number = int(str(key))
    except ValueError:
        number = 0
    if number < 1:
        raise _refused(f"People are numbered from 1, left to right; got {quoted(str(key))}.")
    return number


def _box_of_text(text: str) -> Box:
    try:
        return _box([float(part) for part in text.split(",")])
    except ValueError:
        raise _refused(
            "A box is x0,y0,x1,y1 in pixels of the picture, such as 120,80,340,700; got "
            f"{quoted(text)}."
        ) from None


def _box(value: Any) -> Box:
    """A box in pixels; where it lies is settled when the picture is there."""
    numbers = isinstance(value, list | tuple) and len(value) == 4
    if not numbers or not all(_within(one, -1e6, 1e6) for one in value):
        raise _refused(f"A box is four numbers, x0, y0, x1, y1 in pixels; got {quoted(value)}.")
    x0, y0, x1, y1 = (float(one) for one in value)
    if not (x0 < x1 and y0 < y1):
        raise _refused(
            f"A box goes from its left top to its right bottom; got {quoted(list(value))}."
        )
    return x0, y0, x1, y1


def _hint(value: Any) -> Hint:
    if isinstance(value, Hint):
        return value
    known = {field.name for field in fields(Hint)}
    if not isinstance(value, Mapping) or not set(value) <= known:
        raise _refused(f"A hint may have {_listed(sorted(known))}; got {quoted(value)}.")
    return Hint(**cast("dict[str, Any]", dict(value)))


def _within(value: Any, least: float, most: float) -> bool:
    """Whether a value is a number of that range; the largest whole numbers are no floats."""
    number: Any = value
    return isinstance(value, Real) and not isinstance(value, bool) and least <= number <= most


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else quoted(value)


def _listed(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} or {last}"


def _refused(sentence: str) -> InputError:
    return InputError(sentence, code="bad-option")
