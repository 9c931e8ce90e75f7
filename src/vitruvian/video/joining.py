"""Which tracks are one person's: who was hidden or away, and came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vitruvian.types.figure import Figure
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
    """Tracks of one person, in the order of time.

    Attributes:
        tracks: which do not overlap.
        numbers: of the frames that show them.
    """

    tracks: tuple[Track, ...]
    numbers: frozenset[int]

    def with_(self, other: Group) -> Group:
        """Both together."""
        both = sorted((*self.tracks, *other.tracks), key=lambda one: one.sightings[0].number)
        return Group(tuple(both), self.numbers | other.numbers)


def joined(tracks: Sequence[Track]) -> list[Track]:
    """Everybody's tracks made one.

    The likeliest pair is joined first, and then all are compared anew. A pair counts where it is
    likelier than not, also among all others whom either may be, so that of two alike who were
    hidden nobody is taken for the other at random.

    Args:
        tracks: unbroken ones, each of one person.

    Returns:
        In the order of appearance, ids from 1.
    """
    groups = [Group((one,), frozenset(s.number for s in one.sightings)) for one in tracks]
    odds = np.full((len(groups), len(groups)), -np.inf)
    for a in range(len(groups)):
        for b in range(a):
            odds[a, b] = odds[b, a] = same_log_odds(groups[a], groups[b])
    while len(groups) > 1:
        sure = np.where(_surest(groups, odds), odds, -np.inf)
        a, b = (int(v) for v in np.unravel_index(int(sure.argmax()), odds.shape))
        if not np.isfinite(sure[a, b]):
            break
        groups[a] = groups[a].with_(groups[b])
        del groups[b]
        odds = np.delete(np.delete(odds, b, 0), b, 1)
        a -= b < a
        for other, group in enumerate(groups):
            if other != a:
                odds[a, other] = odds[other, a] = same_log_odds(groups[a], group)
    people = [_one_track(group) for group in groups]
    people.sort(key=lambda track: track.sightings[0].number)
    return [Track(number, one.sightings, one.looks) for number, one in enumerate(people, 1)]


def _surest(groups: Sequence[Group], odds: np.ndarray) -> np.ndarray:
    """(N, N) bool, whether a pair is likelier than not, and than all others whom either may be.

    Others are those who were there at the same time as one of the two: who was not may be the same
    person, too.
    """
    apart = np.array([[a is not b and bool(a.numbers & b.numbers) for b in groups] for a in groups])
    weights = np.exp(np.clip(odds, -30, 30)) * np.isfinite(odds)
    rivals = apart @ weights  # of the row, whom the column may be
    return (odds > 0) & (weights > rivals + 1) & (weights > rivals.T + 1)


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
    return best + _looks_log_odds(_one_track(one), _one_track(other))


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


def _looks_log_odds(one: Track, other: Track) -> float:
    if one.looks is None or other.looks is None:
        return 0.0
    like = one.looks.likeness(other.looks)
    if not np.isfinite(like):
        return 0.0
    common = max(one.looks.common, other.looks.common)
    most = _ALIKE_COLOURED + (_ALIKE_COMMON - _ALIKE_COLOURED) * common
    return float(np.clip(_PER_LIKENESS * (like - _SAME_LIKENESS), _UNLIKE, most))


def _one_track(group: Group) -> Track:
    sightings = sorted((s for track in group.tracks for s in track.sightings), key=_number)
    looks, seen = None, 0
    for track in group.tracks:
        if track.looks is not None:
            count = len(track.sightings)
            looks = (
                track.looks if looks is None else looks.blended(track.looks, count / (seen + count))
            )
            seen += count
    return Track(group.tracks[0].id, sightings, looks)


def _number(sighting: Sighting) -> int:
    return sighting.number
