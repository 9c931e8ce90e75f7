"""Folds that the pose causes: the shortening of cloth against analytic deformations."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.folds import compression, smoothed
from vitruvian.lab.synthesis.garments import Garment, Look
from vitruvian.lab.synthesis.parts import Part
from vitruvian.lab.synthesis.people import Recipe, build_person


def sleeve(rows: int = 12, columns: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """An open tube of radius 0.1 along y, from 0 to 0.5."""
    angle = np.arange(columns) / columns * 2 * np.pi
    y = np.repeat(np.linspace(0, 0.5, rows), columns)
    vertices = np.stack([0.1 * np.tile(np.cos(angle), rows), y, 0.1 * np.tile(np.sin(angle), rows)])
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns)).ravel()
    second = (np.arange(rows - 1)[:, None] * columns + (np.arange(columns) + 1) % columns).ravel()
    faces = np.concatenate([
        np.stack([first, first + columns, second], 1),
        np.stack([second, first + columns, second + columns], 1),
    ])  # fmt: skip
    return vertices.T.astype(np.float32), faces.astype(np.int32)


@pytest.mark.parametrize(("factor", "expected"), [(0.6, 0.4), (1.0, 0.0), (1.3, 0.0)])
def test_a_shortened_tube_is_shortened_everywhere(factor: float, expected: float) -> None:
    rest, faces = sleeve()
    turn = matrix_from_axis_angle(np.array([0.4, -0.8, 0.3]))
    posed = (rest * [1, factor, 1]) @ turn.T + [0.2, 1.0, -3.0]
    found = compression(rest, posed, faces, rest[:, 1])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_bent_tube_is_shortened_inside_and_lengthened_outside() -> None:
    """Bent to an arc of radius R about z, a fibre at x off the axis has 1 + x / R of its length."""
    rest, faces = sleeve(40, 64)
    radius = 0.4
    angle = rest[:, 1] / radius
    posed = np.stack([
        (radius + rest[:, 0]) * np.cos(angle), (radius + rest[:, 0]) * np.sin(angle), rest[:, 2]
    ], 1)  # fmt: skip
    found = compression(rest, posed, faces, rest[:, 1])
    np.testing.assert_allclose(found, np.maximum(-rest[:, 0] / radius, 0), atol=0.01)


def test_smoothing_keeps_what_is_even() -> None:
    rest, faces = sleeve()
    np.testing.assert_allclose(smoothed(np.full(len(rest), 0.3), faces, 5), 0.3)
    peak = np.zeros(len(rest))
    peak[90] = 1
    spread = smoothed(peak, faces, 3)
    assert 0 < spread[90] < 0.5
    assert spread.max() == spread[90]


def trousers(library: AssetLibrary, knee: float) -> Part:
    pose = np.zeros((len(body_model().joint_names), 3))
    pose[body_model().joint_index["lowerleg01.L"], 0] = knee
    garment = Garment("bottom", Look(), top=0.0, legs=0.97, loose=0.01)
    person = build_person(Recipe(np.zeros(10), pose, garments=(garment,)), library, 64)
    assert person.parts[0].folds is None  # skin
    return person.parts[1]


def test_a_bent_knee_folds_its_trouser_leg_alone(library: AssetLibrary) -> None:
    straight, bent = trousers(library, 0.0), trousers(library, 1.6)
    assert straight.folds is not None
    assert bent.folds is not None
    assert straight.folds[:, 3].max() < 1e-6
    at = body_model().joint_template[body_model().joint_index["lowerleg01.L"]]
    near = np.linalg.norm(bent.rest - at, axis=1)
    assert bent.folds[near < 0.09, 3].max() > 0.002  # metres for a unit of noise
    assert bent.folds[near > 0.3, 3].max() < 1e-4
    assert bent.folds[bent.rest[:, 0] < -0.05, 3].max() < 1e-4
