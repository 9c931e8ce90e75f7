"""Crops and their maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.people.crops import Crop

angles = st.floats(-np.pi, np.pi)
coordinates = st.floats(-500, 2000)


def crop(angle, x=100.0, y=80.0, side=64.0):
    return Crop(np.array([x, y]), np.array([np.sin(angle), -np.cos(angle)]), side)


@given(angles, coordinates, coordinates, st.floats(8, 3000))
def test_a_crop_is_a_square_about_its_center(angle, x, y, side):
    window = crop(angle, x, y, side)
    np.testing.assert_allclose(window.to_image(np.array([[128.0, 128.0]])), [[x, y]], atol=1e-6)
    corners = window.to_image(np.array([[0.0, 0.0], [256, 0], [256, 256]]))
    right, down = np.diff(corners, axis=0)
    np.testing.assert_allclose(np.linalg.norm([right, down], axis=1), side)
    np.testing.assert_allclose(down, [-right[1], right[0]], atol=1e-6)


@given(angles)
def test_up_is_the_middle_of_the_top_edge(angle):
    window = crop(angle)
    top = window.to_image(np.array([[128.0, 0.0]]))[0]
    np.testing.assert_allclose(top, window.center + window.up * window.side / 2, atol=1e-9)


@given(angles)
def test_rotation_is_a_proper_rotation(angle):
    turn = crop(angle).rotation
    np.testing.assert_allclose(turn @ turn.T, np.eye(2), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_an_upright_crop_of_its_own_size_is_a_slice():
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    window = Crop(np.array([200.0, 150.0]), np.array([0.0, -1.0]), 256.0)
    np.testing.assert_array_equal(window.extract(image), image[22:278, 72:328])


def test_outside_of_the_image_is_black():
    image = np.full((50, 50, 3), 200, np.uint8)
    window = Crop(np.array([0.0, 25.0]), np.array([0.0, -1.0]), 256.0)
    extracted = window.extract(image)
    assert not extracted[:, :120].any()
    assert (extracted[120:136, 130:170] == 200).all()


def disc(center, radius, shape):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.hypot(x - center[0], y - center[1]) < radius


@pytest.mark.parametrize("side", [90.0, 256.0, 700.0, 1500.0])
def test_a_disc_lands_where_the_map_says(side):
    """Centroids agree to a fraction of a pixel, whether the crop enlarges or shrinks."""
    image = disc((700.3, 520.8), side / 8, (1100, 1400))[..., None].repeat(3, 2)
    window = Crop(np.array([690.0, 540.0]), np.array([0.6, -0.8]), side)
    weights = window.extract(image.astype(np.uint8) * 255)[..., 0].astype(float)
    y, x = np.mgrid[:256, :256] + 0.5
    centroid = np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()
    pixel = side / 256
    found = window.to_image(centroid[None])[0]
    np.testing.assert_allclose(found, [700.3, 520.8], atol=0.06 + 0.1 * pixel)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_paste_puts_a_crop_back(scale):
    window = Crop(np.array([210.0, 180.0]), np.array([0.28, -0.96]), 300.0)
    inside = disc((128 + 20, 128 - 30), 40, (256, 256)).astype(np.float32)
    box = (20, 10, 420, 390)
    pasted = window.paste(inside, box, scale, -5.0)
    assert pasted.shape == (round(380 * scale), round(400 * scale))
    assert pasted[0, 0] == -5
    weights = np.clip(pasted, 0, 1)
    y, x = np.mgrid[: pasted.shape[0], : pasted.shape[1]] + 0.5
    centroid = np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum() / scale
    expected = window.to_image(np.array([[148.0, 98.0]]))[0]
    np.testing.assert_allclose(centroid + [20, 10], expected, atol=0.3)
