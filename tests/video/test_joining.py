"""Which tracks are one person's: coloured boxes that hide each other, leave and come back."""

from __future__ import annotations

import pytest
from test_tracking import BLUE, GREEN, RED, drawn

from vitruvian.video.joining import at_edge_of, joined
from vitruvian.video.looks import looks_of
from vitruvian.video.tracking import Tracker

BLACK = (20, 20, 20)
MIDDLE, OUT = 320, 34  # where people are; the box of the second is cut by the left edge


def people(moments):
    """The seconds at which each person is there, of moments given as (second, [(x, colour)])."""
    tracker = Tracker()
    for number, (second, seen) in enumerate(moments):
        pixels, figures = drawn(seen)
        tracker.update(number, second, figures, [looks_of(pixels, one) for one in figures])
    return [[s.time_s for s in one.sightings] for one in joined(tracker.tracks)]


def at(start, seen):
    """Four moments from a second on."""
    return [(start + k / 10, seen) for k in range(4)]


def gone(start):
    return [(start + k / 2, []) for k in range(2)]


def test_who_was_hidden_is_known_by_their_clothes():
    away = at(0, [(MIDDLE, RED)]) + gone(1)
    assert len(people(away + at(2, [(MIDDLE + 60, RED)]))) == 1
    assert len(people(away + at(2, [(MIDDLE + 60, GREEN)]))) == 2


def test_nobody_comes_back_faster_than_people_move():
    moments = at(0, [(100, RED)]) + [(0.4, [])] + [(1.0 + k, []) for k in (0, 0.1)]
    assert len(people([*moments, *at(1.2, [(540, RED)])])) == 1
    assert len(people([(0.0, [(100, RED)]), (0.1, []), *at(0.2, [(540, RED)])])) == 2


def test_two_who_were_hidden_come_back_elsewhere():
    both = at(0, [(200, RED), (400, BLUE)]) + gone(1) + at(2, [(260, BLUE), (380, RED)])
    assert [len(one) for one in people(both)] == [8, 8]


def test_of_two_alike_nobody_is_taken_for_the_other_at_random():
    both = at(0, [(200, RED), (440, RED)]) + gone(1)
    assert len(people(both + at(2, [(320, RED)]))) == 3
    # Where one of them is still there, it is the other.
    one_stays = at(0, [(200, RED), (440, RED)]) + at(1, [(440, RED)]) + at(2, [(440, RED)])
    again = at(3, [(440, RED), (260, RED)])
    assert sorted(len(one) for one in people(one_stays + again)) == [8, 16]


@pytest.mark.parametrize(
    ("colour", "away_s", "count"),
    [(RED, 2, 1), (RED, 30, 1), (BLACK, 1, 1), (BLACK, 30, 2)],
)
def test_black_clothes_tell_little_of_who_left_the_picture(colour, away_s, count):
    moments = at(0, [(OUT, colour)]) + gone(0.5) + [(away_s, [])]
    assert len(people(moments + at(away_s + 0.5, [(OUT, colour)]))) == count


def test_behind_something_hardly_anybody_else_is():
    moments = at(0, [(MIDDLE, BLACK)]) + gone(1) + [(8, [])] + at(9, [(MIDDLE, BLACK)])
    assert len(people(moments)) == 1


def test_edges_of_the_picture():
    for x, cut in ((OUT, True), (MIDDLE, False), (640 - OUT, True)):
        _, (figure,) = drawn([(x, RED)])
        assert at_edge_of(figure) == cut
