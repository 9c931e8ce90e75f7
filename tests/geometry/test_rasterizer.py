"""The rasteriser against a slow one, and against shapes whose depth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.geometry.rasterizer import covered, rasterize, rasterize_both
from vitruvian.types.camera import Camera

WIDTH, HEIGHT = 24, 17


def slow_rasterize(points, depth, faces, width, height, cull=False):
    """One pixel and one face at a time: inside test by edge signs, then the nearest."""
    face_image = np.full((height, width), -1)
    depth_image = np.full((height, width), np.inf)
    edge_distance = np.full((height, width), np.inf)  # how near a pixel is to any face's edge
    for row in range(height):
        for column in range(width):
            p = np.array([column + 0.5, row + 0.5])
            for index, corners in enumerate(faces):
                if (depth[corners] <= 0).any():
                    continue
                a, b, c = points[corners].astype(np.float64)
                area = np.linalg.det([b - a, c - a])
                if area == 0 or (cull and area > 0):
                    continue
                weights = np.array(
                    [
                        np.linalg.det([c - b, p - b]),
                        np.linalg.det([a - c, p - c]),
                        np.linalg.det([b - a, p - a]),
                    ]
                )
                weights = weights / area
                edge_distance[row, column] = min(edge_distance[row, column], abs(weights).min())
                if (weights < 0).any():
                    continue
                z = 1 / (weights / depth[corners]).sum()
                if z < depth_image[row, column]:
                    depth_image[row, column] = z
                    face_image[row, column] = index
    return face_image, depth_image, edge_distance


def icosphere(rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere from an octahedron, counter-clockwise from outside."""
    vertices = [np.array(v, float) for v in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0))]
    vertices += [np.array((0.0, 0.0, 1.0)), np.array((0.0, 0.0, -1.0))]
    faces = [(4, 0, 2), (4, 2, 1), (4, 1, 3), (4, 3, 0), (5, 2, 0), (5, 1, 2), (5, 3, 1), (5, 0, 3)]
    for _ in range(rounds):
        middle: dict[tuple[int, int], int] = {}

        def halfway(i: int, j: int, middle: dict[tuple[int, int], int] = middle) -> int:
            key = (min(i, j), max(i, j))
            if key not in middle:
                point = vertices[i] + vertices[j]
                vertices.append(point / np.linalg.norm(point))
                middle[key] = len(vertices) - 1
            return middle[key]

        faces = [
            piece
            for a, b, c in faces
            for ab, bc, ca in [(halfway(a, b), halfway(b, c), halfway(c, a))]
            for piece in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        ]
    return np.array(vertices, np.float32), np.array(faces, np.int32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_agrees_with_the_slow_one(seed, cull):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-8, 32, (18, 2)).astype(np.float32)
    depth = rng.uniform(-0.5, 4, 18).astype(np.float32)
    faces = rng.integers(0, 18, (9, 3)).astype(np.int32)
    fast = rasterize(points, depth, faces, WIDTH, HEIGHT, cull_back_faces=cull)
    face, z, edge = slow_rasterize(points, depth, faces, WIDTH, HEIGHT, cull)
    sure = edge > 1e-5  # on an edge either answer is right
    np.testing.assert_array_equal(fast.mask[sure], (face >= 0)[sure])
    hit = sure & (face >= 0)
    # Random faces may have the same three corners: then either is right.
    corners = np.sort(faces, axis=1)
    np.testing.assert_array_equal(corners[fast.face[hit]], corners[face[hit]])
    np.testing.assert_allclose(fast.depth[hit], z[hit], rtol=1e-4)
    assert np.isinf(fast.depth[sure & (face < 0)]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_weights_give_back_the_point_on_the_surface(seed):
    """Interpolating the vertices lands on the pixel's ray at the pixel's depth."""
    rng = np.random.default_rng(seed)
    camera = Camera.centered(30, WIDTH, HEIGHT)
    vertices = rng.uniform([-1, -1, 1.5], [1, 1, 5], (12, 3)).astype(np.float32)
    faces = rng.integers(0, 12, (6, 3)).astype(np.int32)
    fragments = rasterize(camera.project(vertices), vertices[:, 2], faces, WIDTH, HEIGHT)
    rows, columns = np.nonzero(fragments.mask)
    surface = fragments.interpolate(vertices, faces)[rows, columns]
    rays = camera.rays(np.stack([columns + 0.5, rows + 0.5], axis=1))
    expected = rays * fragments.depth[rows, columns, None]
    np.testing.assert_allclose(surface, expected, atol=2e-3)
    weights = fragments.barycentric[rows, columns]
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nearest_and_farthest_at_once_are_those_of_two_passes(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform([-6, -6], [WIDTH + 6, HEIGHT + 6], (30, 2)).astype(np.float32)
    depth = rng.uniform(-0.2, 4, 30).astype(np.float32)
    faces = rng.permuted(np.tile(np.arange(30), (20, 1)), axis=1)[:, :3].astype(np.int32)
    near, far = rasterize_both(points, depth, faces, WIDTH, HEIGHT)
    alone = rasterize(points, depth, faces, WIDTH, HEIGHT)
    for ours, theirs in zip(vars(near).values(), vars(alone).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(covered(points, depth, faces, WIDTH, HEIGHT), alone.mask)
    np.testing.assert_array_equal(far.mask, alone.mask)
    last = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    for number in range(len(faces)):
        one = rasterize(points, depth, faces[number : number + 1], WIDTH, HEIGHT)
        last[one.mask] = np.where(np.isinf(last), one.depth, np.maximum(last, one.depth))[one.mask]
        mine = far.face == number
        np.testing.assert_array_equal(far.barycentric[mine], one.barycentric[mine])
    np.testing.assert_array_equal(far.depth, last)


def test_a_slanted_plane_has_its_depth():
    camera = Camera.centered(80, 64, 48)
    # z = 3 + x / 2 on a large square.
    corners = [(x, y, 3 + x / 2) for x, y in ((-2, -2), (2, -2), (2, 2), (-2, 2))]
    vertices = np.array(corners, np.float32)
    faces = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
    fragments = rasterize(camera.project(vertices), vertices[:, 2], faces, 64, 48)
    columns = np.arange(64) + 0.5
    slope = (columns - 32) / 80  # x / z along the ray
    expected = np.broadcast_to(3 / (1 - slope / 2), (48, 64))
    inside = fragments.mask
    assert inside.mean() > 0.7
    np.testing.assert_allclose(fragments.depth[inside], expected[inside], rtol=1e-5)


def test_a_sphere_has_its_depth_and_outline():
    camera = Camera.centered(300, 200, 160)
    vertices, faces = icosphere(6)
    center, radius = np.array([0.3, -0.2, 5.0]), 0.9
    moved = (vertices * radius + center).astype(np.float32)
    fragments = rasterize(camera.project(moved), moved[:, 2], faces, 200, 160)
    rows, columns = np.mgrid[:160, :200]
    rays = camera.rays(np.stack([columns + 0.5, rows + 0.5], axis=-1))
    # Nearest root of |t ray - center|^2 = r^2.
    squared, along = (rays**2).sum(-1), rays @ center
    discriminant = along**2 - squared * (center @ center - radius**2)
    hit = discriminant > 0
    z = (along - np.sqrt(np.maximum(discriminant, 0))) / squared
    assert (fragments.mask != hit).sum() < 0.004 * hit.sum()
    well_inside = discriminant > 0.3
    np.testing.assert_allclose(fragments.depth[well_inside], z[well_inside], atol=1e-3)


def test_culling_changes_nothing_on_a_closed_surface():
    camera = Camera.centered(120, 90, 90)
    vertices, faces = icosphere(3)
    moved = vertices + np.float32([0, 0, 4])
    whole = rasterize(camera.project(moved), moved[:, 2], faces, 90, 90)
    culled = rasterize(camera.project(moved), moved[:, 2], faces, 90, 90, cull_back_faces=True)
    assert whole.mask.sum() > 1000
    np.testing.assert_array_equal(whole.face, culled.face)
    inside_out = rasterize(
        camera.project(moved), moved[:, 2], faces[:, ::-1], 90, 90, cull_back_faces=True
    )
    seen = inside_out.mask & whole.mask
    assert seen.sum() > 0.95 * whole.mask.sum()
    assert (inside_out.depth[seen] > whole.depth[seen]).all()  # the far side alone


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_neighbouring_faces_leave_no_crack(seed):
    """Every pixel centre within a triangulated square is covered."""
    rng = np.random.default_rng(seed)
    steps = np.linspace(1.2, 30.7, 7)
    x, y = np.meshgrid(steps, steps)
    grid = np.stack([x, y], axis=-1)
    grid[1:-1, 1:-1] += rng.uniform(-2, 2, (5, 5, 2))
    # Some vertices lie exactly on pixel centres, where rounding is decided.
    snap = rng.random((5, 5)) < 0.5
    grid[1:-1, 1:-1][snap] = np.round(grid[1:-1, 1:-1][snap]) + 0.5
    index = np.arange(49).reshape(7, 7)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))]).astype(
        np.int32
    )
    mask = rasterize(grid.reshape(-1, 2), np.ones(49), faces, 32, 32).mask
    assert mask[1:30, 1:30].all()
    assert not mask[0].any()
    assert not mask[:, 0].any()
    assert not mask[31].any()


