"""Bags and other things that somebody carries hang beside the body and before it, never behind it.

Completed as cloth is, a bag would be as thick as the trunk or leg that it hangs at, and a balloon
from behind. Here each is a slab of its own, as thick as bags are, with round edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.image.disc import disc
from vitruvian.surface.volume.ray_spans import Spans

_HALF_M, _ROUND_M = 0.055, 0.06  # of the thickness; of the edges
_SLIM = 0.6  # half thickness of something narrow, as a share of its half width
_LAPPED_M = 0.03  # that it goes on behind what lies before it, and joins that
_RING = 3  # pixels around it that get spans, too
_BEFORE = 0.4  # share of it before the body with which it hangs before it, not beside it
_LEAST_PIXELS = 12


@dataclass(frozen=True)
class Things:
    """Where a window shows what somebody carries.

    Attributes:
        shown: (H, W) bool, the pixels of it.
        beside: (H, W) bool, those of them that the body is not behind.
    """

    shown: np.ndarray
    beside: np.ndarray


def things_of(carried: np.ndarray, body: np.ndarray, figure: np.ndarray) -> Things | None:
    """None where nothing is carried beside the body.

    Args:
        carried: (H, W) bool, where something is that is carried.
        body: (H, W) bool, pixels whose ray meets the body.
        figure: (H, W) bool, pixels that show the person, with what is carried.
    """
    shown = carried & figure
    # What only a thing joins to the body is of the thing: straps, fringes, its rim.
    rest = (figure & ~(shown & ~body)).astype(np.uint8)
    count, labels = cv2.connectedComponents(rest, connectivity=4)
    apart = np.bincount(labels[body & figure], minlength=count) == 0
    apart[0] = False
    shown = shown | apart[labels]
    beside = shown & ~body
    return Things(shown, beside) if beside.sum() >= _LEAST_PIXELS else None


def with_things(
    spans: Spans, first: np.ndarray, last: np.ndarray, things: Things, pixel_m: float
) -> tuple[Spans, np.ndarray, np.ndarray]:
    """Spans, and depths (H, W) of the first and last surface, of a person and their things.

    Args:
        spans, first, last: of the person without what is ``things.beside``.
        things: on the same rays.
        pixel_m: metres per pixel.
    """
    entries, exits, count = spans.entries.copy(), spans.exits.copy(), spans.count.copy()
    first, last = first.copy(), last.copy()
    person = spans.mask & ~things.beside
    number, labels = cv2.connectedComponents(things.shown.astype(np.uint8))
    for label in range(1, number):
        shown = labels == label
        beside = shown & things.beside
        if beside.sum() < _LEAST_PIXELS:
            continue
        whole = _grown(shown, max(1, round(_LAPPED_M / pixel_m))) & (person | shown)
        half = _slab(whole, pixel_m)
        middle = _place(shown, beside, person, first, last, float(half.max()))
        ring = _grown(shown, _RING)
        alone = ring & ~person
        entries[alone], exits[alone] = np.inf, np.inf
        entries[alone, 0] = first[alone] = middle - half[alone]
        exits[alone, 0] = last[alone] = middle + half[alone]
        count[alone] = 1
        before = shown & person
        first[before] = np.minimum(first[before], (middle - half)[before])
        joined = whole & person & ~shown & (middle - half < last)
        last[joined] = np.maximum(last[joined], (middle + half)[joined])
    return Spans(entries, exits, count), first.astype(np.float32), last.astype(np.float32)


def _grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """(H, W) bool, everything within so many pixels of a mask."""
    return cv2.dilate(mask.astype(np.uint8), disc(pixels)) > 0


def _slab(mask: np.ndarray, pixel_m: float) -> np.ndarray:
    """(H, W) metres, half the thickness of a slab with round edges; half a pixel beside it."""
    deep = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
    most = float(deep.max())
    outwards = 1 - np.clip(deep / min(_ROUND_M, most), 0, 1)
    half = min(_HALF_M, _SLIM * most) * np.sqrt(1 - outwards**2)
    return np.maximum(half, 0.5 * pixel_m)


def _place(
    shown: np.ndarray,
    beside: np.ndarray,
    person: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    half_m: float,
) -> float:
    """Depth of the middle of a thing: as far as what it hangs beside, or before that."""
    along = _grown(beside, _RING) & person
    if not along.any():
        along = person
    level = float(np.median(0.5 * (first + last)[along]))
    over = shown & person
    share = min(float(over.sum()) / (_BEFORE * float(shown.sum())), 1.0)
    if share == 0:
        return level
    before = float(np.median(first[over])) - 0.5 * half_m
    return level + share * (min(before, level) - level)
