"""The square that the example pictures are set in."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.lab.synthesis.backgrounds import Place, defocused, ground_part, paved_square
from vitruvian.types.camera import Camera

CAMERA = Camera.centered(240, 200, 140)
EYE_HEIGHT = 1.5
EYE_DISTANCE = 5.0


def view() -> np.ndarray:
    """``camera_from_world`` of a camera that looks level along -z."""
    out = np.eye(4)
    out[:3, :3] = np.diag([1.0, -1.0, -1.0])
    out[:3, 3] = [0, EYE_HEIGHT, EYE_DISTANCE]
    return out


def square(seed: int = 1) -> Place:
    return paved_square(CAMERA, view(), np.random.default_rng(seed), distance=20)


def test_ground_ends_at_the_houses() -> None:
    place = square()
    # The foot of the houses, 25 m away, is 1.5 m below the eye.
    foot = CAMERA.height / 2 + CAMERA.focal_px * EYE_HEIGHT / (EYE_DISTANCE + 20)
    rows = np.arange(CAMERA.height) + 0.5
    np.testing.assert_array_equal(place.ground, np.repeat((rows > foot)[:, None], 200, 1))


def test_light_and_albedo_are_possible() -> None:
    place = square()
    assert np.isfinite(place.beyond).all()
    assert place.beyond.min() >= 0
    on_ground = place.paving[place.ground > 0]
    assert on_ground.min() > 0.02
    assert on_ground.max() < 0.9


def test_the_same_seed_makes_the_same_place() -> None:
    first, second, other = square(1), square(1), square(2)
    np.testing.assert_array_equal(first.paving, second.paving)
    np.testing.assert_array_equal(first.beyond, second.beyond)
    assert np.abs(first.beyond - other.beyond).mean() > 0.01


def test_blur_grows_with_distance() -> None:
    place = square()
    column = place.blur[:, 100]
    assert (np.diff(column[70:]) <= 1e-6).all()
    assert column[0] == pytest.approx(1)
    assert column[-1] == 0


def test_defocus_keeps_flat_areas_and_what_is_sharp() -> None:
    rng = np.random.default_rng(0)
    flat = np.full((30, 40, 3), 0.4, np.float32)
    np.testing.assert_allclose(defocused(flat, rng.random((30, 40)), 3.0), flat, atol=1e-5)
    noise = rng.random((30, 40, 3)).astype(np.float32)
    np.testing.assert_array_equal(defocused(noise, np.zeros((30, 40)), 3.0), noise)
    assert defocused(noise, np.ones((30, 40)), 3.0).std() < 0.3 * noise.std()


def test_ground_faces_look_up() -> None:
    part = ground_part(2, 10, 5, cells=4)
    a, b, c = (part.vertices[part.faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    assert (normals[:, 1] > 0).all()
    assert 0.5 * np.linalg.norm(normals, axis=1).sum() == pytest.approx(10 * 12)
