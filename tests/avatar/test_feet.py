"""Feet in shoes, and bare ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import arms_down_body, figure_of, mask_of, photo_with
from vitruvian.avatar.feet import shod
from vitruvian.types.photo import Photo

BODY = arms_down_body()
SKIN = (205, 160, 140)


def photo_of(feet: tuple[int, int, int]) -> Photo:
    photo = photo_with()
    pixels = np.full_like(photo.pixels, SKIN[0])
    pixels[:] = SKIN
    ankles = photo.camera.project(np.array([BODY.joint("foot.L"), BODY.joint("foot.R")]))
    pixels[int(ankles[:, 1].min()) - 5 :] = feet
    return replace(photo, pixels=pixels)


@pytest.mark.parametrize(("color", "is_shod"), [((20, 40, 150), True), ((190, 148, 130), False)])
def test_shoes_have_no_toes(color: tuple[int, int, int], is_shod: bool) -> None:
    moved = shod(photo_of(color), figure_of(mask_of(BODY.as_mesh())), BODY)
    length = np.linalg.norm(moved, axis=1)
    assert (length.max() > 0.004) == is_shod
    assert length.max() < 0.06
    assert (length[BODY.model.regions.foot < 0.01] < 1e-3).all()
