"""Sentences about what a picture shows of somebody: one per cause, in words that people use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vitruvian.result.seen import seen_warnings
from vitruvian.types.seen import BODY_PARTS, WHOLE, Seen

LEGS = ("left thigh", "right thigh", "left lower leg", "right lower leg", "left foot", "right foot")


def seen(extent: str, cut: tuple[str, ...] = (), hidden: tuple[str, ...] = ()) -> Seen:
    states = tuple(
        "cut" if part in cut else "hidden" if part in hidden else "seen" for part in BODY_PARTS
    )
    return replace(WHOLE, states=states, extent=extent)  # type: ignore[arg-type]


def test_nothing_is_said_of_whole_figures() -> None:
    assert seen_warnings(WHOLE) == []


@pytest.mark.parametrize(
    ("extent", "left_out", "completed"),
    [
        ("three-quarter", "so this is a three-quarter figure.", "so what is below is a guess."),
        ("half", "The picture ends at the waist, so this is a half figure.", "below is a guess."),
        ("bust", "so this is a bust.", "at the chest, so what is below is a guess."),
        ("head", "a face and no body, so this is a head.", "no body, so the body is a guess."),
    ],
)  # fmt: skip
def test_one_sentence_says_where_the_picture_ends(
    extent: str, left_out: str, completed: str
) -> None:
    shown = seen(extent, LEGS)
    (made,) = seen_warnings(shown)
    (cut,) = seen_warnings(shown.ending_at_the_frame())
    assert cut.endswith(left_out)
    assert made.endswith(completed)


def test_pairs_and_limbs_are_named_once() -> None:
    (sentence,) = seen_warnings(seen("whole", hidden=("left lower leg", "left foot")))
    assert sentence.startswith("The left lower leg and foot are not to be seen")
    (sentence,) = seen_warnings(seen("whole", hidden=("left hand", "right hand")))
    assert sentence.startswith("The hands are not to be seen")
    (sentence,) = seen_warnings(seen("whole", hidden=("head",)))
    assert sentence.startswith("The head is not to be seen")


def test_the_frames_side_and_what_is_hidden_are_two_causes() -> None:
    shown = seen("part", cut=("left foot",), hidden=("head",)).ending_at_the_frame()
    cut, hidden = seen_warnings(shown)
    assert cut == "The frame cuts off the left foot, which is left out."
    assert "head" in hidden
    (much,) = seen_warnings(seen("part", cut=BODY_PARTS[:6]))
    assert much == "The frame cuts off much of the person, which is a guess."
