"""Who is who from frame to frame."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from vitruvian.geometry.pairing import best_pairs
from vitruvian.networks.nanodet import box_iou
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.keypoints import CORE
from vitruvian.video.looks import Looks

Sight = TypeVar("Sight")

RECENT_S = 0.6  # how long somebody who was not seen is expected where they were going
_LEAST_SCORE = 0.35  # of the same person in successive frames
_NEARBY = 0.12  # of the size: distance of landmarks that is as good as an IoU of 1 / e
_NEWEST = 0.1  # share of the newest look in the running mean


@dataclass(frozen=True, eq=False)
class Sighting:
    """Somebody in one frame.

    Attributes:
        number: of the frame in the clip.
        time_s: of the frame.
        figure: as found.
        careful: it was looked at with more care than in passing.
        foreign: what the matte left out since, for it is not theirs; None where there is nothing.
    """

    number: int
    time_s: float
    figure: Figure
    careful: bool = True
    foreign: Alpha | None = None


@dataclass(eq=False)
class Track:
    """One person through a clip.

    Attributes:
        id: from 1, in the order of appearance.
        sightings: in order.
        looks: what they wear, a running mean.
    """

    id: int
    sightings: list[Sighting] = field(default_factory=list)
    looks: Looks | None = None

    @property
    def last(self) -> Sighting:
        """The newest sighting."""
        return self.sightings[-1]

    def within(self, numbers: Container[int]) -> Track:
        """The track in some of the frames alone, by their numbers."""
        return replace(self, sightings=[one for one in self.sightings if one.number in numbers])

    def expected_shift(self, time_s: float) -> np.ndarray:
        """How far (2,) pixels they should have moved since, by their speed of late."""
        if len(self.sightings) < 2:
            return np.zeros(2)
        now = self.last
        then = next(
            (one for one in reversed(self.sightings[:-1]) if now.time_s - one.time_s > 0.1),
            self.sightings[0],
        )
        moved = middle_of(now.figure) - middle_of(then.figure)
        seconds = max(now.time_s - then.time_s, 1e-3)
        # Nobody keeps their speed for long.
        return np.asarray(moved / seconds * min(time_s - now.time_s, 0.3))


class Tracker:
    """Gives the figures of successive frames to tracks.

    Figures go to whoever was there a moment ago by the overlap of boxes and mattes, the distance
    of landmarks and the colours of clothes, surest pairs first. Whoever comes later begins a new
    track: ``joining`` knows all of the clip.
    """

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._before_s = -np.inf  # of the frame before

    def recent(self, time_s: float) -> list[Track]:
        """Tracks that were seen a moment ago, or in the frame before."""
        since = min(time_s - RECENT_S, self._before_s)
        return [track for track in self.tracks if track.last.time_s >= since]

    def update(
        self,
        number: int,
        time_s: float,
        figures: Sequence[Figure],
        looks: Sequence[Looks],
        *,
        careful: bool = True,
    ) -> list[Track]:
        """The track of each figure of a frame, which looks so, after adding it there."""
        given: dict[int, Track] = {}
        near = self.recent(time_s)
        scores = np.array(
            [
                [
                    _score(track, time_s, figure, look)
                    for figure, look in zip(figures, looks, strict=True)
                ]
                for track in near
            ]
        ).reshape(len(near), len(figures))
        for row, column in best_pairs(scores, _LEAST_SCORE).items():
            given[column] = near[row]
        for column in range(len(figures)):
            if column not in given:
                given[column] = Track(len(self.tracks) + 1)
                self.tracks.append(given[column])
        for column, figure in enumerate(figures):
            track, look = given[column], looks[column]
            track.sightings.append(Sighting(number, time_s, figure, careful))
            crowded = any(box_iou(figure.box, o.box) > 0.2 for o in figures if o is not figure)
            if track.looks is None:
                track.looks = look
            elif not crowded:
                track.looks = track.looks.blended(look, _NEWEST)
        self._before_s = time_s
        return [given[column] for column in range(len(figures))]


def settled(tracks: Sequence[Track], *, least_s: float, least: int) -> list[Track]:
    """Tracks long enough to be somebody, numbered anew; the others are passing errors."""
    kept = [
        track
        for track in tracks
        if len(track.sightings) >= least
        and track.last.time_s - track.sightings[0].time_s >= least_s
    ]
    return [replace(track, id=number) for number, track in enumerate(kept, 1)]


def size_of(tracks: Sequence[Track]) -> float:
    """How much of somebody the clips show: their sizes in pixels, over all frames."""
    return float(sum(one.figure.size for track in tracks for one in track.sightings))


def spread_best(
    sightings: Sequence[Sight], most: int, worth: Callable[[Sight], float]
) -> list[Sight]:
    """At most so many sightings of the greatest ``worth``, spread over the whole track."""
    if not sightings:
        return []
    parts = np.array_split(np.arange(len(sightings)), min(most, len(sightings)))
    return [max((sightings[i] for i in part), key=worth) for part in parts]


def _score(track: Track, time_s: float, figure: Figure, look: Looks) -> float:
    last = track.last.figure
    shift = track.expected_shift(time_s)
    overlap = box_iou(last.box + np.tile(shift, 2), figure.box)
    points = last.landmarks.points + shift
    away = np.median(np.linalg.norm((points - figure.landmarks.points)[CORE], axis=1))
    near = float(np.exp(-away / (_NEARBY * max(min(last.size, figure.size), 1.0))))
    like = track.looks.likeness(look) if track.looks is not None else float("nan")
    if not np.isfinite(like):
        like = 0.7
    if max(overlap, near) < 0.1:
        return 0.0
    return 0.25 * overlap + 0.25 * near + 0.15 * _matte_iou(last, figure, shift) + 0.35 * like**2


def _matte_iou(before: Figure, after: Figure, shift: np.ndarray) -> float:
    """IoU of two mattes, the first moved by ``shift`` (2,) pixels, at a quarter of the size."""
    x0, y0 = np.floor(np.minimum(before.box[:2] + shift, after.box[:2])).astype(int)
    x1, y1 = np.ceil(np.maximum(before.box[2:] + shift, after.box[2:])).astype(int)
    if (x1 - x0) * (y1 - y0) > 4 * max(before.alpha.values.size, after.alpha.values.size):
        return 0.0
    dx, dy = np.round(shift).astype(int)
    a = before.alpha.window(x0 - dx, y0 - dy, x1 - dx, y1 - dy)[::4, ::4] > 127
    b = after.alpha.window(x0, y0, x1, y1)[::4, ::4] > 127
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 0.0


def middle_of(figure: Figure) -> np.ndarray:
    """(2,) pixels, of the box."""
    return np.asarray(figure.box[:2] + figure.box[2:]) / 2
