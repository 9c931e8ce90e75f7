"""Feet in shoes, and bare ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import arms_down_body, figure_of, mask_of, photo_with
from vitruvian.avatar.feet import shod
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_LEG

BODY = arms_down_body()
SKIN = (205, 160, 140)


def photo_of(feet: tuple[int, int, int]) -> Photo:
    photo = photo_with()
    pixels = np.full_like(photo.pixels, SKIN[0])
    pixels[:] = SKIN
    ankles = photo.camera.project(np.array([BODY.joint("foot.L"), BODY.joint("foot.R")]))
    pixels[int(ankles[:, 1].min()) - 5 :] = feet
    return replace(photo, pixels=pixels)


@pytest.mark.parametrize(
    ("color", "is_shod"),
    # Blue shoes, bare feet, bare feet in shadow, black shoes.
    [
        ((20, 40, 150), True),
        ((190, 148, 130), False),
        ((140, 104, 88), False),
        ((30, 28, 30), True),
    ],
)
def test_shoes_have_no_toes(color: tuple[int, int, int], is_shod: bool) -> None:
    moved = shod(photo_of(color), figure_of(mask_of(BODY.as_mesh())), BODY)
    length = np.linalg.norm(moved, axis=1)
    assert (length.max() > 0.004) == is_shod
    assert length.max() < 0.06
    assert (length[BODY.model.regions.foot < 0.01] < 1e-3).all()


def test_shoes_are_convex_where_toes_were() -> None:
    model = BODY.model
    moved = shod(photo_of((20, 40, 150)), figure_of(mask_of(BODY.as_mesh())), BODY)
    toes = np.array([name.startswith("toe") for name in model.joint_names])
    weight = (model.skin_weights * toes[model.skin_joints]).sum(1)
    cap = (weight > 0.99) & (model.regions.part == LEFT_LEG)
    bare = BODY.rest()[0][cap]
    rng = np.random.default_rng(0)
    planes = rng.normal(size=(2000, 3))
    planes /= np.linalg.norm(planes, axis=1, keepdims=True)

    def within(points: np.ndarray) -> np.ndarray:
        """How far points are within their convex hull."""
        along = points @ planes.T
        return np.asarray((along.max(0) - along).min(1))

    assert np.percentile(within(bare), 75) > 0.004  # between toes
    assert np.percentile(within(bare + moved[cap]), 90) < 0.002
    # Shoes are as long as feet.
    assert (bare + moved[cap])[:, 2].max() == pytest.approx(bare[:, 2].max(), abs=0.008)
