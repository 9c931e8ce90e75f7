"""Surface metrics against shapes with analytic answers and against slow, obvious code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.metrics.alignment import align_surfaces, similarity_alignment
from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree
from vitruvian.lab.evaluation.metrics.sampling import keep_faces, outer_faces, sample_surface
from vitruvian.lab.evaluation.metrics.surface import (
    f_score,
    is_watertight,
    normal_error,
    point_to_surface,
    surface_scores,
)
from vitruvian.types.mesh import Mesh


def sphere(
    radius: float, *, detail: int = 5, center: tuple[float, float, float] = (0, 0, 0)
) -> Mesh:
    """A subdivided octahedron, counter-clockwise from outside."""
    vertices = [np.eye(3)[i] * s for i in range(3) for s in (1.0, -1.0)]
    faces = []
    for x in (0, 1):
        for y in (2, 3):
            for z in (4, 5):
                flip = (x + (y - 2) + (z - 4)) % 2
                faces.append((x, z, y) if flip else (x, y, z))
    for _ in range(detail):
        middle: dict[tuple[int, int], int] = {}

        def midpoint(a: int, b: int, middle: dict[tuple[int, int], int] = middle) -> int:
            key = (min(a, b), max(a, b))
            if key not in middle:
                middle[key] = len(vertices)
                vertices.append(vertices[a] + vertices[b])
                vertices[-1] /= np.linalg.norm(vertices[-1])
            return middle[key]

        finer = []
        for a, b, c in faces:
            ab, bc, ca = midpoint(a, b), midpoint(b, c), midpoint(c, a)
            finer += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = finer
    points = np.asarray(vertices, np.float32) * radius + np.asarray(center, np.float32)
    return Mesh(points.astype(np.float32), np.asarray(faces, np.int32))


def plane(z: float, *, size: float = 1.0) -> Mesh:
    corners = np.array([[0, 0, z], [size, 0, z], [size, size, z], [0, size, z]], np.float32)
    return Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))


def bumpy(seed: int = 0) -> Mesh:
    """A lopsided closed blob without any symmetry."""
    mesh = sphere(1.0, detail=4)
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(6, 3)) * 2
    radius = 1 + 0.15 * np.sin(mesh.vertices @ waves.T + np.arange(6)).mean(1)
    stretch = np.array([0.4, 0.9, 0.25])
    return mesh.with_vertices(mesh.vertices * radius[:, None] * stretch)


def slow_distance(point: np.ndarray, triangle: np.ndarray) -> float:
    """Point to triangle by a projection onto the plane, else the nearest of three segments."""
    a, b, c = triangle
    normal = np.cross(b - a, c - a)
    candidates = []
    if np.linalg.norm(normal) > 1e-12:
        unit = normal / np.linalg.norm(normal)
        foot = point - unit * ((point - a) @ unit)
        inside = all(np.cross(q - p, foot - p) @ unit >= 0 for p, q in ((a, b), (b, c), (c, a)))
        if inside:
            candidates.append(np.linalg.norm(point - foot))
    for p, q in ((a, b), (b, c), (c, a)):
        length2 = (q - p) @ (q - p)
        t = np.clip((point - p) @ (q - p) / length2, 0, 1) if length2 > 0 else 0.0
        candidates.append(np.linalg.norm(point - p - t * (q - p)))
    return float(min(candidates))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_closest_points_agree_with_brute_force(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.normal(size=(30, 3))
    faces = rng.integers(0, 30, size=(count, 3))  # degenerate triangles among them
    points = rng.normal(size=(10, 3)) * 2
    hits = ClosestPointTree(vertices, faces).query(points)
    expected = [min(slow_distance(p, vertices[f]) for f in faces) for p in points]
    np.testing.assert_allclose(hits.distances, expected, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(hits.points - points, axis=1), hits.distances)
    on_face = [
        slow_distance(q, vertices[faces[f]]) for q, f in zip(hits.points, hits.faces, strict=True)
    ]
    np.testing.assert_allclose(on_face, 0, atol=1e-9)


def test_closest_points_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="without faces"):
        ClosestPointTree(np.zeros((3, 3)), np.zeros((0, 3), int))
    with pytest.raises(ValueError, match="not finite"):
        ClosestPointTree(np.full((3, 3), np.nan), np.array([[0, 1, 2]]))
    with pytest.raises(ValueError, match="finite"):
        point_to_surface(np.full((1, 3), np.inf), plane(0))


def test_samples_are_uniform_by_area() -> None:
    # A big and a small square side by side: 9 to 1 in area.
    big, small = plane(0, size=3.0), plane(5, size=1.0)
    mesh = Mesh(
        np.concatenate([big.vertices, small.vertices]), np.concatenate([big.faces, small.faces + 4])
    )
    samples = sample_surface(mesh, 40_000, seed=3)
    assert np.mean(samples.points[:, 2] < 1) == pytest.approx(0.9, abs=0.01)
    inside = samples.points[samples.points[:, 2] < 1]
    np.testing.assert_allclose(inside[:, :2].mean(0), 1.5, atol=0.03)
    np.testing.assert_allclose(inside[:, :2].var(0), 9 / 12, atol=0.03)
    np.testing.assert_allclose(samples.normals, [[0, 0, 1]] * len(samples.points))


def test_concentric_spheres_differ_by_their_radii() -> None:
    scores = surface_scores(sphere(0.90), sphere(0.93), height_m=1.8, samples=20_000)
    # Both polyhedra have the same shape, so only the sagitta of their faces is left.
    assert scores.scan_to_prediction_cm == pytest.approx(3.0, abs=0.02)
    assert scores.prediction_to_scan_cm == pytest.approx(3.0, abs=0.02)
    assert scores.chamfer_cm == pytest.approx(3.0, abs=0.02)
    assert scores.normal_consistency > 0.998
    assert scores.f_score_1cm == 0.0


def test_distances_are_given_on_a_person_of_180_cm() -> None:
    child = surface_scores(sphere(0.45), sphere(0.465), height_m=0.9, samples=5_000)
    assert child.chamfer_cm == pytest.approx(3.0, abs=0.03)


def test_parallel_planes_and_a_missing_half() -> None:
    same = surface_scores(plane(0.005), plane(0), height_m=1.8, samples=5_000)
    assert same.chamfer_cm == pytest.approx(0.5, abs=1e-5)
    assert same.f_score_1cm == 1.0
    assert same.normal_consistency == pytest.approx(1.0)
    # The prediction lacks the half x > 1 of a 2 x 1 rectangle: the scan's samples there are
    # uniformly 0..1 m away, 0.5 m on average, hence 0.25 m over all; none of its own are off.
    wide = plane(0, size=1.0)
    wide = wide.with_vertices(wide.vertices * [2, 1, 1])
    half = surface_scores(plane(0), wide, height_m=1.8, samples=40_000)
    assert half.prediction_to_scan_cm == pytest.approx(0, abs=1e-5)
    assert half.scan_to_prediction_cm == pytest.approx(25.0, rel=0.03)
    recall = 0.51  # the half itself, and the first centimetre beside it
    assert half.f_score_1cm == pytest.approx(2 * recall / (1 + recall), rel=0.02)


def test_normal_consistency_ignores_winding_and_sees_tilt() -> None:
    tilted = plane(0)
    turn = matrix_from_axis_angle(np.array([np.deg2rad(30), 0, 0]))
    tilted = tilted.with_vertices(tilted.vertices @ turn.T)
    scores = surface_scores(tilted, plane(0), height_m=1.8, samples=2_000)
    assert scores.normal_consistency == pytest.approx(np.cos(np.deg2rad(30)), abs=1e-5)
    flipped = Mesh(plane(0).vertices, plane(0).faces[:, ::-1])
    assert surface_scores(flipped, plane(0), height_m=1.8, samples=500).normal_consistency == (
        pytest.approx(1.0)
    )


def test_scores_refuse_mixed_frames() -> None:
    camera = Mesh(plane(0).vertices, plane(0).faces, "camera")
    with pytest.raises(ValueError, match="frames differ"):
        surface_scores(camera, plane(0), height_m=1.8)
    with pytest.raises(ValueError, match="height_m"):
        surface_scores(plane(0), plane(0), height_m=0)


def test_f_score_by_hand() -> None:
    assert f_score(np.array([0.5, 2.0]), np.array([0.1, 0.2, 0.3, 5.0]), 1.0) == pytest.approx(
        2 * 0.5 * 0.75 / 1.25
    )
    assert f_score(np.array([2.0]), np.array([2.0]), 1.0) == 0.0


def test_normal_error_of_equal_turned_and_absent_surfaces() -> None:
    ball = sphere(0.5)
    same = normal_error(ball, ball, up=(0, 1, 0), front=(0, 0, 1), size=128)
    assert same.l2 == 0.0
    assert same.angle_deg == pytest.approx(0.0, abs=1e-3)
    # A sphere of half the radius covers a quarter of the pixels.
    small = normal_error(sphere(0.25), ball, up=(0, 1, 0), front=(0, 0, 1), size=256)
    rows, columns = np.mgrid[-255:256:2, -255:256:2] / 256 * 0.6  # pixel centres in metres
    radius = np.hypot(rows, columns)
    both = radius < 0.25
    # There, both normals lean outwards: by asin(r / .25) and asin(r / .5).
    lean = np.arcsin(radius[both] / 0.25) - np.arcsin(radius[both] / 0.5)
    expected = (2 * np.sin(lean / 2)).sum() + np.count_nonzero((radius < 0.5) & ~both)
    assert small.l2 == pytest.approx(expected / np.count_nonzero(radius < 0.5), rel=0.01)
    assert small.angle_deg == pytest.approx(np.rad2deg(lean.mean()), rel=0.02)


def test_normal_error_looks_from_all_four_sides() -> None:
    ball = sphere(0.5, detail=4)
    for axis in ([0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0]):
        dent = ball.vertices.copy()
        near = dent @ np.asarray(axis, float) > 0.35
        dent[near] -= 0.3 * np.asarray(axis, np.float32)
        score = normal_error(
            ball.with_vertices(dent), ball, up=(0, 1, 0), front=(0, 0, 1), size=128
        )
        assert score.angle_deg > 1


def test_watertight() -> None:
    ball = sphere(1.0, detail=2)
    assert is_watertight(ball.faces)
    assert not is_watertight(ball.faces[1:])  # a hole
    turned = ball.faces.copy()
    turned[0] = turned[0, ::-1]
    assert not is_watertight(turned)  # one face inside out
    assert not is_watertight(np.concatenate([ball.faces, ball.faces[:1]]))  # a face twice
    assert not is_watertight(np.zeros((0, 3), int))


def test_similarity_alignment_recovers_the_transform() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 3))
    rotation = matrix_from_axis_angle(np.array([0.4, -1.1, 2.0]))
    moved = 1.7 * points @ rotation.T + [3, -2, 1]
    found = similarity_alignment(points, moved)
    assert found.scale == pytest.approx(1.7)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(found.apply(points), moved, atol=1e-12)
    np.testing.assert_allclose(
        points @ found.matrix[:3, :3].T + found.matrix[:3, 3], moved, atol=1e-12
    )


def test_similarity_alignment_never_reflects() -> None:
    points = np.random.default_rng(1).normal(size=(30, 3))
    found = similarity_alignment(points, points * [-1, 1, 1])
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)
    assert not np.allclose(found.apply(points), points * [-1, 1, 1], atol=0.1)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.4])
def test_aligning_surfaces_undoes_a_similarity(scale: float) -> None:
    blob = bumpy()
    rotation = matrix_from_axis_angle(np.array([0.2, -0.25, 0.15]))
    moved = blob.with_vertices(scale * blob.vertices @ rotation.T + [0.5, 2.0, -1.0])
    found = align_surfaces(moved, blob)
    back = moved.with_vertices(found.apply(moved.vertices))
    before = surface_scores(moved, blob, height_m=1.8, samples=4000)
    after = surface_scores(back, blob, height_m=1.8, samples=4000)
    assert before.chamfer_cm > 50
    assert after.chamfer_cm < 0.3
    assert found.scale == pytest.approx(1 / scale, rel=0.01)


def test_outer_faces_leave_out_what_is_inside() -> None:
    outer, inner = sphere(1.0, detail=3), sphere(0.6, detail=3)
    both = Mesh(
        np.concatenate([outer.vertices, inner.vertices]),
        np.concatenate([outer.faces, inner.faces + len(outer.vertices)]),
    )
    seen = outer_faces(both)
    assert seen[: len(outer.faces)].all()
    assert not seen[len(outer.faces) :].any()
    kept = keep_faces(both, seen)
    assert len(kept.vertices) == len(outer.vertices)
    assert is_watertight(kept.faces)
