"""Tapes on shapes whose girths and lengths are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.anthropometry.sections import (
    Plane,
    crossing_points,
    length_of,
    tape_around,
    tape_over,
)


def tube(radii: tuple[float, float], height: float = 1.0, around: int = 256, rows: int = 41):
    """An open elliptic cylinder about the y axis: vertices and faces."""
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    y = np.linspace(0, height, rows)
    ring = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], 1)
    points = np.concatenate([np.insert(ring, 1, level, axis=1) for level in y])
    first = np.arange(around)
    following = (first + 1) % around
    faces = []
    for row in range(rows - 1):
        a, b = first + row * around, following + row * around
        faces += [np.stack([a, b, a + around], 1), np.stack([b, b + around, a + around], 1)]
    return points, np.concatenate(faces)


@given(
    radius=st.floats(0.03, 0.6),
    level=st.floats(0.13, 0.87),
    tilt=st.floats(-0.1, 0.1),
)
def test_a_girth_of_a_cylinder_is_its_circumference(radius, level, tilt):
    points, faces = tube((radius, radius))
    plane = Plane.through(np.array([0, level, 0]), np.array([tilt, 1, 0]))
    found = length_of(tape_around(points, faces, plane), closed=True)
    # Across a tilted plane a cylinder is an ellipse (Ramanujan's approximation, 1914).
    long, short = radius * np.hypot(1, tilt), radius
    h = ((long - short) / (long + short)) ** 2
    wanted = np.pi * (long + short) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
    assert found == pytest.approx(wanted, rel=3e-4)


def test_a_tape_bridges_a_hollow():
    points, faces = tube((0.2, 0.2))
    pinched = points.copy()
    near = points[:, 2] > 0.15
    pinched[near, 2] = 0.15
    dent = pinched.copy()
    dent[near, 2] -= 0.1
    plane = Plane.through(np.array([0, 0.5, 0]), np.array([0, 1, 0]))
    flat = length_of(tape_around(pinched, faces, plane), closed=True)
    assert length_of(tape_around(dent, faces, plane), closed=True) == pytest.approx(flat, rel=2e-3)


def test_what_a_plane_misses_has_no_tape():
    points, faces = tube((0.2, 0.2))
    plane = Plane.through(np.array([0, 2.0, 0]), np.array([0, 1, 0]))
    assert len(crossing_points(points, faces, plane)) == 0
    assert len(tape_around(points, faces, plane)) == 0


@given(half=st.floats(0.2, 1.5))
def test_a_tape_over_a_cylinder_follows_its_arc(half):
    radius = 0.3
    points, faces = tube((radius, radius))
    ends = [
        np.array([radius * np.sin(angle), 0.512, radius * np.cos(angle)]) for angle in (-half, half)
    ]
    line = tape_over(points, faces, (ends[0], ends[1]), np.array([0, 0, 1.0]))
    assert length_of(line) == pytest.approx(2 * half * radius, rel=2e-3)
    np.testing.assert_allclose(line[0], ends[0], atol=1e-9)
    np.testing.assert_allclose(line[-1], ends[1], atol=1e-9)
    # Over the other side it is taut where nothing stands out.
    chord = tape_over(points, faces, (ends[0], ends[1]), np.array([0, 0, -1.0]))
    assert length_of(chord) >= 2 * radius * np.sin(half) - 1e-9


def test_a_tape_over_nothing_is_straight():
    points, faces = tube((0.1, 0.1))
    start, end = np.array([1.0, 0, 0]), np.array([2.0, 0.5, 0])
    line = tape_over(points, faces, (start, end), np.array([0, 0, 1.0]))
    np.testing.assert_allclose(line, [start, end])
