"""What the user says of who is who."""

from __future__ import annotations

import pytest

from fit_people import photograph, random_body
from vitruvian.errors import InputError
from vitruvian.video.corrections import corrected, parse_same
from vitruvian.video.tracking import Sighting, Track

FIGURE, _ = photograph(*random_body(3))
FRAMES = [(number, number / 10) for number in range(60)]


def person(number: int, *frames: range) -> tuple[Track]:
    sightings = [Sighting(n, n / 10, FIGURE) for part in frames for n in part]
    return (Track(number, sightings),)


def shown(people) -> dict[int, list[int]]:
    return {track.id: [one.number for one in track.sightings] for (track,) in people}


PEOPLE = [person(1, range(5), range(20, 30)), person(2, range(10)), person(3, range(40, 50))]


def test_people_who_are_one_keep_the_least_number():
    found = shown(corrected(PEOPLE, FRAMES, same=[(3, 1)]))
    assert found == {1: [*range(5), *range(20, 30), *range(40, 50)], 2: list(range(10))}


def test_who_comes_back_as_somebody_else_gets_a_new_number():
    found = shown(corrected(PEOPLE, FRAMES, apart=[1]))
    assert found[1] == list(range(5))
    assert found[4] == list(range(20, 30))
    assert found[2] == list(range(10))
    # And then may be one with another.
    both = shown(corrected(PEOPLE, FRAMES, same=[(3, 4)], apart=[1]))
    assert both == {1: found[1], 2: found[2], 3: [*range(20, 30), *range(40, 50)]}


def test_nobody_is_in_two_places():
    with pytest.raises(InputError, match="1 and 2 are both in frame 0"):
        corrected(PEOPLE, FRAMES, same=[(1, 2)])


@pytest.mark.parametrize("asked", [{"same": [(1, 9)]}, {"apart": [9]}])
def test_numbers_that_do_not_exist(asked):
    with pytest.raises(InputError, match="no person 9: the people are 1, 2, 3"):
        corrected(PEOPLE, FRAMES, **asked)


def test_numbers_with_commas():
    assert parse_same(["2,5", "1, 3,4"]) == [(2, 5), (1, 3, 4)]
    for wrong in ("2", "a,b", "2,2", ""):
        with pytest.raises(InputError, match="--same 2,5"):
            parse_same([wrong])
