"""What the user knows of people: checks, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vitruvian.errors import InputError
from vitruvian.hints import (
    LARGEST,
    MOST_BOXES,
    Hint,
    Who,
    checked_hints,
    merged,
    parse_hints,
    read_hints,
    read_hints_file,
    write_hints,
)
from vitruvian.options import Options

SHORTENED = f'A hint by box needs "box", [x0, y0, x1, y1]; got {"7" * 79}….'
NEITHER = (
    'h must have "people", with hints by the person\'s number, or "boxes", with hints by a box, or '
    "both."
)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"height_cm": 20}, "A height of 20 cm cannot be a person's; give 40 to 260."),
        ({"height_cm": float("nan")}, "A height of nan cm cannot be a person's; give 40 to 260."),
        (
            {"height_cm": 10**400},
            f"A height of 1{'0' * 78}… cm cannot be a person's; give 40 to 260.",
        ),
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
        (
            {"limbs": {"left forearm": "forward"}},
            "The left forearm cannot point 'forward'; choose towards or away.",
        ),
        (
            {"limbs": {"left arm": "away"}},
            "There is no limb 'left arm'; choose left upper arm, right upper arm, left forearm, "
            "right forearm, left thigh, right thigh, left lower leg or right lower leg.",
        ),
        (
            {"limbs": ["left forearm"]},
            'limbs go by their names, such as {"left forearm": "towards"}; got [\'left forearm\'].',
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Hint(**given)
    assert (str(caught.value), caught.value.code) == (sentence, "bad-option")


def test_a_value_alone_is_of_the_largest_person() -> None:
    assert parse_hints(["172"], ["woman"], ["30"]) == {LARGEST: Hint(172.0, "woman", 30.0)}
    assert parse_hints(["2:95"], ["1:man", "3: neutral"], ["2:child"]) == {
        1: Hint(sex="man"),
        2: Hint(95.0, age="child"),
        3: Hint(sex="neutral"),
    }
    assert parse_hints() == {}
    assert parse_hints(added=["1,2,30,40.5"], not_people=["2", "5, 6, 7, 8"]) == {
        (1, 2, 30, 40.5): Hint(),
        2: Hint(not_a_person=True),
        (5, 6, 7, 8): Hint(not_a_person=True),
    }


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        (
            "1,2,x,4",
            "A box is x0,y0,x1,y1 in pixels of the picture, such as 120,80,340,700; got '1,2,x,4'.",
        ),
        ("1,2,3", "A box is four numbers, x0, y0, x1, y1 in pixels; got [1.0, 2.0, 3.0]."),
        (
            "1,2,nan,4",
            "A box is four numbers, x0, y0, x1, y1 in pixels; got [1.0, 2.0, nan, 4.0].",
        ),
        (
            "9,2,3,4",
            "A box goes from its left top to its right bottom; got [9.0, 2.0, 3.0, 4.0].",
        ),
    ],
)
def test_what_is_no_box(box: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_hints(added=[box])
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("heights", "sentence"),
    [
        (["0:172"], "People are numbered from 1, left to right; got '0'."),
        (["anna:172"], "People are numbered from 1, left to right; got 'anna'."),
        (["2:"], "A height is in centimetres, such as 172 or 2:172; got ''."),
        (["172", "180"], "The largest person has two values of height: give one."),
        (["2:172", "2:180"], "Person 2 has two values of height: give one."),
    ],
)
def test_what_a_command_line_cannot_mean(heights: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_hints(heights)
    assert str(caught.value) == sentence


def test_json_there_and_back(tmp_path: Path) -> None:
    hints: dict[Who, Hint] = {
        1: Hint(180.0),
        3: Hint(95.0, "woman", "child"),
        LARGEST: Hint(age=0),
        (1.0, 2.0, 30.0, 40.5): Hint(),
        (5.0, 6.0, 7.0, 8.0): Hint(not_a_person=True),
    }
    file = tmp_path / "hints.json"
    file.write_text(write_hints(hints))
    assert read_hints_file(file) == hints


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "h is not JSON: write it as the page on the command line shows."),
        ("[" * 100_000, "h is not JSON: write it as the page on the command line shows."),
        ("[]", NEITHER),
        ('{"1": {}}', NEITHER),
        ("{}", NEITHER),
        ('{"boxes": {}}', "Hints by box are a list; got {}."),
        ('{"boxes": [3]}', 'A hint by box needs "box", [x0, y0, x1, y1]; got 3.'),
        (
            '{"boxes": [{"box": [1, 2, 3]}]}',
            "A box is four numbers, x0, y0, x1, y1 in pixels; got [1, 2, 3].",
        ),
        (
            '{"people": {"1": {"not_a_person": 1}}}',
            "not_a_person is true or false; got 1.",
        ),
        ('{"boxes": [' + "7" * 200 + "]}", SHORTENED),
        ('{"people": []}', "Hints go by the person's number, such as 1; got []."),
        ('{"people": {"x": {}}}', "People are numbered from 1, left to right; got 'x'."),
        (
            '{"people": {"1": {"size": 3}}}',
            "A hint may have age, height_cm, limbs, not_a_person or sex; got {'size': 3}.",
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


def test_boxes_are_few() -> None:
    boxes = {(0.0, 0.0, 1.0 + n, 1.0): Hint() for n in range(MOST_BOXES + 1)}
    with pytest.raises(InputError, match="Hints for 101 boxes are too many; give at most 100"):
        checked_hints(boxes)


def test_options_take_plain_hints_and_keep_the_height_of_the_largest() -> None:
    options = Options(height_cm=172, hints={"2": {"height_cm": 95, "age": "child"}})  # type: ignore[dict-item]
    assert options.hints == {2: Hint(95, age="child")}
    assert options.all_hints() == {LARGEST: Hint(172), 2: Hint(95, age="child")}
    hints = {"people": {"largest": {"height_cm": 180}}, "boxes": [{"box": [1, 2, 3, 4], "age": 8}]}
    options = Options(height_cm=172, hints=hints)  # type: ignore[arg-type]
    assert options.all_hints() == {LARGEST: Hint(180), (1, 2, 3, 4): Hint(age=8)}
    assert Options().all_hints() == {}
    assert checked_hints(None) is None


def test_limbs_are_said_one_by_one() -> None:
    said = {1: Hint(limbs={"left forearm": "away", "left thigh": "away"})}
    more = {1: Hint(age=30, limbs={"left forearm": "towards"})}
    both = merged(said, more)
    assert both == {1: Hint(age=30, limbs={"left forearm": "towards", "left thigh": "away"})}
    assert both is not None
    assert read_hints(write_hints(both), "h") == both
    assert merged(said, {1: Hint(age=30)}) == {1: Hint(age=30, limbs=said[1].limbs)}
