"""What people tell of themselves, in their own units."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.anthropometry.subject import Subject, parse_height, parse_weight
from vitruvian.errors import InputError


@pytest.mark.parametrize(
    ("text", "cm"),
    [
        ("172", 172),
        ("172cm", 172),
        ("1,72 m", 172),
        ("5'8\"", 172.72),
        ("5' 8", 172.72),
        ("5ft 8in", 172.72),
        ("6 feet", 182.88),
        ("68in", 172.72),
    ],
)
def test_heights(text, cm):
    assert parse_height(text) == pytest.approx(cm)


@pytest.mark.parametrize(
    ("text", "kg"),
    [("68", 68), ("68.5 kg", 68.5), ("150lb", 68.0389), ("150 lbs", 68.0389), ("10st 10lb", 68.04)],
)
def test_weights(text, kg):
    assert parse_weight(text) == pytest.approx(kg, abs=0.01)


@pytest.mark.parametrize("text", ["", "tall", "1m72", "5-8", "'"])
def test_what_is_no_height_is_refused(text):
    with pytest.raises(InputError, match=r"is no height; give centimetres"):
        parse_height(text)


@pytest.mark.parametrize("text", ["", "heavy", "10st of it"])
def test_what_is_no_weight_is_refused(text):
    with pytest.raises(InputError, match="is no weight; give kilograms"):
        parse_weight(text)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"height_cm": 17.2}, "A height of 17.2 cm cannot be measured"),
        ({"height_cm": 1720}, "A height of 1720 cm cannot be measured"),
        ({"height_cm": float("nan")}, "cannot be measured"),
        ({"height_cm": 10**400}, "cannot be measured"),
        ({"height_cm": 172, "weight_kg": 6.8}, "A weight of 6.8 kg"),
        ({"height_cm": 90, "age": 5}, "A height of 90 cm cannot be measured"),
        ({"height_cm": 120}, "A height of 120 cm is a child's: give the age in years, 5 to 17"),
        ({"height_cm": 120, "age": 40}, "A height of 120 cm is a child's"),
        ({"height_cm": 110, "age": 4}, "An age of 4 years"),
        ({"height_cm": 172, "clothes": "coat"}, "There are no clothes 'coat'"),
        ({"height_cm": 172, "sex": "dog"}, "There is no sex 'dog'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(given, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        Subject(**given)
    assert refused.value.code == "bad-option"


def test_what_is_not_known_is_marked_as_such():
    alone = Subject(170).known
    np.testing.assert_allclose(alone, 0, atol=1e-6)
    told = Subject(187, 80, "woman", 60, "ordinary").known
    np.testing.assert_allclose(told[[7, 8]], [1.2, 1], atol=1e-6)
    assert told[0] == pytest.approx(10 * np.log(1.1), abs=1e-5)
    np.testing.assert_allclose(told[[2, 3, 4, 5, 6]], [1, 1, 1, 1, 1], atol=1e-6)
    assert told[1] == pytest.approx(4 * np.log(80 / 1.87**2 / 24), abs=1e-5)


@pytest.mark.parametrize(
    ("age", "child"),
    [(5, "small children"), (8, "schoolchildren"), (16.5, "teenagers"), (17, None), (None, None)],
)
def test_children_are_told_by_their_age(age, child):
    assert Subject(150, age=age).child == child
