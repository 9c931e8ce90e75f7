"""Sides of somebody whose colours are known: left is left, and a wrong colour is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from surface_people import sphere
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.lab.evaluation.suites.sides import Side, side_numbers, turned_about
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

SIZE = 96
CAMERA = Camera.centered(150, SIZE, SIZE)
ROOT = np.array([0.0, 0.0, 3.0])
UP = np.array([0.0, -1.0, 0.0])
LEFT, RIGHT = (200, 60, 60), (60, 90, 200)


def ball(center: np.ndarray, *, swapped: bool = False) -> Mesh:
    """Red at the right of the picture, the left side of who faces the camera, and blue at its
    left."""
    mesh = sphere(0.7, (0.0, 0.0, 0.0))
    right = mesh.vertices[:, 0] > 0
    texture = np.zeros((8, 8, 3), np.uint8)
    texture[:, :4], texture[:, 4:] = (LEFT, RIGHT) if swapped else (RIGHT, LEFT)
    uvs = np.stack([np.where(right, 0.75, 0.25), np.full(len(right), 0.5)], 1).astype(np.float32)
    points = (mesh.vertices + center).astype(np.float32)
    return Mesh(points, mesh.faces, "camera", uvs, mesh.faces, texture=texture)


def errors(mesh: Mesh, root: np.ndarray, scale: float = 1.0) -> dict[str, float]:
    true = ball(ROOT)
    mask = rasterize(
        CAMERA.project(true.vertices), true.vertices[:, 2], true.faces, SIZE, SIZE
    ).mask
    flat = np.full((SIZE, SIZE, 3), 255, np.uint8)
    sides = tuple(
        Side(turned_about(UP, degrees), np.broadcast_to(np.uint8(color), flat.shape), mask)
        for degrees, color in ((90, LEFT), (270, RIGHT))
    )
    sample: Any = SimpleNamespace(
        instances=mask.astype(np.uint8),
        silhouette=255 * mask.astype(np.uint8),
        front_albedo=flat,
        image=flat,
    )
    return side_numbers({"": mesh}, root, scale, sides, ROOT, CAMERA, sample)


def test_the_truth_has_no_error_wherever_it_stands() -> None:
    assert errors(ball(ROOT), ROOT)["side_lab"] < 1
    away = np.array([0.9, 0.1, 4.0])
    assert errors(ball(away), away)["side_lab"] < 1


def test_sides_that_are_swapped_are_wrong() -> None:
    found = errors(ball(ROOT, swapped=True), ROOT)
    assert found["side_lab"] > 20


def test_without_sides_nothing_is_said() -> None:
    sample: Any = SimpleNamespace(instances=np.zeros((4, 4)), silhouette=np.zeros((4, 4)))
    assert side_numbers({"": ball(ROOT)}, ROOT, 1.0, (), ROOT, CAMERA, sample) == {}
