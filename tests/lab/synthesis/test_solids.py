"""Where rays are inside: against shapes with known answers and the generalised winding number."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.lab.synthesis.solids import SHEET_THICKNESS, cap_faces, solid_spans

SIZE = 96
FOCAL = 120.0


def sphere(centre: tuple[float, float, float], radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A sphere of 48 x 24 quads, counter-clockwise from outside."""
    theta = np.linspace(0, np.pi, 25)[:, None]
    phi = np.linspace(0, 2 * np.pi, 48, endpoint=False)[None]
    grid = np.stack(
        [
            np.sin(theta) * np.cos(phi),
            np.cos(theta) * np.ones_like(phi),
            np.sin(theta) * np.sin(phi),
        ],
        -1,
    )
    index = np.arange(25 * 48).reshape(25, 48)
    a, b = index[:-1], index[1:]
    c, d = np.roll(b, -1, 1), np.roll(a, -1, 1)
    faces = np.concatenate(
        [np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    )
    return grid.reshape(-1, 3) * radius + np.asarray(centre), faces.astype(np.int32)


def spans_of(meshes: list[tuple[np.ndarray, np.ndarray, bool]]) -> np.ndarray:
    vertices = np.concatenate([v for v, _, _ in meshes])
    offset, joined = 0, []
    for v, f, sheet in meshes:
        joined.append((f + offset, sheet))
        offset += len(v)
    pixels = vertices[:, :2] / vertices[:, 2:] * FOCAL + SIZE / 2
    return solid_spans(pixels, vertices[:, 2], joined, SIZE, SIZE)


def winding_number(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Sum of solid angles over 4 pi (Jacobson et al., 2013), the slow and plain way."""
    a, b, c = (vertices[faces[:, k]][None] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    top = np.einsum("pfi,pfi->pf", a, np.cross(b, c))
    bottom = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return 2 * np.arctan2(top, bottom).sum(1) / (4 * np.pi)


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.3, 0.3), st.floats(2.0, 4.0), st.floats(0.3, 0.8))
def test_a_sphere_has_one_span(x: float, z: float, radius: float) -> None:
    vertices, faces = sphere((x, 0, z), radius)
    spans = spans_of([(vertices, faces, False)])
    column = int(x / z * FOCAL + SIZE / 2)
    ray = np.array([(column + 0.5 - SIZE / 2) / FOCAL, 0.5 / FOCAL, 1.0])
    centre = np.array([x, 0, z])
    along = ray @ centre / (ray @ ray)
    half = np.sqrt(radius**2 - ((ray * along - centre) ** 2).sum()) / np.linalg.norm(ray)
    row = spans[SIZE // 2, column]
    np.testing.assert_allclose(row[:2], [along - half, along + half], atol=0.02 * radius + 0.003)
    assert np.isinf(row[2:]).all()


def test_overlapping_spheres_are_united_and_apart_ones_are_not() -> None:
    near, far = sphere((0, 0, 3), 0.5), sphere((0, 0, 3.6), 0.5)
    row = spans_of([(*near, False), (*far, False)])[SIZE // 2, SIZE // 2]
    np.testing.assert_allclose(row[:2], [2.5, 4.1], atol=0.01)
    far = sphere((0, 0, 4.6), 0.5)
    row = spans_of([(*near, False), (*far, False)])[SIZE // 2, SIZE // 2]
    np.testing.assert_allclose(row[:4], [2.5, 3.5, 4.1, 5.1], atol=0.01)


def test_an_open_shell_is_closed_before_counting() -> None:
    """A sphere without its lower third: uncapped rays would leak through the opening."""
    vertices, faces = sphere((0, 0, 3), 0.6)
    kept = faces[(vertices[faces][:, :, 1] < 0.3).all(1)]
    cap = cap_faces(kept)
    edges = np.concatenate([kept, cap])
    pairs = np.concatenate([edges[:, [0, 1]], edges[:, [1, 2]], edges[:, [2, 0]]])
    assert {tuple(p) for p in pairs.tolist()} == {tuple(p[::-1]) for p in pairs.tolist()}
    assert len(cap_faces(edges)) == 0
    spans = spans_of([(vertices, edges.astype(np.int32), False)])
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.7, -0.7, 2.3], [0.7, 0.7, 3.7], (400, 3))
    pixel = points[:, :2] / points[:, 2:] * FOCAL + SIZE / 2
    column, row = np.floor(pixel).astype(int).T
    inside = winding_number(points, vertices, edges) > 0.5
    z = points[:, 2:3]
    found = ((z >= spans[row, column, 0::2]) & (z <= spans[row, column, 1::2])).any(1)
    assert (inside == found).mean() > 0.96
    assert 0.2 < inside.mean() < 0.8


def test_a_sheet_is_thin_and_two_near_ones_are_a_tuft() -> None:
    square = np.array([[-1, -1, 3], [1, -1, 3], [1, 1, 3], [-1, 1, 3]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    row = spans_of([(square, faces, True)])[40, 41]
    np.testing.assert_allclose(row[:2], [3, 3 + SHEET_THICKNESS], atol=1e-4)
    row = spans_of([(square, faces, True), (square + [0, 0, 0.03], faces, True)])[40, 41]
    np.testing.assert_allclose(row[:2], [3, 3.03], atol=2e-3)
