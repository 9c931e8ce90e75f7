"""Cutting an end off a closed surface and sewing another one on."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from surface_people import is_closed_manifold, sphere, volume
from vitruvian.surface.finish.wrist_seam import beyond_plane, cut_off, simple_loop, strip


def upper_part(vertices, faces, height):
    return beyond_plane(faces, height, np.ones(len(vertices), bool), int(height.argmax()))


@pytest.mark.parametrize("level", [-0.6, 0.0, 0.013, 0.5])
def test_a_ball_is_cut_in_the_plane(level: float):
    """What stays, closed by a fan, has the volume of a ball without its cap."""
    ball = sphere(1.0, (0.2, 0, 0), rings=40)
    tilt = np.array([0.6, 0.0, 0.8])
    height = (ball.vertices - [0.2, 0, 0]) @ tilt - level
    stump = cut_off(
        ball.vertices, ball.faces, height, upper_part(ball.vertices, ball.faces, height)
    )
    assert stump is not None
    ring = stump.vertices[stump.loop]
    np.testing.assert_allclose((ring - [0.2, 0, 0]) @ tilt, level, atol=2e-4)
    following = np.roll(stump.loop, -1)
    tip = len(stump.vertices)
    cap = np.stack([following, stump.loop, np.full(len(ring), tip)], 1)
    points = np.concatenate([stump.vertices, ring.mean(0, keepdims=True)])
    faces = np.concatenate([stump.faces, cap])
    assert is_closed_manifold(faces)
    cap_height = 1 - level
    truth = 4 / 3 * np.pi - np.pi * cap_height**2 * (3 - cap_height) / 3
    assert volume(points, faces) == pytest.approx(truth, rel=0.02)
    areas = trimesh.triangles.area(points[faces])
    assert areas.min() > 1e-8  # no slivers where the plane passes close by a vertex


def test_vertices_know_where_they_are_from():
    ball = sphere(1.0, (0, 0, 0), rings=20)
    height = ball.vertices[:, 1] - 0.21
    stump = cut_off(
        ball.vertices, ball.faces, height, upper_part(ball.vertices, ball.faces, height)
    )
    assert stump is not None
    count = len(ball.vertices)
    np.testing.assert_array_equal(stump.source[:count], np.arange(count))
    edge = 2 * np.pi / 40
    off = np.linalg.norm(stump.vertices - ball.vertices[stump.source], axis=1)
    assert off.max() < 1.5 * edge
    # Away from the plane nothing moved.
    assert (off[:count][np.abs(height) > 1.5 * edge] == 0).all()
    assert (stump.gone == (height[ball.faces] > 0).any(1))[
        (np.abs(height[ball.faces]) > edge).all(1)
    ].all()


def test_only_the_end_that_is_asked_for():
    """Two bumps rise above the plane: one is cut off, the other stays."""
    ball = sphere(1.0, (0, 0, 0), rings=30)
    bent = ball.vertices.copy()
    bent[:, 2] = 0.3 * bent[:, 2] + 1.2 * bent[:, 0] ** 2  # a banana, both tips up
    height = bent[:, 2] - 0.8
    start = int(np.where(bent[:, 0] > 0, height, -1).argmax())
    end = beyond_plane(ball.faces, height, np.ones(len(bent), bool), start)
    assert (bent[end, 0] > 0).all()
    assert (height[bent[:, 0] < 0] > 0).any()
    stump = cut_off(bent, ball.faces, height, end)
    assert stump is not None
    assert stump.vertices[np.unique(stump.faces)][:, 2].max() > 0.9
    right = stump.vertices[np.unique(stump.faces)]
    assert right[right[:, 0] > 0, 2].max() < 0.8 + 1e-5


def test_a_ring_has_two_borders_and_is_refused():
    ring = trimesh.creation.torus(major_radius=1.0, minor_radius=0.3)
    vertices, faces = ring.vertices.astype(np.float32), ring.faces.astype(np.int32)
    height = vertices[:, 0] - 0.05
    end = upper_part(vertices, faces, height)
    assert cut_off(vertices, faces, height, end) is None


def test_borders_that_are_no_loop():
    square = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    assert sorted(simple_loop(square)) == [0, 1, 2, 3]
    assert simple_loop(square[:3]) is None
    eight = np.array([[0, 1], [1, 2], [2, 0], [0, 3], [3, 4], [4, 0]])
    assert simple_loop(eight) is None
    assert simple_loop(np.array([[0, 1], [1, 0]])) is None


@pytest.mark.parametrize(("radius", "shift"), [(1.0, 0.0), (0.4, 0.0), (0.5, 0.35), (1.3, -0.2)])
def test_two_cups_are_sewn_together(radius: float, shift: float):
    """A cup below and one above, of other sizes and numbers of edges, make a closed solid."""
    lower, upper = sphere(1.0, (0, 0, 0), rings=16), sphere(radius, (shift, 0, 0), rings=10)
    down = cut_off(
        lower.vertices,
        lower.faces,
        lower.vertices[:, 2] + 0.01,
        upper_part(lower.vertices, lower.faces, lower.vertices[:, 2] + 0.01),
    )
    up_height = -upper.vertices[:, 2] + 0.01 * radius
    up = cut_off(
        upper.vertices, upper.faces, up_height, upper_part(upper.vertices, upper.faces, up_height)
    )
    assert down is not None
    assert up is not None
    start = len(down.vertices)
    vertices = np.concatenate([down.vertices, up.vertices + [0, 0, 0.1]])
    joined = strip(vertices, down.loop, up.loop + start)
    assert joined is not None
    faces = np.concatenate([down.faces, joined, up.faces + start])
    assert is_closed_manifold(faces)
    halves = 2 / 3 * np.pi * (1 + radius**3)
    between = 0.1 * np.pi * (1 + radius + radius**2) / 3
    assert volume(vertices, faces) == pytest.approx(halves + between, rel=0.05)


def test_a_strip_leaves_two_loops_open_whatever_their_places():
    rng = np.random.default_rng(3)
    sewn = 0
    for _ in range(60):
        count = rng.integers(3, 9, 2)
        vertices = rng.normal(size=(count.sum(), 3))
        lower, upper = np.arange(count[0]), count[0] + np.arange(count[1])
        faces = strip(vertices, lower, upper)
        if faces is None:
            continue
        sewn += 1
        assert len(faces) == count.sum()
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        there = set(map(tuple, edges.tolist()))
        assert len(there) == len(edges)
        opened = {e for e in there if e[::-1] not in there}
        # Run through the other way than by the faces that the loops are the border of.
        wanted = {
            (int(b), int(a))
            for loop in (lower, upper)
            for a, b in zip(loop, np.roll(loop, -1), strict=True)
        }
        assert opened == wanted
    assert sewn > 30
