"""Colours under uneven light."""

from __future__ import annotations

import numpy as np

from vitruvian.texture.colors import not_dark, weighted_lab

SKIN, GLASSES = (190, 150, 130), (20, 18, 22)


def test_dark_glasses_are_no_skin() -> None:
    face = np.array([GLASSES] * 60 + [SKIN] * 40, np.uint8)  # that hide most of it
    light = weighted_lab(face[None])[0, :, 0]
    np.testing.assert_array_equal(not_dark(light), np.arange(100) >= 60)


def test_dark_skin_is_skin() -> None:
    shades = np.linspace(0.8, 1.2, 50)[:, None] * [70, 46, 38]
    light = weighted_lab(shades.astype(np.uint8)[None])[0, :, 0]
    assert not_dark(light).all()
