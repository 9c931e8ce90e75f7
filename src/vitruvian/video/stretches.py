"""Unbroken stretches of a track: its frames, what was seen in each, flips put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vitruvian.types.figure import Figure, Landmarks
from vitruvian.types.keypoints import JOINTS, MIRROR
from vitruvian.video.tracking import RECENT_S, Track

_SHORTEST = 3  # frames
_SWAP_COST = 0.02  # of the size, for calling left right in a frame


@dataclass(frozen=True, eq=False)
class Stretch:
    """Somebody in successive frames, among which they may be lost for moments.

    Attributes:
        numbers: (T,) of the frames in the clip.
        times_s: (T,) of the frames.
        figures: (T) tuples of what each camera shows, left and right put right; None where it
            does not show them. They are never lost first or last.
        swapped: (T,) bool, where left and right were exchanged for a camera.
    """

    numbers: np.ndarray
    times_s: np.ndarray
    figures: tuple[tuple[Figure | None, ...], ...]
    swapped: np.ndarray

    @cached_property
    def lost(self) -> np.ndarray:
        """(T,) bool, where no camera shows them."""
        return np.array([all(figure is None for figure in each) for each in self.figures])

    def part(self, first: int, end: int) -> Stretch:
        """The frames from ``first`` to before ``end``, less lost ones at either end."""
        while self.lost[first]:
            first += 1
        while self.lost[end - 1]:
            end -= 1
        return Stretch(
            self.numbers[first:end],
            self.times_s[first:end],
            self.figures[first:end],
            self.swapped[first:end],
        )


def runs_of(tracks: Sequence[Track], frames: Sequence[tuple[int, float]]) -> list[list[int]]:
    """Numbers of the frames that show one person, cut where they are away for long.

    Whoever is in the next frame that was looked at was not away, however long ago the one before
    was. Runs too short to tell a motion are left out. Arguments as of ``stretches_of``.
    """
    times = dict(frames)
    place = {number: index for index, (number, _) in enumerate(frames)}
    runs: list[list[int]] = []
    for number in sorted({one.number for track in tracks for one in track.sightings}):
        last = runs[-1][-1] if runs else None
        if last is not None and (
            place[number] - place[last] == 1 or times[number] - times[last] <= RECENT_S
        ):
            runs[-1].append(number)
        else:
            runs.append([number])
    return [run for run in runs if len(run) >= _SHORTEST]


def stretches_of(tracks: Sequence[Track], frames: Sequence[tuple[int, float]]) -> list[Stretch]:
    """One person's tracks cut where they are away for long.

    Args:
        tracks: of one person, from each camera; without sightings where it never shows them.
        frames: numbers and seconds of all frames that were looked at.
    """
    times = dict(frames)
    order = [number for number, _ in frames]
    place = {number: index for index, number in enumerate(order)}
    by_number = [{one.number: one.figure for one in track.sightings} for track in tracks]
    out = []
    for run in runs_of(tracks, frames):
        numbers = order[place[run[0]] : place[run[-1]] + 1]
        seconds = np.array([times[number] for number in numbers])
        seen = [_sides_put_right([own.get(number) for number in numbers]) for own in by_number]
        out.append(
            Stretch(
                np.array(numbers),
                seconds,
                tuple(zip(*(figures for figures, _ in seen), strict=True)),
                np.any([swapped for _, swapped in seen], axis=0),
            )
        )
    return out


def _sides_put_right(
    figures: Sequence[Figure | None],
) -> tuple[list[Figure | None], np.ndarray]:
    """Figures with left and right as in most of their neighbours, and where they were exchanged.

    Of both readings of every frame the cheapest path: landmarks move as little as they can, and
    each exchange has its price (Viterbi, 1967).
    """
    seen = [index for index, figure in enumerate(figures) if figure is not None]
    costs = np.zeros((len(seen), 2))
    back = np.zeros((len(seen), 2), int)
    readings: list[np.ndarray] = []
    for row, index in enumerate(seen):
        figure = figures[index]
        assert figure is not None
        points = figure.landmarks.points
        both = np.stack([points[JOINTS], points[MIRROR][JOINTS]]) / max(figure.size, 1.0)
        readings.append(both)
        costs[row, 1] = _SWAP_COST
        if row:
            moved = np.linalg.norm(both[:, None] - readings[row - 1][None], axis=3).mean(2)
            total = moved + costs[row - 1][None]
            back[row] = total.argmin(1)
            costs[row] += total.min(1)
    swapped = np.zeros(len(figures), bool)
    state = int(costs[-1].argmin()) if seen else 0
    for row in range(len(seen) - 1, -1, -1):
        swapped[seen[row]] = bool(state)
        state = int(back[row, state])
    out = [
        _exchanged(figure) if figure is not None and flip else figure
        for figure, flip in zip(figures, swapped, strict=True)
    ]
    return out, swapped


def _exchanged(figure: Figure) -> Figure:
    """The figure with left and right exchanged; its body estimate, which is of the other side, is
    left out."""
    marks = figure.landmarks
    turned = Landmarks(
        marks.points[MIRROR], marks.visibility[MIRROR], marks.world[MIRROR], marks.disagreement
    )
    return replace(figure, landmarks=turned, estimate=None)
