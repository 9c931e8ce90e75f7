"""Colours of unseen sides against answers that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import CAMERA, arms_down_body, mask_of
from vitruvian.lab.evaluation.metrics.color import color_errors, far_colors, lit_alike

RED, BLUE = (180, 40, 30), (30, 40, 180)


def test_far_colours_are_those_of_the_back() -> None:
    body = arms_down_body()
    model = body.model
    # Blue where the body faces the camera at rest, red behind.
    texture = np.full((256, 256, 3), RED, np.uint8)
    trunk = (model.regions.part == 0) & (model.template[:, 2] > 0.06)
    corners = model.uvs[model.uv_faces[trunk[model.faces].all(1)].ravel()]
    rows, columns = ((1 - corners[:, 1]) * 256).astype(int), (corners[:, 0] * 256).astype(int)
    texture[rows.clip(0, 255), columns.clip(0, 255)] = BLUE
    mesh = replace(body.as_mesh(), uvs=model.uvs, uv_faces=model.uv_faces, texture=texture)
    colors, there = far_colors(mesh, CAMERA)
    assert (there == mask_of(mesh)).mean() > 0.999
    pixels = np.floor(CAMERA.project(body.vertices[trunk])).astype(int)
    behind = colors[pixels[:, 1], pixels[:, 0]][there[pixels[:, 1], pixels[:, 0]]]
    assert (behind[:, 0] > behind[:, 2]).mean() > 0.9
    with pytest.raises(ValueError, match="needs a texture"):
        far_colors(body.as_mesh(), CAMERA)


def test_errors_of_equal_and_of_other_pictures() -> None:
    rng = np.random.default_rng(0)
    true = np.kron(rng.integers(0, 255, (20, 10, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    mask = np.zeros(true.shape[:2], bool)
    mask[10:150, 5:70] = True
    lab, structure = color_errors(true, true, mask)
    assert lab == 0
    assert structure == pytest.approx(1)
    beyond = true.copy()
    beyond[~mask] = 0  # what is beside does not count
    assert color_errors(beyond, true, mask)[0] == 0
    other = color_errors(true[:, ::-1].copy(), true, mask)
    assert other[0] > 10
    assert other[1] < 0.5
    assert np.isnan(color_errors(true, true, np.zeros_like(mask))).all()


def test_light_is_that_of_the_front() -> None:
    albedo = np.full((6, 6, 3), (200, 100, 160), np.uint8)
    photo = np.full((6, 6, 3), (100, 50, 120), np.uint8)  # half, half, three quarters
    front = np.ones((6, 6), bool)
    back = np.full((6, 6, 3), (80, 60, 120), np.uint8)
    np.testing.assert_allclose(lit_alike(back, albedo, photo, front)[0, 0], (40, 30, 90), atol=1)
    np.testing.assert_array_equal(lit_alike(back, albedo, photo, ~front), back)
