"""Whether a pair of silhouettes can be measured, and which measures it says little of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.errors import InputError
from vitruvian.types.record import Record

# Shares of the figure's height, from the top.
_WAIST_ROWS = (0.36, 0.46)
_SHANK_ROWS = (0.74, 0.90)
_APART = 0.5  # share of rows in which limbs must be apart
_WIDE = 0.36  # width over height from which on a side view is none
_NARROW = 0.30  # up to which a front view with arms off the body is none
_INSIDE = 128

_BY_TRUNK = ("chest", "underbust", "waist", "waist_navel", "hip", "upper_arm", "back_width")
_BY_LEGS = ("thigh", "mid_thigh", "knee", "calf", "ankle", "inside_leg", "rise", "knee_height")

ARMS_ON_TRUNK = (
    "The arms lie on the trunk in the front view, so girths of trunk and arms are less sure; hold "
    "them a hand's breadth off the body."
)
LEGS_TOGETHER = (
    "The legs are together or under a skirt in the front view, so measures of the legs are less "
    "sure; stand with feet apart in tight clothes."
)
SWAPPED = "The front and the side view were given the wrong way round and are taken as they are."


@dataclass(frozen=True, eq=False, repr=False)
class JudgedPair(Record):
    """A pair that can be measured.

    Attributes:
        views: (2, h, w) uint8, front and side, as of ``silhouette.normalised``.
        unsure: names of measures of which the pair says little.
        warnings: sentences for people.
        clothes_apart: how far the clothes' colours differ (``colours.clothes_apart``); None of
            bare silhouettes.
    """

    views: np.ndarray
    unsure: tuple[str, ...]
    warnings: tuple[str, ...]
    clothes_apart: float | None = None


def check_pairs(fronts: int, sides: int) -> None:
    """Refuse captures of which not each has a front and a side.

    Raises:
        InputError: there are more of one, or none.
    """
    if fronts != sides or not fronts:
        raise InputError(
            f"There are {fronts} front and {sides} side views: give one of each, or as many of "
            "both."
        )


def judged(front: np.ndarray, side: np.ndarray) -> JudgedPair:
    """Look at two normalised silhouettes (h, w) uint8.

    Raises:
        InputError: both show a front, or both a side.
    """
    warnings: list[str] = []
    unsure: list[str] = []
    wide = _width(front), _width(side)
    if wide[0] < _NARROW and wide[1] > _WIDE:
        front, side = side, front
        warnings.append(SWAPPED)
    elif wide[1] > _WIDE:
        raise InputError(
            "The side view looks like a front view: turn a quarter, with the left side to the "
            "camera and the arms along the body."
        )
    elif wide[0] < _NARROW and not _apart(front, _WAIST_ROWS, 3) and wide[0] < 1.15 * wide[1]:
        raise InputError(
            "The front view looks like a side view: face the camera, with the arms off the body."
        )
    if not _apart(front, _WAIST_ROWS, 3):
        warnings.append(ARMS_ON_TRUNK)
        unsure += _BY_TRUNK
    if not _apart(front, _SHANK_ROWS, 2):
        warnings.append(LEGS_TOGETHER)
        unsure += _BY_LEGS
    return JudgedPair(np.stack([front, side]), tuple(unsure), tuple(warnings))


def _rows(view: np.ndarray) -> tuple[int, int]:
    """First row of the person and the row behind the last."""
    rows = np.flatnonzero((view >= _INSIDE).any(1))
    return int(rows[0]), int(rows[-1]) + 1


def _width(view: np.ndarray) -> float:
    """Width over height."""
    columns = np.flatnonzero((view >= _INSIDE).any(0))
    first, last = _rows(view)
    return float(np.ptp(columns) + 1) / (last - first)


def _apart(view: np.ndarray, shares: tuple[float, float], pieces: int) -> bool:
    """Whether the rows between two shares of the height show so many pieces apart."""
    first, last = _rows(view)
    start, end = (first + round(share * (last - first)) for share in shares)
    inside = np.pad(view[start:end] >= _INSIDE, ((0, 0), (1, 1))).astype(np.int8)
    starts = (np.diff(inside, axis=1) > 0).sum(1)
    return bool((starts >= pieces).mean() >= _APART)
