"""Colours that go on: from beside rather than from above, and close to what is known its own."""

from __future__ import annotations

import numpy as np

from vitruvian.texture.even_colors import even_colors
from vitruvian.texture.strands import falling_strands

HAT, HAIR, GOLD = (150, 150, 150), (40, 30, 25), (190, 150, 90)


def test_below_a_hat_is_the_hair_beside_it():
    pixels = np.zeros((120, 100, 3), np.uint8)
    known = np.zeros((120, 100), bool)
    pixels[:50], known[:50, 20:80] = HAT, True
    pixels[50:], known[50:, 20:28] = HAIR, True
    found, _ = even_colors(pixels, known, known, 60)
    assert np.abs(found[:40, 20:80] - HAT).max() < 12
    assert np.abs(found[70:, 30:80] - HAIR).max() < 12


def test_each_side_leans_to_its_own_colour():
    pixels = np.zeros((80, 100, 3), np.uint8)
    known = np.zeros((80, 100), bool)
    pixels[:, :50], pixels[:, 50:] = HAIR, GOLD
    known[:, :12], known[:, 88:] = True, True
    found = even_colors(pixels, known, known, 60)[0].mean(2)
    assert np.abs(found[:, 4] - np.mean(HAIR)).max() < 8
    assert np.abs(found[:, 50] - np.mean([HAIR, GOLD])).max() < 8
    assert (np.diff(found[40, 12:88]) >= -1e-3).all()
    assert found[40, 20] < found[40, 50] - 10


def test_what_is_not_trusted_stays_and_does_not_go_on():
    pixels = np.zeros((80, 80, 3), np.uint8)
    pixels[:] = HAIR
    pixels[:, 30:36] = GOLD
    known = np.zeros((80, 80), bool)
    known[:, :36] = True
    trust = known.astype(np.float32)
    trust[:, 28:] = 0
    found, across = even_colors(pixels, known, trust, 40)
    assert np.abs(found[:, 50:] - HAIR).max() < 2
    assert np.abs(across - HAIR).max() < 2
    assert found[40, 33, 0] > 90


def test_strands_fall():
    strands = falling_strands((300, 280), 96)
    down, across = (np.abs(np.diff(strands, axis=axis)).mean() for axis in (0, 1))
    assert 0.8 < strands.std() < 1.2
    assert across > 3 * down
    # As long and thin on a face of half the size.
    small = falling_strands((150, 140), 48)
    assert np.corrcoef(small.ravel(), strands[::2, ::2].ravel())[0, 1] > 0.95
