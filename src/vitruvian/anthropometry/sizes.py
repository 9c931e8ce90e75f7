"""Sizes of clothes from measures: letters and numbers of Europe, the United Kingdom and the U.S.

Makers follow these tables loosely: a size is where to begin, not a promise. Sources:

- letters and European numbers: EN 13402-3:2004 and its series of bust, waist and hip; the number is
  the German one, half a bust of even steps less 6, or half a chest
- British numbers of women: BS 3666:1982
- American numbers of women: ASTM D5585-11e1
- men's jackets, trousers and collars: inches of chest, waist, inside leg and neck, as sold
- children: EN 13402-3's heights, each 6 cm

The standards are not public. What a second source bears out, and what none does, is in
docs/measure.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

Wearer = Literal["women", "men", "children"]
_INCH_CM = 2.54

_LETTERS = ("XXS", "XS", "S", "M", "L", "XL", "XXL", "3XL", "4XL", "5XL")
# Where each letter begins and the last one ends, in centimetres of bust or chest.
_LETTERS_FROM = {
    "women": (66, 74, 82, 90, 98, 107, 119, 131, 143, 155, 167),
    "men": (70, 78, 86, 94, 102, 110, 118, 129, 141, 154, 166),
}
# Body measures that a number is made for: the nearest counts.
_EU_WOMEN = tuple(range(32, 58, 2))
_EU_BUST = (76, 80, 84, 88, 92, 96, 100, 104, 110, 116, 122, 128, 134)
_EU_HIP = (84, 88, 92, 96, 100, 104, 108, 112, 117, 122, 127, 132, 137)
_EU_MEN = tuple(range(40, 72, 2))
_EU_CHEST = (80, 84, 88, 92, 96, 100, 104, 108, 112, 116, 120, 124, 128, 132, 136, 140)
_EU_WAIST = (68, 72, 76, 80, 84, 88, 92, 96, 100, 104, 108, 114, 120, 126, 132, 138)
_EU_CHILDREN = tuple(range(92, 194, 6))  # centimetres of stature
_UK_WOMEN = tuple(range(8, 34, 2))
_UK_BUST_FROM = (78, 82, 86, 90, 95, 100, 105, 110, 115, 120, 125, 130, 135, 140)
_UK_HIP_FROM = (83, 87, 91, 95, 100, 105, 110, 115, 120, 125, 130, 135, 140, 145)
_US_WOMEN = ("00", "0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20")
_US_BUST_IN = (31.125, 31.75, 33, 34.125, 35.25, 36.25, 37.25, 38.75, 40.375, 42.125, 44, 46)

_Scale = Callable[[float], str | None]


class Banded(Protocol):
    """A measure: centimetres, and between which the truth lies in nine cases of ten."""

    @property
    def cm(self) -> float: ...
    @property
    def low_cm(self) -> float: ...
    @property
    def high_cm(self) -> float: ...


@dataclass(frozen=True)
class Size:
    """A size of one garment in one system.

    Attributes:
        wearer, garment: what it is of.
        system: ``letter``, ``EU``, ``UK``, ``US`` or ``UK/US``.
        size: by the measures; None beyond the table.
        smallest, largest: that the measures' bands leave open; None likewise.
    """

    wearer: Wearer
    garment: str
    system: str
    size: str | None
    smallest: str | None
    largest: str | None


def _between(names: tuple[object, ...], edges: tuple[float, ...]) -> _Scale:
    """A size reaches from its edge to the next one's."""

    def scale(cm: float) -> str | None:
        number = int(np.searchsorted(edges, cm, side="right")) - 1
        return str(names[number]) if 0 <= number < len(names) else None

    return scale


def _nearest(names: tuple[object, ...], made_for: tuple[float, ...]) -> _Scale:
    """The size that was made for the nearest body."""
    steps = np.diff(made_for)
    inner = np.array(made_for[1:]) - steps / 2
    edges = (made_for[0] - steps[0] / 2, *inner, made_for[-1] + steps[-1] / 2)
    return _between(names, edges)


def _inches(step: float) -> _Scale:
    """The measure itself, in inches of so fine steps."""
    return lambda cm: f"{round(cm / _INCH_CM / step) * step:g}"


def _whole(cm: float) -> str:
    return f"{cm:.0f}"


_US_BUST = tuple(_INCH_CM * inches for inches in _US_BUST_IN)
# Wearer, garment, system, and the measures with their scales, of which a size is put together.
_TABLE: tuple[tuple[Wearer, str, str, tuple[tuple[str, _Scale], ...]], ...] = (
    ("women", "Tops and dresses", "letter",
     (("chest", _between(_LETTERS, _LETTERS_FROM["women"])),)),
    ("women", "Tops and dresses", "EU", (("chest", _nearest(_EU_WOMEN, _EU_BUST)),)),
    ("women", "Tops and dresses", "UK", (("chest", _between(_UK_WOMEN, _UK_BUST_FROM)),)),
    ("women", "Tops and dresses", "US", (("chest", _nearest(_US_WOMEN, _US_BUST)),)),
    ("women", "Trousers and skirts", "EU", (("hip", _nearest(_EU_WOMEN, _EU_HIP)),)),
    ("women", "Trousers and skirts", "UK", (("hip", _between(_UK_WOMEN, _UK_HIP_FROM)),)),
    ("women", "Jeans", "UK/US", (("waist", _inches(1)), ("inside_leg", _inches(1)))),
    ("men", "Tops and jackets", "letter",
     (("chest", _between(_LETTERS, _LETTERS_FROM["men"])),)),
    ("men", "Tops and jackets", "EU", (("chest", _nearest(_EU_MEN, _EU_CHEST)),)),
    ("men", "Tops and jackets", "UK/US", (("chest", _inches(2)),)),
    ("men", "Trousers", "EU", (("waist", _nearest(_EU_MEN, _EU_WAIST)),)),
    ("men", "Trousers", "UK/US", (("waist", _inches(1)), ("inside_leg", _inches(1)))),
    ("men", "Shirt collar", "EU", (("neck", _whole),)),
    ("men", "Shirt collar", "UK/US", (("neck", _inches(0.5)),)),
    ("children", "Clothes", "EU", (("stature", _nearest(_EU_CHILDREN, _EU_CHILDREN)),)),
)  # fmt: skip


def sizes_of(
    values: Mapping[str, Banded], sex: str | None, child: str | None = None
) -> tuple[Size, ...]:
    """The sizes that somebody's measures come to.

    Args:
        values: ``stature``, ``chest``, ``waist``, ``hip``, ``neck`` and ``inside_leg``.
        sex: ``man`` or ``woman``: whose clothes; None for both.
        child: of ``Subject.child``: clothes of children.
    """
    wearers: tuple[str, ...] = ("women", "men")
    if child is not None:
        wearers = ("children",)
    elif sex is not None:
        wearers = ("men",) if sex == "man" else ("women",)
    return tuple(
        Size(
            wearer,
            garment,
            system,
            _put_together(parts, values, "cm"),
            _put_together(parts, values, "low_cm"),
            _put_together(parts, values, "high_cm"),
        )
        for wearer, garment, system, parts in _TABLE
        if wearer in wearers
    )


def _put_together(
    parts: tuple[tuple[str, _Scale], ...], values: Mapping[str, Banded], which: str
) -> str | None:
    """``32 / 30`` of two parts, None when one is beyond its table."""
    found = [scale(getattr(values[name], which)) for name, scale in parts]
    return None if None in found else " / ".join(str(one) for one in found)
