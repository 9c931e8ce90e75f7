"""Pictures within the picture: collages, screenshots, posters, framed photographs.

Who is seen in one of them stands on another ground, before another camera, and says nothing about
the size of anybody else. They are told by their frame: straight, unbroken edges along the picture's
axes, all the way around a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

WORKING_SIDE = 480  # pixels of the shorter side
_STEP = 16  # of 255, across the line, that counts as an edge
_UNBROKEN = 0.93  # share of a side that must be edge
_BESIDE = 0.8  # the same of the part beside a person, which is shorter
_INSIDE = 0.05  # of the box, by which a person may reach over the side
_SMALLEST_GAP = 4  # pixels between two sides of one frame, and from the picture's border

_SAME = 0.8  # overlap of two frames that are one

_Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Panels:
    """Who is seen in which picture within the picture.

    Attributes:
        numbers: for each person that of the panel; equal for those who share one, 0 for the largest
            person's.
        whole: the number of the panel that is the photograph itself, or None where everybody is in
            a picture within it.
    """

    numbers: tuple[int, ...]
    whole: int | None

    @property
    def main(self) -> int:
        """The number of the panel whose world is the scene's: the photograph, or the largest's."""
        return self.whole or 0

    def groups(self) -> list[np.ndarray]:
        """Indices of the people of each panel, the main one first."""
        numbers = np.array(self.numbers, int)
        order = dict.fromkeys((self.main, *self.numbers)) if self.numbers else ()
        return [np.flatnonzero(numbers == number) for number in order]


def one_panel(count: int) -> Panels:
    """Everybody in one photograph."""
    return Panels((0,) * count, 0)


def find_panels(pixels: np.ndarray, boxes: Sequence[Sequence[float] | np.ndarray]) -> Panels:
    """Tell which people share a picture within the picture.

    Args:
        pixels: (H, W, 3) uint8 sRGB.
        boxes: x0, y0, x1, y1 of each person, in pixels.
    """
    if len(boxes) < 2:
        return one_panel(len(boxes))
    scale = min(1.0, WORKING_SIDE / min(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rows, columns = _edges(small)
    height, width = small.shape[:2]
    numbers = [0] * len(boxes)
    known: list[_Rectangle] = []
    corners = np.asarray(boxes, float)
    # The largest person comes first, whose panel may be the main one.
    for index in np.argsort(-(corners[:, 2:] - corners[:, :2]).max(axis=1), kind="stable"):
        rectangle = _around(rows, columns, corners[index] * scale, (height, width))
        same = [i for i, other in enumerate(known) if _overlap(rectangle, other) > _SAME]
        if not same:
            same = [len(known)]
            known.append(rectangle)
        numbers[index] = same[0]
    whole = [i for i, one in enumerate(known) if _overlap(one, (0, 0, width, height)) > _SAME]
    return Panels(tuple(numbers), whole[0] if whole else None)


def _edges(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where (h, w) bool the picture changes across a horizontal, and a vertical, line."""
    values = pixels.astype(np.int16)
    across = np.zeros(pixels.shape[:2], bool)
    along = np.zeros(pixels.shape[:2], bool)
    across[1:-1] = np.abs(values[2:] - values[:-2]).max(axis=2) > _STEP
    along[:, 1:-1] = np.abs(values[:, 2:] - values[:, :-2]).max(axis=2) > _STEP
    return across, along


def _around(
    rows: np.ndarray, columns: np.ndarray, box: np.ndarray, shape: tuple[int, int]
) -> _Rectangle:
    """The smallest frame (x0, y0, x1, y1) around a box; the picture's own where there is none."""
    height, width = shape
    slack = _INSIDE * (box[2:] - box[:2])
    inner = np.concatenate([box[:2] + slack, box[2:] - slack])
    lefts = _lines(columns[int(inner[1]) : int(inner[3]) + 1], 0, inner[0], width)
    rights = _lines(columns[int(inner[1]) : int(inner[3]) + 1], inner[2], width, width)
    tops = _lines(rows[:, int(inner[0]) : int(inner[2]) + 1].T, 0, inner[1], height)
    bottoms = _lines(rows[:, int(inner[0]) : int(inner[2]) + 1].T, inner[3], height, height)
    best: tuple[float, _Rectangle] = float(height * width), (0, 0, width, height)
    for left in lefts:
        for right in rights:
            for top in tops:
                for bottom in bottoms:
                    area = float((right - left) * (bottom - top))
                    if area < best[0] and _framed(rows, columns, left, top, right, bottom):
                        best = area, (left, top, right, bottom)
    return best[1]


def _lines(edges: np.ndarray, start: float, end: float, size: int) -> list[int]:
    """Candidates for one side, along the second axis of ``edges``; a border of the picture is one.

    The nearest few are enough: what is unbroken beside a person seldom is a frame's by chance.
    """
    share = edges.mean(axis=0)
    low, high = max(0, int(start)), min(size, int(np.ceil(end)))
    found = [i for i in range(low, high) if share[i] >= _BESIDE]
    found = [i for i in found if _SMALLEST_GAP <= i < size - _SMALLEST_GAP]
    near = found[-8:] if start == 0 else found[:8]
    return [*near, 0 if start == 0 else size]


def _framed(
    rows: np.ndarray, columns: np.ndarray, left: int, top: int, right: int, bottom: int
) -> bool:
    """Whether all four sides are unbroken, or borders of the picture."""
    height, width = rows.shape
    sides = (
        left == 0 or columns[top:bottom, left].mean() >= _UNBROKEN,
        right == width or columns[top:bottom, right].mean() >= _UNBROKEN,
        top == 0 or rows[top, left:right].mean() >= _UNBROKEN,
        bottom == height or rows[bottom, left:right].mean() >= _UNBROKEN,
    )
    return all(sides)


def _overlap(a: _Rectangle, b: _Rectangle) -> float:
    """Intersection over union."""
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    along = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = across * along
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0
