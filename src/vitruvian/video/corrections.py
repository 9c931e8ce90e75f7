"""What the user knows of who is who: tracks that are one person's, or several people's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from vitruvian.errors import InputError
from vitruvian.video.stretches import runs_of
from vitruvian.video.tracking import Track

People = Sequence[tuple[Track, ...]]


def corrected(
    people: People,
    frames: Sequence[tuple[int, float]],
    same: Iterable[Collection[int]] = (),
    apart: Collection[int] = (),
) -> list[tuple[Track, ...]]:
    """The people after what the user says; numbers of all others stay.

    Args:
        people: of each a track from every camera, with ids from 1.
        frames: numbers and seconds of all frames that were looked at.
        same: numbers of people who are one, who keeps the least of them.
        apart: numbers of people who are another one each time that they come back; these get the
            numbers behind all others, in the order of appearance.

    Raises:
        InputError: there is no such number, or people who are said to be one are in one frame.
    """
    by_id = {tracks[0].id: tracks for tracks in people}
    for number in apart:
        tracks = _known(by_id, number)
        for run in runs_of(tracks, frames)[1:]:
            last = max(by_id) + 1
            by_id[last] = _within(tracks, set(run), last)
            by_id[number] = _within(by_id[number], _frames(by_id[number]) - set(run), number)
    for numbers in same:
        first, *others = sorted(set(numbers))
        for other in others:
            both = _frames(_known(by_id, first)) & _frames(_known(by_id, other))
            if both:
                raise InputError(
                    f"Persons {first} and {other} are both in frame {min(both)}, so they are not "
                    "the same: look at the numbers in viewer.html.",
                    code="bad-option",
                )
            pairs = zip(by_id[first], by_id.pop(other), strict=True)
            by_id[first] = tuple(_one(*pair) for pair in pairs)
        _known(by_id, first)
    return [by_id[number] for number in sorted(by_id)]


def _known(by_id: dict[int, tuple[Track, ...]], number: int) -> tuple[Track, ...]:
    if number not in by_id:
        raise InputError(
            f"There is no person {number}: the people are {', '.join(map(str, sorted(by_id)))}.",
            code="bad-option",
        )
    return by_id[number]


def _frames(tracks: Sequence[Track]) -> set[int]:
    return {one.number for track in tracks for one in track.sightings}


def _within(tracks: Sequence[Track], numbers: set[int], number: int) -> tuple[Track, ...]:
    return tuple(replace(track.within(numbers), id=number) for track in tracks)


def _one(first: Track, other: Track) -> Track:
    both = sorted([*first.sightings, *other.sightings], key=lambda one: one.number)
    return replace(first, sightings=both)


def parse_same(given: Iterable[str]) -> list[tuple[int, ...]]:
    """``["2,5", "1,3,4"]`` as numbers. Raises ``InputError`` for anything else."""
    out = []
    for text in given:
        try:
            numbers = tuple(int(part) for part in text.split(","))
        except ValueError:
            numbers = ()
        if len(set(numbers)) < 2:
            raise InputError(
                f"--same {text} names no people who are one: give their numbers, as in --same 2,5.",
                code="bad-option",
            )
        out.append(numbers)
    return out
