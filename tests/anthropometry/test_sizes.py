"""Sizes of clothes: what published tables say, and how wide doubts make them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from vitruvian.anthropometry.sizes import sizes_of


@dataclass
class Value:
    cm: float
    low_cm: float
    high_cm: float


def sizes(sex, doubt=0.0, **cm):
    told = {"chest": 92, "waist": 76, "hip": 100, "neck": 38, "inside_leg": 78} | cm
    values = {name: Value(one, one - doubt, one + doubt) for name, one in told.items()}
    return {(one.garment, one.system): one for one in sizes_of(values, sex)}


# Size 40 of EN 13402-3's series has a bust of 92 and hips of 100; BS 3666's 14 has 90 to 94 and
# 95 to 99; ASTM D5585's 6 has 35 1/4 inches.
@pytest.mark.parametrize(
    ("bust", "letter", "eu", "uk", "us"),
    [
        (84, "S", "36", "10", "2"),
        (92, "M", "40", "14", "8"),
        (35.25 * 2.54, "S", "38", "12", "6"),
        (120, "XXL", "52", "26", None),
        (60, None, None, None, None),
    ],
)
def test_women_s_dresses(bust, letter, eu, uk, us):
    found = sizes("woman", chest=bust)
    assert [found["Tops and dresses", one].size for one in ("letter", "EU", "UK", "US")] == [
        letter,
        eu,
        uk,
        us,
    ]


def test_men_s_clothes_are_in_centimetres_and_inches():
    found = sizes("man", chest=100, waist=88, neck=40.2, inside_leg=81.5)
    assert found["Tops and jackets", "letter"].size == "M"
    assert found["Tops and jackets", "EU"].size == "50"
    assert found["Tops and jackets", "UK/US"].size == "40"
    assert found["Trousers", "EU"].size == "50"
    assert found["Trousers", "UK/US"].size == "35 / 32"
    assert found["Shirt collar", "UK/US"].size == "16"


def test_children_wear_their_height():
    values = {"stature": Value(129.0, 129.0, 129.0)}
    (size,) = sizes_of(values, "woman", "schoolchildren")
    assert (size.wearer, size.system, size.size) == ("children", "EU", "128")


def test_doubts_leave_neighbours_open():
    sure, unsure = sizes("woman"), sizes("woman", doubt=7)
    letter = unsure["Tops and dresses", "letter"]
    assert (letter.smallest, letter.size, letter.largest) == ("S", "M", "L")
    letter = sure["Tops and dresses", "letter"]
    assert (letter.smallest, letter.largest) == ("M", "M")


def test_without_a_sex_there_are_both():
    assert set(sizes(None)) == set(sizes("man")) | set(sizes("woman"))
