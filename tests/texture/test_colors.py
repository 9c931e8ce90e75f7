"""Colours under uneven light."""

from __future__ import annotations

import numpy as np

from vitruvian.texture.colors import skin_of, weighted_lab

SKIN, GLASSES = (190, 150, 130), (20, 18, 22)


def test_dark_glasses_are_no_skin() -> None:
    face = np.array([GLASSES] * 60 + [SKIN] * 40, np.uint8)  # that hide most of it
    lab = weighted_lab(face[None])[0]
    np.testing.assert_array_equal(skin_of(lab), np.arange(100) >= 60)


def test_a_bright_scarf_is_no_skin() -> None:
    face = np.array([(225, 228, 230)] * 60 + [(90, 62, 50)] * 40, np.uint8)
    np.testing.assert_array_equal(skin_of(weighted_lab(face[None])[0]), np.arange(100) >= 60)


def test_a_face_without_colours_has_its_bright_half() -> None:
    grey = np.array([(30, 30, 30)] * 50 + [(160, 160, 160)] * 50, np.uint8)
    np.testing.assert_array_equal(skin_of(weighted_lab(grey[None])[0]), np.arange(100) >= 50)


def test_dark_skin_is_skin() -> None:
    shades = np.linspace(0.8, 1.2, 50)[:, None] * [70, 46, 38]
    lab = weighted_lab(shades.astype(np.uint8)[None])[0]
    assert skin_of(lab).all()