def test_the_order_of_faces_does_not_matter():
    rng = np.random.default_rng(5)
    points, depth = rng.uniform(0, 24, (30, 2)), rng.uniform(1, 3, 30)
    faces = rng.integers(0, 30, (20, 3)).astype(np.int32)
    first = rasterize(points, depth, faces, WIDTH, HEIGHT)
    second = rasterize(points, depth, faces[::-1], WIDTH, HEIGHT)
    np.testing.assert_array_equal(first.depth, second.depth)


@pytest.mark.parametrize("behind", [0.0, -1.0])
def test_faces_at_or_behind_the_camera_are_skipped(behind):
    points = np.array([[1, 1], [20, 1], [1, 15]], np.float32)
    faces = np.array([[0, 1, 2]], np.int32)
    assert rasterize(points, np.array([1, 1, 1.0]), faces, WIDTH, HEIGHT).mask.any()
    assert not rasterize(points, np.array([1, behind, 1]), faces, WIDTH, HEIGHT).mask.any()


def test_faces_far_outside_the_picture_do_no_harm():
    points = np.array([[-5e4, -5e4], [5e4, -5e4], [0, 9e4], [500, 500], [600, 500], [500, 600]])
    faces = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    fragments = rasterize(points, np.full(6, 2.0), faces, WIDTH, HEIGHT)
    assert (fragments.face == 0).all()
