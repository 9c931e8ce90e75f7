"""The record of what a picture shows: everything else is said from it."""

from __future__ import annotations

from vitruvian.types.seen import BODY_PARTS, WHOLE, Seen, together


def with_states(**states: str) -> Seen:
    """A person of whom everything is seen but these parts, with _ for the space."""
    named = {part.replace("_", " "): state for part, state in states.items()}
    return Seen(tuple(named.get(part, "seen") for part in BODY_PARTS))  # type: ignore[arg-type]


def test_whole_is_nothing_cut_nor_hidden_but_the_own_body_may_hide_something() -> None:
    assert WHOLE.complete
    assert WHOLE.unseen == ()
    behind = with_states(left_hand="behind")
    assert behind.complete
    assert behind.guessed == ("left hand",)
    assert not with_states(left_hand="hidden").complete
    assert not with_states(left_foot="cut").complete


def test_what_is_left_out_is_no_guess() -> None:
    seen = with_states(left_foot="cut", head="hidden")
    assert seen.guessed == ("head", "left foot")
    ends = seen.ending_at_the_frame()
    assert ends.guessed == ("head",)
    assert ends.cut == ("left foot",)
    assert ends.unseen == seen.unseen


def test_what_one_of_several_pictures_shows_is_seen() -> None:
    half = Seen(with_states(left_foot="cut", head="hidden").states, 0.5, "half")
    other = Seen(with_states(left_foot="cut", right_foot="cut").states, 0.6, "three-quarter")
    both = together([half, other])
    assert both.unseen == ("left foot",)
    assert (both.share, both.extent) == (0.6, "three-quarter")
