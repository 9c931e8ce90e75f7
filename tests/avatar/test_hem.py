"""Coats told by their colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import CAMERA, arms_down_body, dressed, figure_of, mask_of, photo_with
from vitruvian.avatar.hem import coat_hem
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

BODY = arms_down_body()
ORANGE, NAVY = (200, 120, 20), (30, 40, 80)


def row_of(joint: str) -> int:
    return int(CAMERA.project(BODY.joint(joint)[None])[0, 1])


def photo_of(change: int) -> Photo:
    """One colour down to a row, another below."""
    photo = photo_with()
    pixels = np.empty_like(photo.pixels)
    pixels[:change], pixels[change:] = ORANGE, NAVY
    return replace(photo, pixels=pixels)


def figure(gap: bool) -> Figure:
    mask = mask_of(dressed(BODY, 0.02))
    if not gap:
        crotch = row_of("upperleg01.L")
        for row in range(crotch, CAMERA.height):
            filled = np.flatnonzero(mask[row])
            mask[row, filled.min(initial=0) : filled.max(initial=0)] = True
    return figure_of(mask)


def test_a_coat_to_the_knees() -> None:
    found = coat_hem(photo_of(row_of("lowerleg01.L")), figure(gap=False), BODY)
    assert found == pytest.approx(1, abs=0.12)


def test_trousers_and_shirts_are_none() -> None:
    assert coat_hem(photo_of(row_of("upperleg01.L") - 10), figure(gap=False), BODY) is None
    assert coat_hem(photo_of(row_of("foot.L") - 10), figure(gap=False), BODY) is None


def test_legs_that_are_apart_have_no_cloth_between_them() -> None:
    assert coat_hem(photo_of(row_of("lowerleg01.L")), figure(gap=True), BODY) is None
