"""Trousers are told from skirts by colours, on legs that are laid out in a grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import alpha_of, figure_of, mask_of, photo_with, standing_body
from vitruvian.avatar.leg_grid import LegGrid
from vitruvian.avatar.outline import legs_window
from vitruvian.avatar.trousers import backdrop_between, goes_on, mans
from vitruvian.hints import Hint
from vitruvian.texture.carried import Carried
from vitruvian.types.face import Face
from vitruvian.types.figure import Figure

CLOTH, LEGS, BEHIND = (24.0, 2.0, -18.0), (32.0, 12.0, 16.0), (38.0, -6.0, 4.0)


def grid(hem: float, below: tuple[float, float, float], *, gap: bool = False) -> LegGrid:
    """One cloth down to a hem, and something below; with a gap the backdrop shows between, though
    the matte does not have it."""
    levels, shares = np.arange(-0.3, 2.05, 0.025), np.linspace(-1.4, 2.4, 96)
    lab = np.zeros((len(levels), len(shares), 3)) + BEHIND
    on = np.zeros(lab.shape[:2], bool)
    on[:, (shares > -0.5) & (shares < 1.5)] = True
    lab[on] = CLOTH
    lab[(levels > hem)[:, None] & on] = below
    if gap:
        lab[:, np.abs(shares - 0.5) < 0.1] = BEHIND
    lab += np.random.default_rng(0).normal(0, 0.5, lab.shape)
    return LegGrid(levels, shares, lab.astype(np.float32), on, np.ones_like(on))


@pytest.mark.parametrize(
    ("below", "told"), [(CLOTH, True), ((25.0, 4.0, -15.0), True), (LEGS, False)]
)
def test_cloth_that_goes_on_below_is_of_trousers(
    below: tuple[float, float, float], told: bool
) -> None:
    assert goes_on(grid(1.0, below), 1.0) is told


def test_a_skirt_whose_hem_was_told_too_high_stays() -> None:
    assert not goes_on(grid(1.4, LEGS), 0.9)


def test_black_skirts_over_black_stockings_stay() -> None:
    dark = grid(1.0, CLOTH)
    assert not goes_on(replace(dark, lab=dark.lab * np.float32([0.2, 1, 1])), 1.0)


def test_what_hides_legs_tells_nothing() -> None:
    seen = grid(1.0, CLOTH)
    assert not goes_on(replace(seen, clear=np.zeros_like(seen.on)), 1.0)


def test_a_backdrop_between_the_legs_is_seen_where_the_matte_is_closed() -> None:
    assert backdrop_between(grid(2.0, CLOTH, gap=True), 2.0)
    assert not backdrop_between(grid(2.0, CLOTH), 2.0)


def test_a_print_is_no_backdrop() -> None:
    plain = grid(2.0, CLOTH)
    lab = plain.lab.copy()
    lab[:, np.abs(plain.shares - 0.5) < 0.1] = (20.0, 30.0, 10.0)
    assert not backdrop_between(replace(plain, lab=lab), 2.0)


def test_who_is_believed_to_be_a_man() -> None:
    figure = figure_of(np.ones((40, 20), bool))

    def with_face(odds: float, hint: Hint | None = None) -> Figure:
        return replace(figure, face=Face(np.zeros(4), 1.0, odds, 30.0, 5.0), hint=hint)

    assert mans(with_face(-4.0))
    assert not mans(with_face(-1.0))
    assert not mans(figure)
    assert not mans(with_face(-4.0, Hint(sex="woman")))
    assert mans(with_face(4.0, Hint(sex="man")))


def test_legs_are_where_the_grid_has_them() -> None:
    body = standing_body()
    mask = mask_of(body.as_mesh())
    figure = replace(figure_of(mask), alpha=alpha_of(mask))
    photo = photo_with()
    photo.pixels[mask] = (200, 30, 30)
    window = legs_window(photo, figure, body)
    seen = LegGrid.of(photo, body, window)
    legs = seen.within(0.4, 1.9)
    assert seen.on[legs][:, seen.near_bones(0.05)].all()
    assert not seen.on[legs][:, seen.near_middle(0.03)].all()
    assert seen.lab[legs][:, seen.near_bones(0.05), 1].min() > 30
    assert seen.clear[legs].mean() > 0.9
    everything = Carried(np.full(mask.shape, 255, np.uint8), photo.camera)
    assert not LegGrid.of(photo, body, window, everything).clear.any()
