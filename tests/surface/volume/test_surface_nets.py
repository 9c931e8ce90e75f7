"""Surfaces of sampled fields: closed manifolds of well-composed volumes, whatever the field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import is_closed_manifold, volume, volume_of
from vitruvian.surface.volume.surface_nets import largest_components, owners, surface_net
from vitruvian.surface.volume.volume import GAP_VALUE
from vitruvian.surface.volume.well_composed import well_composed


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
    before = volume_of(noise(seed, shift))
    after = well_composed(before)
    np.testing.assert_array_equal(before.field, noise(seed, shift))
    vertices, faces = surface_net(after.field)
    assert len(faces) > 500
    assert is_closed_manifold(faces)
    assert np.unique(faces).size == len(vertices)


def test_a_ball_has_its_volume_and_looks_outwards():
    vertices, faces = surface_net(ball(14.0, (25.3, 22.1, 19.6)))
    points = vertices[:, [1, 0, 2]]  # x = column, y = row
    assert volume(points, faces) == pytest.approx(4 / 3 * np.pi * 14**3, rel=0.01)
    radii = np.linalg.norm(vertices - [25.3, 22.1, 19.6], axis=1)
    assert np.abs(radii - 14).max() < 0.15


def test_a_gap_stays_open():
    """Two blocks with one empty layer between, touched by corners that ask to be filled."""
    rng = np.random.default_rng(4)
    field = np.full((20, 20, 20), -1, np.float32)
    field[2:18, 2:18, 2:18] = rng.choice([-0.5, 0.8, 0.9], (16, 16, 16), p=[0.2, 0.4, 0.4])
    gap = np.zeros(field.shape, bool)
    field[10], gap[10] = GAP_VALUE, True
    before = replace(volume_of(field), gap=gap, kept_empty=gap)
    after = well_composed(before)
    assert not before.gap[:10].any()
    assert after.gap[9].any()  # emptied, where filling would have closed the gap
    assert (after.field[after.gap] == GAP_VALUE).all()
    assert (after.field[10] <= 0).all()
    vertices, faces = surface_net(after.field)
    assert is_closed_manifold(faces)
    sides = vertices[faces][:, :, 0] > 10.0
    assert (sides.all(1) | ~sides.any(1)).all()  # no face from one side to the other


def test_vertices_know_whose_they_are():
    field = np.maximum(ball(8, (12, 22, 20)), ball(8, (36, 22, 20)))
    owner = np.where(np.arange(50)[:, None, None] > 24, 3, 0).astype(np.uint8)
    whole = replace(volume_of(field), owner=np.broadcast_to(owner, field.shape).copy())
    vertices, _ = surface_net(field)
    np.testing.assert_array_equal(owners(vertices, whole), np.where(vertices[:, 0] > 24, 3, 0))


def test_other_volumes_are_refused():
    whole = volume_of(ball(3, (5, 5, 5), (10, 11, 12)))
    with pytest.raises(ValueError, match=r"gap must be \(10, 11, 12\) bool, got \(9,"):
        replace(whole, gap=whole.gap[1:])


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
