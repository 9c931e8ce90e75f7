"""Colours of what the picture does not show: those of what people wear, not of what hides them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.texture.guesses import guessed_colors, hidden_vertices
from vitruvian.types.seen import BODY_PARTS, WHOLE, Seen

BLUE, RED, GREEN, SKIN = (40.0, 60.0, 160.0), (180.0, 30.0, 40.0), (30, 150, 60), (200, 150, 120)
EACH = 30  # vertices of each part


def told(
    seen: Seen, colors: dict[str, tuple[float, float, float]], face: tuple[float, ...] | None = None
) -> dict[str, tuple[float, ...] | None]:
    """The guess for each part, of somebody in whom parts of these kinds are in view."""
    parts = np.repeat(np.arange(len(BODY_PARTS)), EACH)
    of_vertex, weights = np.zeros((len(parts), 3)), np.zeros(len(parts))
    for number, part in enumerate(BODY_PARTS):
        for name, color in colors.items():
            if part.endswith(name):
                of_vertex[parts == number], weights[parts == number] = color, 1.0
    skin = None if face is None else np.array(face)
    beyond = np.arange(len(parts)) % EACH < EACH // 2
    out, meant = guessed_colors(seen, parts, weights, of_vertex, beyond, skin)
    of_cut = np.isin(parts, [BODY_PARTS.index(part) for part in seen.cut])
    assert not (meant & of_cut & ~beyond).any()  # inside the frame there is something to go by
    return {
        part: tuple(out[number * EACH].tolist()) if meant[number * EACH] else None
        for number, part in enumerate(BODY_PARTS)
    }


def without(state: str, *endings: str) -> Seen:
    states = tuple(state if part.endswith(endings) else "seen" for part in BODY_PARTS)
    return replace(WHOLE, states=states)  # type: ignore[arg-type]


def test_nothing_is_guessed_of_whole_people() -> None:
    assert set(told(WHOLE, {"chest": RED}).values()) == {None}
    assert not hidden_vertices(WHOLE, np.arange(len(BODY_PARTS))).any()


def test_trousers_go_on_and_a_coat_does_not() -> None:
    legs = without("cut", "lower leg", "foot")
    trousers = told(legs, {"chest": RED, "thigh": BLUE})
    assert trousers["left lower leg"] == pytest.approx(BLUE)
    assert trousers["left thigh"] is None
    assert max(trousers["left foot"] or ()) < 80  # shoes
    coat = told(legs, {"chest": RED, "thigh": RED})
    assert coat["left lower leg"] != pytest.approx(RED)
    other = told(without("cut", "left lower leg"), {"right lower leg": GREEN, "thigh": BLUE})
    assert other["left lower leg"] == pytest.approx(GREEN)


def test_skin_is_of_the_face_or_the_hands_but_not_of_what_hides_them() -> None:
    hands = told(without("cut", "hand"), {"chest": RED}, face=SKIN)
    assert hands["left hand"] == pytest.approx(SKIN)
    head = told(without("hidden", "head"), {"hand": SKIN}, face=BLUE)
    assert head["head"] == pytest.approx(SKIN)  # that blue is an umbrella
    gloves = told(without("hidden", "head"), {"hand": GREEN})
    red, green, blue = gloves["head"] or (0, 0, 0)
    assert red > green > blue


def test_vertices_of_hidden_parts_are_not_looked_up() -> None:
    hidden = hidden_vertices(without("hidden", "head", "left foot"), np.arange(len(BODY_PARTS)))
    assert [BODY_PARTS[i] for i in np.flatnonzero(hidden)] == ["head", "left foot"]
    cut = without("cut", "head")
    assert not hidden_vertices(cut, np.arange(len(BODY_PARTS))).any()
