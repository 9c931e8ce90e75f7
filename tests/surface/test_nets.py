"""Surfaces of sampled fields: closed manifolds, whatever the field."""

from __future__ import annotations

import numpy as np
import pytest

from surface_people import is_closed_manifold, volume
from vitruvian.surface.volume.surface_nets import FILM, largest_components, surface_net


def noise(seed: int, shift: float) -> np.ndarray:
    field = np.random.default_rng(seed).normal(size=(24, 20, 16)) + shift
    field[[0, -1]] = -1
    field[:, [0, -1]] = -1
    field[:, :, [0, -1]] = -1
    return field.astype(np.float32)


def ball(radius: float, center: tuple[float, float, float], shape=(50, 46, 40)) -> np.ndarray:
    grid = np.stack(np.mgrid[: shape[0], : shape[1], : shape[2]], -1)
    return (radius - np.linalg.norm(grid - np.array(center), axis=-1)).astype(np.float32)


@pytest.mark.parametrize(("seed", "shift"), [(0, 0.0), (1, -0.8), (2, 0.9), (3, -1.5)])
def test_noise_gives_a_closed_manifold(seed: int, shift: float):
    vertices, faces = surface_net(noise(seed, shift))
    assert len(faces) > 500
    assert is_closed_manifold(faces)
    assert np.unique(faces).size == len(vertices)


def test_a_ball_has_its_volume_and_looks_outwards():
    vertices, faces = surface_net(ball(14.0, (25.3, 22.1, 19.6)))
    points = vertices[:, [1, 0, 2]]  # x = column, y = row
    assert volume(points, faces) == pytest.approx(4 / 3 * np.pi * 14**3, rel=0.01)
    radii = np.linalg.norm(vertices - [25.3, 22.1, 19.6], axis=1)
    assert np.abs(radii - 14).max() < 0.15


def test_a_film_stays_open():
    """Two blocks with one empty layer between, touched by corners that ask to be filled."""
    rng = np.random.default_rng(4)
    field = np.full((20, 20, 20), -1, np.float32)
    field[2:18, 2:18, 2:18] = rng.choice([-0.5, 0.8, 0.9], (16, 16, 16), p=[0.2, 0.4, 0.4])
    film = np.zeros(field.shape, np.uint8)
    field[10], film[10] = FILM, 1
    vertices, faces = surface_net(field, film)
    assert is_closed_manifold(faces)
    assert (field[10] <= 0).all()
    sides = vertices[faces][:, :, 0] > 10.0
    assert (sides.all(1) | ~sides.any(1)).all()  # no face from one side to the other


def test_floaters_go():
    field = np.maximum(ball(12, (25, 22, 20)), ball(2.5, (6, 6, 6)))
    vertices, faces = largest_components(*surface_net(field), 0.1)
    assert is_closed_manifold(faces)
    assert np.linalg.norm(vertices - [25, 22, 20], axis=1).max() < 13


def test_what_is_as_large_stays():
    field = np.maximum(ball(8, (12, 22, 20)), ball(8, (36, 22, 20)))
    vertices, _ = largest_components(*surface_net(field), 0.1)
    assert (vertices[:, 0] < 24).any()
    assert (vertices[:, 0] > 24).any()


def test_nothing_inside_is_an_empty_mesh():
    vertices, faces = surface_net(np.full((8, 8, 8), -1, np.float32))
    assert vertices.shape == (0, 3)
    assert faces.shape == (0, 3)


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match="float32"):
        surface_net(np.zeros((4, 4, 4)))
