"""Fewer faces, same topology."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from surface_people import is_closed_manifold, sphere, volume, volume_of
from vitruvian.surface.finish.simplify import simplify
from vitruvian.surface.volume.surface_nets import surface_net
from vitruvian.surface.volume.well_composed import well_composed


def torus_field() -> np.ndarray:
    y, x, z = np.mgrid[:60, :60, :30].astype(np.float32)
    ring = np.hypot(y - 30, x - 30) - 18
    return (6.5 - np.hypot(ring, z - 15)).astype(np.float32)


def test_a_torus_keeps_its_hole_and_volume():
    vertices, faces = surface_net(torus_field())
    points, fewer, source = simplify(vertices, faces, 2000)
    assert len(fewer) <= 2000 < len(faces)
    assert is_closed_manifold(fewer)
    mesh = trimesh.Trimesh(points, fewer, process=False)
    assert mesh.is_watertight
    assert mesh.euler_number == 0
    assert abs(volume(points, fewer)) == pytest.approx(abs(volume(vertices, faces)), rel=0.005)
    assert len(source) == len(points)
    # A vertex lies near the one that it is named after.
    assert np.linalg.norm(points - vertices[source], axis=1).max() < 6


def test_noise_keeps_its_components():
    rng = np.random.default_rng(1)
    field = rng.normal(size=(24, 20, 16)).astype(np.float32) - 0.6
    for side in (field, field.swapaxes(0, 1), field.swapaxes(0, 2)):
        side[[0, -1]] = -1
    vertices, faces = surface_net(well_composed(volume_of(field)).field)
    points, fewer, _ = simplify(vertices, faces, len(faces) // 3)
    assert len(fewer) < 0.5 * len(faces)
    assert is_closed_manifold(fewer)
    before, after = (
        trimesh.Trimesh(v, f, process=False).euler_number
        for v, f in ((vertices, faces), (points, fewer))
    )
    assert before == after


def test_flat_places_lose_more_than_sharp_ones():
    """A box with one bumpy side keeps most of its vertices there."""
    y, x, z = np.mgrid[:50, :50, :24].astype(np.float32)
    top = 14 + 2.2 * np.sin(x) * np.sin(y)
    sides = np.minimum.reduce([y - 4, 45 - y, x - 4, 45 - x, z - 4, top - z])
    vertices, faces = surface_net(sides.astype(np.float32))
    points, _, _ = simplify(vertices, faces, len(faces) // 3)
    middle = lambda p: ((p[:, :2] > 8) & (p[:, :2] < 41)).all(1)  # noqa: E731
    bumpy = ((points[:, 2] > 9) & middle(points)).sum()
    flat = ((points[:, 2] < 9) & middle(points)).sum()
    assert bumpy > 3 * flat


def test_a_small_mesh_comes_back():
    mesh = sphere(1.0, (0, 0, 3), rings=8)
    points, faces, source = simplify(mesh.vertices, mesh.faces, 10_000)
    np.testing.assert_array_equal(faces, mesh.faces)
    np.testing.assert_array_equal(points, mesh.vertices)
    np.testing.assert_array_equal(source, np.arange(len(points)))
