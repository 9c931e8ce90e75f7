"""Normals as drawn, on surfaces whose normals are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.geometry.normals import vertex_normals
from vitruvian.lab.evaluation.metrics.relief import drawn_sides, relief_figures
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

CAMERA = Camera.centered(1400, 512, 512)  # the sheets reach beyond its window
PIXEL_M = 2.0 / 1400


def sheet(wave_m: float, *, phase: float = 0.0, tilt: float = 0.0) -> Mesh:
    """Two sheets across the view; the nearer has waves 3 cm long of this height."""
    count = 220
    x, y = np.meshgrid(np.linspace(-0.503, 0.5, count), np.linspace(-0.501, 0.5, count))
    z = 2 + wave_m * np.sin(x * 2 * np.pi / 0.03 + phase) + tilt * x
    front = np.stack([x, y, z], -1).reshape(-1, 3)
    back = np.stack([x * 1.15, y * 1.15, np.full_like(x, 2.3)], -1).reshape(-1, 3)
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    near = np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)]).reshape(-1, 3)
    faces = np.concatenate([near, near[:, ::-1] + count * count])
    return Mesh(np.concatenate([front, back]).astype(np.float32), faces.astype(np.int32), "camera")


def test_a_surface_agrees_with_itself():
    sides = drawn_sides(sheet(0.001), CAMERA)
    figures = relief_figures(sides, sides, PIXEL_M)
    assert figures["front_deg"] == pytest.approx(0, abs=0.1)
    assert figures["front_relief"] == pytest.approx(1, abs=1e-4)
    assert (sides.front[sides.mask][:, 2] < 0).all()
    assert (sides.back[sides.mask][:, 2] > 0).all()


def test_a_tilt_is_an_angle():
    truth = drawn_sides(sheet(0), CAMERA)
    figures = relief_figures(drawn_sides(sheet(0, tilt=0.2), CAMERA), truth, PIXEL_M)
    assert figures["front_deg"] == pytest.approx(np.rad2deg(np.arctan(0.2)), abs=0.5)
    assert figures["back_deg"] == pytest.approx(0, abs=0.1)


def test_what_is_coarse_leaves_the_correlation_of_relief_alone():
    truth = drawn_sides(sheet(0.001), CAMERA)
    figures = relief_figures(drawn_sides(sheet(0.001, tilt=0.01), CAMERA), truth, PIXEL_M)
    assert figures["front_relief"] > 0.9


def test_waves_out_of_step_do_not_correlate():
    truth = drawn_sides(sheet(0.001), CAMERA)
    other = relief_figures(drawn_sides(sheet(0.001, phase=np.pi), CAMERA), truth, PIXEL_M)
    assert other["front_relief"] < -0.95
    beside = relief_figures(drawn_sides(sheet(0.001, phase=np.pi / 2), CAMERA), truth, PIXEL_M)
    assert abs(beside["front_relief"]) < 0.1


def test_normals_that_look_away_are_turned_to_the_viewer():
    mesh = sheet(0.001)
    plain = drawn_sides(mesh, CAMERA)
    inside_out = replace(mesh, faces=mesh.faces[:, ::-1].copy())
    given = drawn_sides(inside_out, CAMERA, vertex_normals(mesh.vertices, inside_out.faces))
    np.testing.assert_allclose(given.front, plain.front, atol=1e-3)
    np.testing.assert_allclose(given.back, plain.back, atol=1e-3)
