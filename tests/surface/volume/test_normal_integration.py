"""Depth from normals, on surfaces that are formulas."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.surface.volume.normal_integration import integrate_normals
from vitruvian.types.camera import Camera

CAMERA = Camera.centered(700, 160, 140)
PIXEL_M = 2.5 / 700


def normals_of(depth: np.ndarray) -> np.ndarray:
    """Unit normals towards the camera of a depth picture, by differences of its points."""
    pixels = np.stack(np.meshgrid(np.arange(160) + 0.5, np.arange(140) + 0.5), -1)
    rays = CAMERA.rays(pixels)
    points = rays * depth[..., None]
    across, down = np.gradient(points, axis=1), np.gradient(points, axis=0)
    normals = np.cross(across, down)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    towards = -np.sign((normals * rays).sum(-1, keepdims=True))
    return (normals * towards).astype(np.float32)


def bumps() -> tuple[np.ndarray, np.ndarray]:
    """A slanted plane with folds of 3 mm, and the plane alone."""
    y, x = np.mgrid[:140, :160]
    plane = 2.5 + 0.0012 * x - 0.0008 * y
    return plane + 0.003 * np.sin(x / 4) * np.cos(y / 6), plane


def test_folds_come_back_from_their_normals():
    true, plane = bumps()
    found = integrate_normals(plane.astype(np.float32), normals_of(true), CAMERA, PIXEL_M)
    inner = (slice(8, -8), slice(8, -8))
    before, after = (np.abs(d - true)[inner].mean() for d in (plane, found))
    assert after < 0.15 * before


@pytest.mark.parametrize("sign", [1, -1])
def test_normals_of_the_back_look_away_and_mean_the_same(sign: int):
    true, plane = bumps()
    found = integrate_normals(plane.astype(np.float32), sign * normals_of(true), CAMERA, PIXEL_M)
    assert np.abs(found - true)[8:-8, 8:-8].mean() < 3e-4


def test_the_rough_depth_decides_on_what_is_large():
    """A wrong normal everywhere tilts a plane hardly, since its place is known."""
    flat = np.full((140, 160), 2.5, np.float32)
    tilted = normals_of(2.5 + 0.1 * np.mgrid[:140, :160][1] * PIXEL_M)
    found = integrate_normals(flat, tilted, CAMERA, PIXEL_M)
    assert np.abs(found - flat).max() < 0.012  # the tilt would be 28 mm on either side


def test_a_jump_stays_a_jump():
    """An arm 15 cm before a trunk: neither is bent towards the other."""
    depth = np.full((140, 160), 2.6, np.float32)
    depth[:, 60:90] = 2.45
    facing = np.zeros((140, 160, 3), np.float32)
    facing[..., 2] = -1
    found = integrate_normals(depth, facing, CAMERA, PIXEL_M)
    assert np.abs(found - depth).max() < 0.012
    assert (found[:, 58] - found[:, 62]).min() > 0.13


def test_without_normals_nothing_changes():
    _, plane = bumps()
    rough = plane.astype(np.float32)
    rough[:, :20] = np.inf
    found = integrate_normals(rough, np.zeros((140, 160, 3), np.float32), CAMERA, PIXEL_M)
    np.testing.assert_allclose(found[:, 20:], rough[:, 20:], atol=1e-5)
    assert np.isinf(found[:, :20]).all()
