"""What somebody tells of themselves, in the units they think in."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from vitruvian.errors import InputError
from vitruvian.networks.measuring import encode_known

LEAST_HEIGHT_CM, MOST_HEIGHT_CM = 130.0, 220.0
LEAST_WEIGHT_KG, MOST_WEIGHT_KG = 30.0, 250.0
LEAST_AGE, MOST_AGE = 16.0, 100.0
SEXES = ("man", "woman")
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
    """

    height_cm: float
    weight_kg: float | None = None
    sex: str | None = None
    age: float | None = None

    def __post_init__(self) -> None:
        _within(
            self.height_cm, LEAST_HEIGHT_CM, MOST_HEIGHT_CM,
            "A height of {value:g} cm cannot be measured; give centimetres, {least:g} to {most:g}, "
            "or feet and inches such as 5'8\".",
        )  # fmt: skip
        _within(
            self.weight_kg, LEAST_WEIGHT_KG, MOST_WEIGHT_KG,
            "A weight of {value:g} kg cannot be an adult's; give kilograms, {least:g} to {most:g}, "
            "or pounds such as 150lb.",
        )  # fmt: skip
        _within(
            self.age, LEAST_AGE, MOST_AGE,
            "An age of {value:g} years is beyond what can be measured; give {least:g} to {most:g}, "
            "or leave it out.",
        )  # fmt: skip
        if self.sex is not None and self.sex not in SEXES:
            raise InputError(
                f"There is no sex {self.sex!r} to measure by; choose man or woman, or none.",
                code="bad-option",
            )

    @property
    def known(self) -> np.ndarray:
        """As the measuring network takes it, (7,) float32."""
        woman = np.nan if self.sex is None else float(self.sex == "woman")
        told = (self.height_cm / 100, self.weight_kg, woman, self.age)
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
