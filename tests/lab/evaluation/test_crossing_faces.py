"""Faces that go through each other: found where there are any, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.lab.evaluation.metrics.crossing_faces import crossing_faces, crossing_share
from vitruvian.types.mesh import Mesh


def ball(center: tuple[float, float, float], radius: float, around: int = 24) -> Mesh:
    """A closed ball of latitudes and longitudes."""
    latitude = np.linspace(0, np.pi, around // 2 + 1)[1:-1]
    longitude = np.arange(around) * 2 * np.pi / around
    rings = np.stack(
        [
            np.outer(np.sin(latitude), np.cos(longitude)),
            np.outer(np.sin(latitude), np.sin(longitude)),
            np.outer(np.cos(latitude), np.ones(around)),
        ],
        axis=2,
    ).reshape(-1, 3)
    points = np.concatenate([rings, [[0, 0, 1], [0, 0, -1]]]) * radius + center
    number = np.arange(len(rings)).reshape(-1, around)
    a, b = number[:-1].ravel(), np.roll(number, -1, 1)[:-1].ravel()
    c, d = number[1:].ravel(), np.roll(number, -1, 1)[1:].ravel()
    north, south = len(rings), len(rings) + 1
    faces = [np.stack([a, c, b], 1), np.stack([b, c, d], 1)]
    for ring, pole in ((number[0], north), (number[-1], south)):
        pair = np.stack([ring, np.roll(ring, -1), np.full(around, pole)], 1)
        faces.append(pair if pole == north else pair[:, ::-1])
    return Mesh(points.astype(np.float32), np.concatenate(faces).astype(np.int32), "camera")


def together(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(one.vertices) for one in meshes)])
    faces = [one.faces + start for one, start in zip(meshes, starts, strict=False)]
    points = np.concatenate([one.vertices for one in meshes])
    return Mesh(points, np.concatenate(faces).astype(np.int32), "camera")


@pytest.mark.parametrize("center", [(3.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_balls_beside_and_inside_each_other_do_not_cross(center: tuple[float, float, float]):
    assert crossing_share(together(ball((0, 0, 0), 1.0), ball(center, 0.5))) == 0


def test_balls_cross_along_a_ring():
    both = together(ball((0, 0, 0), 1.0, 36), ball((1.2, 0.1, 0.05), 1.0, 28))
    crossing = crossing_faces(both)
    middle = both.vertices[both.faces].mean(1)
    off = (
        np.linalg.norm(middle - [0, 0, 0], axis=1),
        np.linalg.norm(middle - [1.2, 0.1, 0.05], axis=1),
    )
    on_ring = (np.abs(off[0] - 1) < 0.2) & (np.abs(off[1] - 1) < 0.2)
    assert 30 < crossing.sum() < 0.1 * len(crossing)
    assert on_ring[crossing].all()


def test_a_face_through_a_far_larger_one():
    large = np.array([[0, 0, 0], [40, 0, 0], [0, 40, 0]], float)
    small = np.array([[5, 5, -0.1], [5.2, 5, 0.1], [5, 5.2, 0.1]], float)
    points = np.concatenate([large, small]).astype(np.float32)
    crossing = Mesh(points, np.array([[0, 1, 2], [3, 4, 5]], np.int32), "camera")
    assert crossing_faces(crossing).all()
    apart = Mesh(
        points + np.float32([0, 0, 1]) * (np.arange(6) > 2)[:, None], crossing.faces, "camera"
    )
    assert not crossing_faces(apart).any()
