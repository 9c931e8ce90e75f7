"""What a suite is, and what one case returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Metric:
    """A number that a suite reports for its cases.

    Attributes:
        key: its name in ``scores.json``.
        label: its name for people.
        unit: such as ``cm``; ``""`` for shares and counts.
        better: which way is good; ``neither`` for what merely describes.
        digits: decimals that are worth printing.
    """

    key: str
    label: str
    unit: str = ""
    better: Better = "higher"
    digits: int = 3


@dataclass(frozen=True)
class Picture:
    """A picture of a case, for people to look at.

    Attributes:
        caption: a few words.
        pixels: (H, W, 3) uint8 sRGB, thumbnail size (some 300 px high).
    """

    caption: str
    pixels: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What running a case yields.

    Attributes:
        numbers: values by metric key; NaN where the metric has no meaning for this case (it then
            does not enter the mean, and the count of cases that did is reported).
        pictures: what to show.
        note: a sentence about the case, or "".
    """

    numbers: Mapping[str, float]
    pictures: tuple[Picture, ...] = field(default=())
    note: str = ""


class Case(Protocol):
    """One thing to try, such as a photograph; must survive pickling."""

    @property
    def name(self) -> str:
        """Unique within the suite."""


class Suite(Protocol):
    """A kind of test on a folder of data; must survive pickling, as workers get a copy."""

    @property
    def name(self) -> str:
        """As given on the command line."""

    @property
    def metrics(self) -> Sequence[Metric]:
        """What is reported, in this order."""

    @property
    def ranking(self) -> str:
        """Key of the metric that tells best cases from worst."""

    @property
    def concurrent(self) -> bool:
        """Whether cases may run beside each other (not so where time is measured)."""

    def cases(self) -> Sequence[Any]:
        """All cases, in a fixed order. Raises ``InputError`` for a folder of another layout."""

    def run(self, case: Any) -> Outcome:
        """Run one case. Whatever it raises is reported as that case's failure."""
