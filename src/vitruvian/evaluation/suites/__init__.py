"""The suites, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.evaluation.suite import Suite


def _ccp(data: Path) -> Suite:
    from vitruvian.evaluation.suites.masks import MaskSuite

    return MaskSuite.open(data)


def _groups(data: Path) -> Suite:
    from vitruvian.evaluation.suites.groups import GroupSuite

    return GroupSuite.open(data)


def _speed(data: Path) -> Suite:
    from vitruvian.evaluation.suites.speed import SpeedSuite

    return SpeedSuite.open(data)


def _shapes(data: Path) -> Suite:
    from vitruvian.evaluation.suites.shapes import ShapeSuite

    return ShapeSuite.open(data)


# Suites are imported when chosen: each brings libraries that the others do not need.
SUITES: dict[str, tuple[Callable[[Path], Suite], str]] = {
    "ccp": (_ccp, "photographs with true masks: people found, alpha, silhouettes, keypoints"),
    "groups": (_groups, "photographs with a head count: everyone found, nobody twice"),
    "shapes": (_shapes, "3D characters photographed from 8 sides: surface against truth"),
    "speed": (_speed, "photographs: seconds by stage, cold start, peak memory"),
}


def open_suite(name: str, data: Path) -> Suite:
    """The suite of this name on a folder of data.

    Raises:
        InputError: there is no such suite, or the folder does not hold its data.
    """
    if name not in SUITES:
        raise InputError(f"There is no suite {name!r}: choose one of {', '.join(SUITES)}.")
    return SUITES[name][0](data)
