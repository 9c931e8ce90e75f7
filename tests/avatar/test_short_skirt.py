"""Short skirts are told by the legs below them, on legs that are laid out in a grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import figure_of
from vitruvian.avatar.leg_grid import LegGrid
from vitruvian.avatar.short_skirt import short_hem
from vitruvian.hints import Hint
from vitruvian.types.face import Face
from vitruvian.types.figure import Figure

CLOTH, SKIN, BOOTS, BEHIND = (
    np.array(one) for one in ((24.0, 2.0, -18.0), (32.0, 12.0, 16.0), (4.0, 0, 0), (38.0, -6, 4))
)
LEVELS, SHARES = np.arange(-0.3, 2.05, 0.025), np.linspace(-1.4, 2.4, 96)


def grid(
    hem: float, *, notch: float = 0.0, above: np.ndarray = CLOTH, below: np.ndarray = SKIN
) -> LegGrid:
    """Something down to a hem, with a notch in the middle, and two legs below."""
    lab = np.zeros((len(LEVELS), len(SHARES), 3)) + BEHIND
    off = np.abs(SHARES - 0.5)
    ends = hem - notch * (off < 0.15)
    cloth = (LEVELS[:, None] < ends) & (off < 1.0)
    legs = (off > 0.15) & (off < 0.9) & ~cloth
    lab[cloth], lab[legs] = above, below
    lab += np.random.default_rng(0).normal(0, 0.5, lab.shape)
    on = cloth | legs
    return LegGrid(LEVELS, SHARES, lab.astype(np.float32), on, np.ones_like(on))


def person(odds: float, hint: Hint | None = None) -> Figure:
    face = Face(np.zeros(4), 1.0, odds, 30.0, 5.0)
    return replace(figure_of(np.ones((40, 20), bool)), face=face, hint=hint)


WOMAN = person(4.0)


def test_a_hem_across_both_legs_is_that_of_a_skirt() -> None:
    assert short_hem(grid(0.6), WOMAN) == pytest.approx(0.6, abs=0.03)


def test_shorts_have_a_notch_between_the_legs() -> None:
    assert short_hem(grid(0.6, notch=0.15), WOMAN) is None


def test_men_and_whom_no_face_tells_wear_shorts() -> None:
    assert short_hem(grid(0.6), person(-4.0)) is None
    assert short_hem(grid(0.6), replace(WOMAN, face=None)) is None
    assert short_hem(grid(0.6), person(-4.0, Hint(sex="woman"))) is not None
    assert short_hem(grid(0.6), person(4.0, Hint(sex="man"))) is None


def test_skin_that_ends_at_boots_is_no_skirt() -> None:
    assert short_hem(grid(1.1), WOMAN) == pytest.approx(1.1, abs=0.03)
    assert short_hem(grid(1.1, above=SKIN, below=BOOTS), WOMAN) is None


def test_what_hides_one_hem_leaves_the_other() -> None:
    whole = grid(0.6)
    clear = whole.clear.copy()
    clear[whole.within(0.4, 0.8)] = SHARES > 0.2
    assert short_hem(replace(whole, clear=clear), WOMAN) == pytest.approx(0.6, abs=0.03)
    clear[whole.within(0.4, 0.8)] = False
    assert short_hem(replace(whole, clear=clear), WOMAN) is None


def test_trousers_end_nowhere() -> None:
    assert short_hem(grid(0.6, below=CLOTH), WOMAN) is None
