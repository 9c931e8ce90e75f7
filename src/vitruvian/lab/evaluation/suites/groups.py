"""The suite ``groups``: counts people in photographs of one or many."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.folders import suite_folder
from vitruvian.lab.evaluation.metrics.silhouette import iou
from vitruvian.lab.evaluation.pictures import PALETTE, outlined, resized, tinted
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture

# Two figures are one person when their mattes overlap so much (IoU), or the median distance of
# their landmarks is so small a part of the smaller one's height.
_SAME_ALPHA, _SAME_LANDMARKS = 0.5, 0.08


def default_find(photo: Any) -> list[Any]:
    """``vitruvian.people.finder.find_people``, imported when first needed."""
    from vitruvian.people.finder import find_people

    return find_people(photo)


@dataclass(frozen=True)
class GroupCase:
    """A photograph and how many people a person counts in it."""

    name: str
    photo: Path
    expected: int
    remark: str


@dataclass(frozen=True)
class GroupSuite:
    """A folder of photographs with ``manifest.csv``: columns ``file``, ``n_people``, ``notes``.

    Counts say nothing of who was found, so look at the sheets as well. A duplicate is a pair of
    figures that cover the same person.

    Attributes:
        folder: holds the manifest and the photographs.
        find: from a photograph to figures; the people stage unless a test says otherwise.
    """

    folder: Path
    find: Callable[[Any], list[Any]] = default_find

    name = "groups"
    ranking = "agreement"
    concurrent = True
    metrics = (
        Metric("expected", "people, counted by eye", better="neither", digits=1),
        Metric("found", "people found", better="neither", digits=1),
        Metric("agreement", "count agreement"),
        Metric("missing", "people missing", better="lower", digits=2),
        Metric("surplus", "people too many", better="lower", digits=2),
        Metric("duplicates", "people found twice", better="lower", digits=2),
        Metric("complete", "whole figures", better="neither", digits=1),
        Metric("seconds", "time", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> GroupSuite:
        """The suite on ``data`` or ``data/photos``. Raises ``InputError`` for another layout."""
        return GroupSuite(suite_folder(data, "photos", ("manifest.csv",)))

    def cases(self) -> Sequence[GroupCase]:
        """Every photograph of the manifest."""
        path = self.folder / "manifest.csv"
        cases = []
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    photo, expected = self.folder / row["file"], int(row["n_people"])
                except (KeyError, ValueError, TypeError) as error:
                    raise InputError(
                        f"{path} must have columns file and n_people (a whole number) in each row."
                    ) from error
                if not photo.is_file():
                    raise InputError(f"{path} names {row['file']}, which is not in its folder.")
                cases.append(GroupCase(photo.name, photo, expected, row.get("notes") or ""))
        if not cases:
            raise InputError(f"{path} names no photographs: give each a row.")
        return cases

    def run(self, case: GroupCase) -> Outcome:
        """Find the people of the photograph and count them."""
        from vitruvian.image.photo import load_photo

        photo = load_photo(case.photo)
        start = time.perf_counter()
        figures = self.find(photo)
        seconds = time.perf_counter() - start
        found, expected = len(figures), case.expected
        numbers = {
            "expected": expected,
            "found": found,
            "agreement": min(found, expected) / max(found, expected, 1) if found + expected else 1,
            "missing": max(0, expected - found),
            "surplus": max(0, found - expected),
            "duplicates": len(duplicates(figures)),
            "complete": sum(bool(figure.complete) for figure in figures),
            "seconds": seconds,
        }
        caption = f"found {found} of {expected}"
        picture = Picture(caption, drawn_figures(photo.pixels, figures))
        return Outcome(numbers, (picture,), case.remark)


def duplicates(figures: Sequence[Any]) -> list[tuple[int, int]]:
    """Pairs of figures that are the same person found twice."""
    pairs = []
    mattes = [figure.alpha.full() >= 128 for figure in figures]
    for second in range(len(figures)):
        for first in range(second):
            a, b = figures[first], figures[second]
            height = min(float(f.box[3] - f.box[1]) for f in (a, b))
            apart = np.linalg.norm(a.landmarks.points - b.landmarks.points, axis=1)
            if (
                mattes[first].any() and iou(mattes[first], mattes[second]) > _SAME_ALPHA
            ) or np.median(apart) < _SAME_LANDMARKS * height:
                pairs.append((first, second))
    return pairs


def drawn_figures(pixels: np.ndarray, figures: Sequence[Any]) -> np.ndarray:
    """A thumbnail of the photograph with every figure's matte and box in a colour of its own."""
    height = 480
    out = resized(pixels, height)
    scale = out.shape[0] / pixels.shape[0]
    for number, figure in enumerate(figures):
        color = PALETTE[number % len(PALETTE)]
        alpha = cv2.resize(figure.alpha.full(), out.shape[1::-1], interpolation=cv2.INTER_AREA)
        out = outlined(tinted(out, alpha / 255, color, 0.5), alpha >= 128, color)
        x0, y0, x1, y1 = (round(float(v) * scale) for v in figure.box)
        cv2.rectangle(out, (x0, y0), (x1, y1), color, 1 if figure.complete else 2)
        cv2.putText(
            out, str(number + 1), (x0 + 2, y0 + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
            (255, 255, 255), 3, cv2.LINE_AA,
        )  # fmt: skip
        cv2.putText(
            out, str(number + 1), (x0 + 2, y0 + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1,
            cv2.LINE_AA,
        )  # fmt: skip
    return out
