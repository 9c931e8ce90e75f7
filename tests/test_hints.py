"""What the user knows of people: checks, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vitruvian.errors import InputError
from vitruvian.hints import (
    Hint,
    checked_hints,
    merged,
    parse_hints,
    read_hints,
    read_hints_file,
    write_hints,
)
from vitruvian.options import Options


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"height_cm": 20}, "A height of 20 cm cannot be a person's; give 40 to 260."),
        ({"height_cm": float("nan")}, "A height of nan cm cannot be a person's; give 40 to 260."),
        ({"height_cm": "tall"}, "A height of 'tall' cm cannot be a person's; give 40 to 260."),
        ({"sex": "male"}, "There is no sex 'male'; choose man, woman or neutral."),
        (
            {"age": -1},
            "An age of -1 cannot be a person's; give 0 to 120 years, child or adult.",
        ),
        (
            {"age": "old"},
            "An age of 'old' cannot be a person's; give 0 to 120 years, child or adult.",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Hint(**given)
    assert (str(caught.value), caught.value.code) == (sentence, "bad-option")


def test_a_value_alone_is_of_the_largest_person() -> None:
    assert parse_hints(["172"], ["woman"], ["30"]) == {1: Hint(172.0, "woman", 30.0)}
    assert parse_hints(["2:95"], ["1:man", "3: neutral"], ["2:child"]) == {
        1: Hint(sex="man"),
        2: Hint(95.0, age="child"),
        3: Hint(sex="neutral"),
    }
    assert parse_hints() == {}


@pytest.mark.parametrize(
    ("heights", "sentence"),
    [
        (["0:172"], "People are numbered from 1, the largest first; got '0'."),
        (["anna:172"], "People are numbered from 1, the largest first; got 'anna'."),
        (["2:"], "A height is in centimetres, such as 172 or 2:172; got ''."),
        (["172", "1:180"], "Person 1 has two values of height: give one."),
    ],
)
def test_what_a_command_line_cannot_mean(heights: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_hints(heights)
    assert str(caught.value) == sentence


def test_json_there_and_back(tmp_path: Path) -> None:
    hints = {1: Hint(180.0), 3: Hint(95.0, "woman", "child")}
    file = tmp_path / "hints.json"
    file.write_text(write_hints(hints))
    assert read_hints_file(file) == hints


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "h is not JSON: write it as the page on the command line shows."),
        ("[]", 'h must have one entry, "people", with hints by the person\'s number.'),
        ('{"1": {}}', 'h must have one entry, "people", with hints by the person\'s number.'),
        ('{"people": []}', "Hints go by the person's number, such as 1; got []."),
        ('{"people": {"x": {}}}', "People are numbered from 1, the largest first; got 'x'."),
        (
            '{"people": {"1": {"size": 3}}}',
            "A hint may have age, height_cm or sex; got {'size': 3}.",
        ),
    ],
)
def test_json_that_is_no_hints(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read_hints(text, "h")
    assert str(caught.value) == sentence


def test_later_hints_count() -> None:
    first, later = {1: Hint(180, "man")}, {1: Hint(sex="woman"), 2: Hint(age=3)}
    assert merged(first, None, later) == {1: Hint(180, "woman"), 2: Hint(age=3)}
    assert merged(None, {}) is None


def test_options_take_plain_hints_and_keep_the_height_of_the_largest() -> None:
    options = Options(height_cm=172, hints={"2": {"height_cm": 95, "age": "child"}})  # type: ignore[dict-item]
    assert options.hints == {2: Hint(95, age="child")}
    assert options.hint(1) == Hint(172)
    assert options.hint(2) == Hint(95, age="child")
    assert options.hint(3) == Hint()
    assert Options(height_cm=172, hints={1: Hint(180)}).hint(1) == Hint(180)
    assert checked_hints(None) is None
