"""Colours of clothes, by which front and side are told to be of one person or of two."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.anthropometry.colours import clothes_apart, clothes_colours

SHIRT, TROUSERS = (200, 40, 40), (30, 40, 120)


def picture(
    shirt: tuple[int, int, int], trousers: tuple[int, int, int], width: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Somebody in two colours before a grey wall: pixels and matte."""
    pixels = np.full((300, 120, 3), 128, np.uint8)
    matte = np.zeros((300, 120), np.uint8)
    person = slice(60 - width // 2, 60 + width // 2)
    pixels[20:150, person], pixels[150:280, person] = shirt, trousers
    matte[20:280, person] = 255
    return pixels, matte


def test_one_s_clothes_are_alike_from_either_side():
    front = clothes_colours(*picture(SHIRT, TROUSERS))
    side = clothes_colours(*picture(SHIRT, TROUSERS, 16))
    assert clothes_apart(front, side) == pytest.approx(0, abs=1e-6)
    # A print on the front changes one half.
    assert clothes_apart(clothes_colours(*picture((20, 20, 20), TROUSERS)), side) < 0.01


def test_others_clothes_differ_in_both_halves():
    front = clothes_colours(*picture(SHIRT, TROUSERS))
    assert clothes_apart(front, clothes_colours(*picture((40, 60, 60), (180, 170, 150)))) > 0.5
    # The linear light is what counts: half of it is log 2 whatever the sRGB values.
    half = clothes_colours(*picture((146, 28, 28), (21, 28, 86)))
    assert 0.4 < clothes_apart(front, half) < 0.75


def test_too_little_says_nothing():
    pixels, matte = picture(SHIRT, TROUSERS)
    assert np.isnan(clothes_colours(pixels, np.zeros_like(matte))).all()
    matte[120:] = 0
    matte[80:90] = 0
    small = clothes_colours(pixels[::12, ::12], matte[::12, ::12])
    assert clothes_apart(small, clothes_colours(*picture(SHIRT, TROUSERS))) == 0
