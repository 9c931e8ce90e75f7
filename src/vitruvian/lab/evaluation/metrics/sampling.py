"""Sample points from a surface; find the faces visible from outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.rasterizer import Fragments, rasterize
from vitruvian.types.mesh import Mesh

# Far enough for the rasteriser's perspective division to be a parallel projection in effect.
_PARALLEL_DISTANCE_M = 200.0


@dataclass(frozen=True)
class SurfaceSamples:
    """Points on a surface.

    Attributes:
        points: (N, 3) float64 in the mesh's unit and frame.
        normals: (N, 3) float64, unit normals of the faces the points lie on.
        faces: (N,) int64, those faces.
    """

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray


def sample_surface(mesh: Mesh, count: int, *, seed: int = 0) -> SurfaceSamples:
    """Draw ``count`` points, uniform by area, from the mesh.

    Triangles in proportion to their area, then a uniform point of the triangle by the square-root
    warp (Osada et al., "Shape distributions", 2002, eq. 1).

    Raises:
        ValueError: the mesh has no area.
    """
    rng = np.random.default_rng(seed)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]  # (F, 3, 3)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double_area = np.linalg.norm(cross, axis=1)
    total = double_area.sum()
    if not total > 0:
        raise ValueError("a mesh without area cannot be sampled")
    faces = rng.choice(len(corners), size=count, p=double_area / total)
    root, other = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1 - root, root * (1 - other), root * other], axis=1)
    points = np.einsum("nk,nkc->nc", weights, corners[faces])
    return SurfaceSamples(points, cross[faces] / double_area[faces, None], faces)


def fibonacci_directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3), spread evenly over the sphere (Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def view_rotation(direction: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) into a camera frame (x right, y down, z forward) that looks along
    ``direction`` (3,) with ``up`` (3,) upwards in the picture."""
    forward = np.asarray(direction, float) / np.linalg.norm(direction)
    right = np.cross(forward, np.asarray(up, float))
    if np.linalg.norm(right) < 1e-6:  # looking along up: any roll will do
        right = np.cross(forward, np.eye(3)[np.abs(forward).argmin()])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def parallel_view(
    vertices: np.ndarray,
    faces: np.ndarray,
    rotation: np.ndarray,
    center: np.ndarray,
    half_size: float,
    size: int,
    *,
    cull_back_faces: bool = False,
) -> Fragments:
    """Rasterise a mesh under parallel projection.

    Args:
        vertices, faces: (V, 3) metres and (F, 3).
        rotation: (3, 3) into the view's camera frame, see :func:`view_rotation`.
        center: (3,) the point of the middle of the picture.
        half_size: metres from the middle to the picture's edge.
        size: side of the picture in pixels.
        cull_back_faces: leave out faces seen from behind.
    """
    view = (vertices - center) @ rotation.T
    pixels = (view[:, :2] / half_size + 1) * (size / 2)
    return rasterize(
        pixels,
        view[:, 2] + _PARALLEL_DISTANCE_M,
        faces,
        size,
        size,
        cull_back_faces=cull_back_faces,
    )


def outer_faces(mesh: Mesh, *, directions: int = 64, size: int = 768) -> np.ndarray:
    """Which faces (F,) bool can be seen from outside, by rendering from many directions.

    Modelled characters carry a body beneath their clothes, teeth and eyeballs; a reconstruction
    from a picture is not asked for those. Faces smaller than a pixel are missed now and then and
    so are the bottoms of deep folds; a face that shares a vertex with a seen one and is itself
    smaller than a pixel counts as seen.
    """
    vertices = mesh.vertices.astype(np.float64)
    low, high = vertices.min(0), vertices.max(0)
    center, half = (low + high) / 2, float(np.linalg.norm(high - low) / 2)
    seen = np.zeros(len(mesh.faces), bool)
    for direction in fibonacci_directions(directions):
        rotation = view_rotation(direction, np.array([0.0, 1.0, 0.0]))
        view = parallel_view(vertices, mesh.faces, rotation, center, half, size)
        seen[np.unique(view.face[view.mask])] = True
    corners = vertices[mesh.faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    touched = np.zeros(len(vertices), bool)
    touched[mesh.faces[seen]] = True
    return seen | ((edges < 2 * half / size) & touched[mesh.faces].any(1))


def keep_faces(mesh: Mesh, keep: np.ndarray) -> Mesh:
    """The geometry alone of the faces where ``keep`` (F,) bool holds, without stray vertices."""
    used, inverse = np.unique(mesh.faces[keep], return_inverse=True)
    faces = inverse.reshape(-1, 3).astype(np.int32)
    return Mesh(mesh.vertices[used], faces, mesh.frame)
