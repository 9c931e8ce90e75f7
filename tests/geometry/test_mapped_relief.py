"""The relief of a normal map becomes geometry, on a slab whose map is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.geometry.mapped_relief import with_relief_of_map
from vitruvian.types.mesh import Mesh

SIZE, SIDE, CELLS = 128, 0.5, 25  # texels, metres, faces along a side
WAVE_M, SLOPE = 0.04, 0.3
TEXEL_M = SIDE / SIZE


def slab(*, along: int = 0, mirrored: bool = False, rotated: bool = False) -> Mesh:
    """A wall that faces +z, with folds across u (0) or v (1) in its map."""
    grid = np.linspace(0, 1, CELLS + 1)
    v, u = (axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij"))
    x = (1 - u if mirrored else u) * SIDE
    vertices = np.stack([x, v * SIDE, 0 * u], 1).astype(np.float32)
    if rotated:
        vertices = vertices[:, [2, 0, 1]]
    corner = np.arange((CELLS + 1) ** 2).reshape(CELLS + 1, CELLS + 1)
    a, b, c, d = (one.ravel() for one in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:],
                                          corner[1:, :-1]))  # fmt: skip
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    place = (np.arange(SIZE) + 0.5) * TEXEL_M
    # h = A sin(2 pi t / L) has the slope 2 pi A / L cos; rows run against v.
    slope = SLOPE * np.cos(2 * np.pi * place / WAVE_M)
    slope = np.broadcast_to(slope if along == 0 else slope[::-1, None], (SIZE, SIZE))
    normals = np.zeros((SIZE, SIZE, 3))
    normals[..., along], normals[..., 2] = -slope, 1
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    image = np.round((normals + 1) * 127.5).astype(np.uint8)
    uvs = np.stack([u, v], 1).astype(np.float32)
    order = [0, 2, 1] if mirrored else [0, 1, 2]
    faces = np.ascontiguousarray(faces[:, order])
    return Mesh(vertices, faces, "world", uvs=uvs, uv_faces=faces.copy(), normal_map=image)


@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotated", [False, True])
def test_waves_are_as_high_as_their_slope_says(along: int, mirrored: bool, rotated: bool) -> None:
    mesh = slab(along=along, mirrored=mirrored, rotated=rotated)
    fine = with_relief_of_map(mesh)
    assert fine.normal_map is None
    assert len(fine.faces) == 8 * len(mesh.faces)
    assert fine.uvs is not None
    out = fine.vertices[:, 0 if rotated else 2]
    inner = (np.abs(fine.uvs - 0.5) < 0.35).all(1)
    expected = np.sin(2 * np.pi * fine.uvs[inner, along] * SIDE / WAVE_M)
    amplitude = SLOPE * WAVE_M / (2 * np.pi)
    fitted = float((out[inner] * expected).sum() / (expected**2).sum())
    assert 0.85 * amplitude < fitted < 1.05 * amplitude  # outwards is towards the viewer
    assert np.corrcoef(out[inner], expected)[0, 1] > 0.98
    border = (np.abs(fine.uvs - 0.5) > 0.49).any(1)
    assert np.abs(out[border]).max() < 1e-4  # the next chart begins there


def test_broad_slopes_are_left_out() -> None:
    mesh = slab()
    assert mesh.normal_map is not None
    leaning = np.array([0.3, 0, 1]) / np.linalg.norm([0.3, 0, 1])
    image = np.broadcast_to(np.round((leaning + 1) * 127.5).astype(np.uint8), (SIZE, SIZE, 3))
    fine = with_relief_of_map(replace(mesh, normal_map=np.ascontiguousarray(image)))
    inner = (np.abs(fine.uvs - 0.5) < 0.2).all(1)  # type: ignore[operator]
    assert np.abs(fine.vertices[inner, 2]).max() < 0.006  # of 60 mm across the middle


def test_colours_and_small_faces_stay() -> None:
    colors = np.random.default_rng(0).integers(0, 256, (len(slab().vertices), 3), np.uint8)
    mesh = replace(slab(), vertex_colors=colors)
    fine = with_relief_of_map(mesh)
    assert fine.vertex_colors is not None
    np.testing.assert_array_equal(fine.vertex_colors[: len(colors)], colors)
    small = mesh.with_vertices(mesh.vertices * 0.1)
    assert len(with_relief_of_map(small).faces) == len(mesh.faces)


def test_without_a_map_nothing_happens() -> None:
    mesh = replace(slab(), normal_map=None)
    assert with_relief_of_map(mesh) is mesh
