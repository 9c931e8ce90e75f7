"""Unbroken stretches of a track: its frames, what was seen in each, flips put right, still feet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vitruvian.types.figure import Figure, Landmarks
from vitruvian.types.keypoints import HEELS, JOINTS, MIRROR, TOES
from vitruvian.video.eyes import Eyes
from vitruvian.video.tracking import RECENT_S, Track

_SHORTEST = 3  # frames
_WINDOW_S = 0.12  # before and after, over which the speed of feet is taken
_STILL = 0.08  # heights per second below which a foot stays where it is
_SEEN = 0.5  # visibility of a foot that tells
_SWAP_COST = 0.02  # of the size, for calling left right in a frame
_SOLES = np.stack([HEELS, TOES], axis=1)


@dataclass(frozen=True, eq=False)
class Stretch:
    """Somebody in successive frames, among which they may be lost for moments.

    Attributes:
        numbers: (T,) of the frames in the clip.
        times_s: (T,) of the frames.
        figures: (T) tuples of what each camera shows, left and right put right; None where it
            does not show them. They are never lost first or last.
        still: (T - 1, 2) bool, whether the left and the right foot stay where they are.
        swapped: (T,) bool, where left and right were exchanged for a camera.
    """

    numbers: np.ndarray
    times_s: np.ndarray
    figures: tuple[tuple[Figure | None, ...], ...]
    still: np.ndarray
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
            self.still[first : end - 1],
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


def stretches_of(
    tracks: Sequence[Track], frames: Sequence[tuple[int, float]], eyes: Eyes | None = None
) -> list[Stretch]:
    """One person's tracks cut where they are away for long.

    Args:
        tracks: of one person, from each camera; without sightings where it never shows them.
        frames: numbers and seconds of all frames that were looked at.
        eyes: the cameras; None where they stand still.
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
                _still_for_all(seconds, [figures for figures, _ in seen], eyes, numbers),
                np.any([swapped for _, swapped in seen], axis=0),
            )
        )
    return out


def _still_for_all(
    times_s: np.ndarray,
    views: Sequence[Sequence[Figure | None]],
    eyes: Eyes | None,
    numbers: Sequence[int],
) -> np.ndarray:
    """Feet (T - 1, 2) that some camera sees stay and none sees move."""
    states = []
    for which, figures in enumerate(views):

        def carried(points: np.ndarray, index: int, to: int, which: int = which) -> np.ndarray:
            if eyes is None:
                return points
            return eyes.carried(which, points, numbers[index], numbers[to])

        states.append(_feet(times_s, figures, carried))
    still = np.any([still for still, _ in states], axis=0)
    moving = np.any([seen & ~still for still, seen in states], axis=0)
    both = still & ~moving
    return np.asarray(both[:-1] & both[1:])


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


def still_feet(times_s: np.ndarray, figures: Sequence[Figure | None]) -> np.ndarray:
    """Which feet stay where they are for a camera that stands still: (T - 1, 2) bool, left and
    right.

    The picture is asked, not the reconstruction: heel and tip keep their place in it.
    """
    return _still_for_all(times_s, [figures], None, range(len(figures)))


def _feet(
    times_s: np.ndarray,
    figures: Sequence[Figure | None],
    carried: Callable[[np.ndarray, int, int], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Of one camera's frames which feet (T, 2) stay, and which it sees at all.

    ``carried`` moves points of one frame to where they would be in another, were they still.
    """
    still = np.zeros((len(figures), 2), bool)
    visible = np.zeros((len(figures), 2), bool)
    seen = np.array([figure is not None for figure in figures])
    marks = {n: one.landmarks.points for n, one in enumerate(figures) if one is not None}
    for index, figure in enumerate(figures):
        if figure is None:
            continue
        near = np.flatnonzero(seen & (np.abs(times_s - times_s[index]) <= _WINDOW_S))
        if len(near) < 2:
            near = np.flatnonzero(seen)[np.argsort(np.abs(times_s[seen] - times_s[index]))[:2]]
        visible[index] = (figure.landmarks.visibility[_SOLES] > _SEEN).all(1)
        if len(near) < 2:
            continue
        points = np.stack([carried(marks[int(n)], int(n), index) for n in near])
        seconds = times_s[near] - times_s[near].mean()
        speed = np.tensordot(seconds, points - points.mean(0), 1) / (seconds**2).sum()
        height = max(float(figure.box[3] - figure.box[1]), 1.0)
        slow = np.linalg.norm(speed[_SOLES], axis=2) < _STILL * height
        still[index] = slow.all(1) & visible[index]
    return still, visible
