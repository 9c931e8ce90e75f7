"""Which tracks are one person's: who was hidden or away, and came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vitruvian.types.figure import Figure
from vitruvian.video.looks import Looks
from vitruvian.video.tracking import Sighting, Track, middle_of

# Log-odds that who comes is who went, before looks and time. Out of sight inside of the picture is
# behind something, from where hardly anybody else comes; at the picture's edge anybody may come.
_INSIDE, _AT_EDGE = 3.5, 1.0
_FORGOTTEN_INSIDE, _FORGOTTEN = 0.5, 0.8  # what they lose with each factor of e of 1 + seconds
_SAME_LIKENESS, _PER_LIKENESS = 0.75, 12.0  # likeness that says nothing, and log-odds per 1
_UNLIKE = -4.0  # log-odds of looks, at least
# And at most: many people wear black, grey and white, so that to be alike in these tells little.
_ALIKE_COLOURED, _ALIKE_COMMON = 3.0, 0.8
_FASTEST = 3.0  # sizes per second that somebody may have moved
_EDGE_SHARE = 0.015  # of the picture's longer side: from there on a box is at its edge


@dataclass(frozen=True, eq=False)
class Group:
    """Tracks of one person.

    Attributes:
        tracks: in the order of time; they do not overlap.
        numbers: of the frames that show them.
        looks: the mean over their frames; None where nothing is known.
    """

    tracks: tuple[Track, ...]
    numbers: frozenset[int]
    looks: Looks | None

    @staticmethod
    def of(track: Track) -> Group:
        """One track alone."""
        return Group((track,), frozenset(one.number for one in track.sightings), track.looks)

    def with_(self, other: Group) -> Group:
        """Both together."""
        both = sorted((*self.tracks, *other.tracks), key=lambda one: one.sightings[0].number)
        looks = self.looks if other.looks is None else other.looks
        if self.looks is not None and other.looks is not None:
            share = len(other.numbers) / (len(self.numbers) + len(other.numbers))
            looks = self.looks.blended(other.looks, share)
        return Group(tuple(both), self.numbers | other.numbers, looks)


def joined(tracks: Sequence[Track]) -> list[Track]:
    """Everybody's tracks made one.

    Pairs that are each other's likeliest are joined, and then all are compared anew. A pair counts
    where it is likelier than not, also among all others whom either may be, so that of two alike
    who were hidden nobody is taken for the other at random.

    Args:
        tracks: unbroken ones, each of one person.

    Returns:
        In the order of appearance, ids from 1.
    """
    groups = [Group.of(track) for track in tracks]
    odds = np.full((len(groups), len(groups)), -np.inf)
    _compare(groups, odds, range(len(groups)))
    while groups:
        sure = np.where(_surest(groups, odds), odds, -np.inf)
        best = sure.argmax(1)
        pairs = [
            (a, int(b))
            for a, b in enumerate(best)
            if a < b and best[b] == a and np.isfinite(sure[a, b])
        ]
        if not pairs:
            break
        for a, b in pairs:
            groups[a] = groups[a].with_(groups[b])
        left = np.setdiff1d(np.arange(len(groups)), [b for _, b in pairs])
        groups = [groups[index] for index in left]
        odds = odds[np.ix_(left, left)]
        _compare(groups, odds, np.searchsorted(left, [a for a, _ in pairs]).tolist())
    people = sorted(groups, key=lambda group: group.tracks[0].sightings[0].number)
    return [
        Track(number, [one for track in group.tracks for one in track.sightings], group.looks)
        for number, group in enumerate(people, 1)
    ]


def _compare(groups: Sequence[Group], odds: np.ndarray, new: Iterable[int]) -> None:
    """Fill in the rows and columns of groups that are new."""
    for a in new:
        for b, group in enumerate(groups):
            if b != a:
                odds[a, b] = odds[b, a] = same_log_odds(groups[a], group)


def _surest(groups: Sequence[Group], odds: np.ndarray) -> np.ndarray:
    """(N, N) bool, whether a pair is likelier than not, and than all others whom either may be.

    Others are those who were there at the same time as one of the two: who was not may be the same
    person, too.
    """
    apart = np.array([[a is not b and bool(a.numbers & b.numbers) for b in groups] for a in groups])
    weights = np.exp(np.clip(odds, -30, 30)) * np.isfinite(odds)
    rivals = apart @ weights  # of the row, whom the column may be
    return np.asarray((odds > 0) & (weights > rivals + 1) & (weights > rivals.T + 1))


def same_log_odds(one: Group, other: Group) -> float:
    """Log-odds that two groups are one person; -inf where they cannot be."""
    if one.numbers & other.numbers:
        return -np.inf
    best = -np.inf
    merged = sorted(
        [(track.sightings[0].number, track, True) for track in one.tracks]
        + [(track.sightings[0].number, track, False) for track in other.tracks],
        key=lambda each: each[0],
    )
    # All neighbours in time must be possible; the surest change tells.
    for (_, first, mine), (_, second, theirs) in pairwise(merged):
        if first.last.number >= second.sightings[0].number:
            return -np.inf
        if mine != theirs:
            chance = _came_back(first.last, second.sightings[0])
            if not np.isfinite(chance):
                return -np.inf
            best = max(best, chance)
    return best + _looks_log_odds(one.looks, other.looks)


def _came_back(went: Sighting, came: Sighting) -> float:
    """Log-odds by time and place alone."""
    seconds = came.time_s - went.time_s
    size = max(went.figure.size, came.figure.size)
    far = float(np.linalg.norm(middle_of(came.figure) - middle_of(went.figure)))
    if far > size * (0.5 + _FASTEST * seconds):
        return -np.inf
    if at_edge_of(went.figure) or at_edge_of(came.figure):
        return _AT_EDGE - _FORGOTTEN * float(np.log1p(seconds))
    return _INSIDE - _FORGOTTEN_INSIDE * float(np.log1p(seconds))


def at_edge_of(figure: Figure) -> bool:
    """Whether somebody is cut by an edge of the picture, or nearly."""
    alpha = figure.alpha
    margin = _EDGE_SHARE * max(alpha.width, alpha.height)
    low, high = figure.box[:2], np.array([alpha.width, alpha.height]) - figure.box[2:]
    return bool(min(*low, *high) < margin)


def _looks_log_odds(one: Looks | None, other: Looks | None) -> float:
    like = float("nan") if one is None or other is None else one.likeness(other)
    if one is None or other is None or not np.isfinite(like):
        return 0.0
    common = max(one.common, other.common)
    most = _ALIKE_COLOURED + (_ALIKE_COMMON - _ALIKE_COLOURED) * common
    return float(np.clip(_PER_LIKENESS * (like - _SAME_LIKENESS), _UNLIKE, most))
