"""What somebody tells of themselves, in the units they think in."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from vitruvian.errors import InputError
from vitruvian.networks.measuring import encode_known

LEAST_HEIGHT_CM, MOST_HEIGHT_CM = 95.0, 220.0
LEAST_WEIGHT_KG, MOST_WEIGHT_KG = 11.0, 250.0
LEAST_AGE, MOST_AGE = 5.0, 100.0
GROWN_AGE = 17.0  # of whom the survey of adults is
LEAST_ADULT_CM = 130.0
# Groups of the body model up to an age in years.
CHILDREN = ((6.0, "small children"), (12.0, "schoolchildren"), (GROWN_AGE, "teenagers"))
SEXES = ("man", "woman")
# How loose clothes are: how far they stand off, as a share of ordinary ones.
CLOTHES = {"underwear": 0.0, "tight": 0.25, "ordinary": 1.0}
_INCH_CM, _FOOT_CM, _POUND_KG, _STONE_KG = 2.54, 30.48, 0.45359237, 6.35029318


@dataclass(frozen=True)
class Subject:
    """Who is measured.

    Raises ``InputError``, one sentence with the remedy, for a value that cannot be.

    Attributes:
        height_cm: stature in centimetres, without shoes.
        weight_kg: kilograms, or None.
        sex: ``man`` or ``woman``, or None.
        age: years, or None.
        clothes: what is worn, of ``CLOTHES``, or None.
    """

    height_cm: float
    weight_kg: float | None = None
    sex: str | None = None
    age: float | None = None
    clothes: str | None = None

    def __post_init__(self) -> None:
        _within(
            self.height_cm, LEAST_HEIGHT_CM, MOST_HEIGHT_CM,
            "A height of {value:g} cm cannot be measured; give centimetres, {least:g} to {most:g}, "
            "or feet and inches such as 5'8\".",
        )  # fmt: skip
        _within(
            self.weight_kg, LEAST_WEIGHT_KG, MOST_WEIGHT_KG,
            "A weight of {value:g} kg cannot be measured; give kilograms, {least:g} to {most:g}, "
            "or pounds such as 150lb.",
        )  # fmt: skip
        _within(
            self.age, LEAST_AGE, MOST_AGE,
            "An age of {value:g} years is beyond what can be measured; give {least:g} to {most:g}, "
            "or leave it out.",
        )  # fmt: skip
        if self.height_cm < LEAST_ADULT_CM and self.child is None:
            raise InputError(
                f"A height of {self.height_cm:g} cm is a child's: give the age in years, "
                f"{LEAST_AGE:g} to {GROWN_AGE:g}.",
                code="bad-option",
            )
        if self.sex is not None and self.sex not in SEXES:
            raise InputError(
                f"There is no sex {self.sex!r} to measure by; choose man or woman, or none.",
                code="bad-option",
            )

        if self.clothes is not None and self.clothes not in CLOTHES:
            raise InputError(
                f"There are no clothes {self.clothes!r} to measure in; choose underwear, tight or "
                "ordinary, or none.",
                code="bad-option",
            )

    @property
    def child(self) -> str | None:
        """The body model's group of children by the age; None of adults, and without an age."""
        if self.age is None:
            return None
        return next((group for limit, group in CHILDREN if self.age < limit), None)

    @property
    def known(self) -> np.ndarray:
        """As the measuring network takes it, (9,) float32."""
        woman = np.nan if self.sex is None else float(self.sex == "woman")
        loose = None if self.clothes is None else CLOTHES[self.clothes]
        told = (self.height_cm / 100, self.weight_kg, woman, self.age, loose)
        values = [np.array([np.nan if value is None else value]) for value in told]
        return np.asarray(encode_known(*values)[0])


def _within(value: float | None, least: float, most: float, refusal: str) -> None:
    if value is not None and not least <= value <= most:
        value = max(min(value, 1e300), -1e300)  # larger whole numbers are no floats
        raise InputError(refusal.format(value=value, least=least, most=most), code="bad-option")


def parse_height(text: str) -> float:
    """Centimetres of a height as people write it: ``172``, ``1.72 m``, ``5'8"``, ``5ft 8in``.

    Raises:
        InputError: it is none.
    """
    plain = text.strip().lower().replace(",", ".")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(cm|m)?", plain)
    if found is not None:
        return float(found[1]) * (100 if found[2] == "m" else 1)
    imperial = re.fullmatch(
        r"(?:(\d+)\s*(?:'|ft|feet|foot)\s*)?(?:(\d+(?:\.\d+)?)\s*(?:\"|''|in|inch|inches)?)?", plain
    )
    if imperial is None or (imperial[1] is None and not plain.endswith(('"', "in", "inches"))):
        raise InputError(
            f"{text!r} is no height; give centimetres such as 172, or feet and inches such as "
            "5'8\".",
            code="bad-option",
        )
    return float(imperial[1] or 0) * _FOOT_CM + float(imperial[2] or 0) * _INCH_CM


def parse_weight(text: str) -> float:
    """Kilograms of a weight as people write it: ``68``, ``68kg``, ``150lb``, ``10st 7lb``.

    Raises:
        InputError: it is none.
    """
    plain = text.strip().lower().replace(",", ".")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(kg|lbs?|pounds?)?", plain)
    if found is not None:
        return float(found[1]) * (_POUND_KG if (found[2] or "kg") != "kg" else 1)
    stones = re.fullmatch(r"(\d+)\s*st(?:one)?\s*(?:(\d+(?:\.\d+)?)\s*(?:lbs?)?)?", plain)
    if stones is None:
        raise InputError(
            f"{text!r} is no weight; give kilograms such as 68, or pounds such as 150lb.",
            code="bad-option",
        )
    return float(stones[1]) * _STONE_KG + float(stones[2] or 0) * _POUND_KG
