"""Meshes for formats that give every vertex one texture coordinate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.mesh import Mesh


@dataclass(frozen=True)
class SplitMesh:
    """A mesh cut along its texture seams.

    Attributes:
        source: (N,) int64, which vertex of the mesh each vertex here comes from.
        faces: (F, 3) int32 into the N vertices, in the order of the mesh's faces.
        uvs: (N, 2) float32 with the origin at the lower left, or None.
    """

    source: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray | None


def split_at_seams(mesh: Mesh) -> SplitMesh:
    """Give every (vertex, texture coordinate) pair that a face uses a vertex of its own."""
    if mesh.uvs is None or mesh.uv_faces is None:
        return SplitMesh(np.arange(len(mesh.vertices)), mesh.faces.astype(np.int32), None)
    vertex, uv = mesh.faces.ravel(), mesh.uv_faces.ravel()
    # Usually every texture coordinate belongs to one vertex; then no sorting is needed.
    vertex_of_uv = np.full(len(mesh.uvs), -1, np.int64)
    vertex_of_uv[uv] = vertex
    if np.array_equal(vertex_of_uv[uv], vertex):
        used = vertex_of_uv >= 0
        faces = mesh.uv_faces if used.all() else (np.cumsum(used) - 1)[mesh.uv_faces]
        return SplitMesh(
            vertex_of_uv[used], faces.astype(np.int32), mesh.uvs[used].astype(np.float32)
        )
    pairs = vertex.astype(np.int64) * len(mesh.uvs) + uv
    unique, index = np.unique(pairs, return_inverse=True)
    source, uv_index = np.divmod(unique, len(mesh.uvs))
    return SplitMesh(
        source, index.reshape(-1, 3).astype(np.int32), mesh.uvs[uv_index].astype(np.float32)
    )


def sample_texture(mesh: Mesh) -> np.ndarray | None:
    """Colours (V, 3) uint8 of the vertices: their own, or read from the texture, or None.

    A vertex on a texture seam takes the colour of the last of its corners: both sides of a seam
    show the same point of the surface.
    """
    if mesh.vertex_colors is not None or mesh.texture is None:
        return mesh.vertex_colors
    if mesh.uvs is None or mesh.uv_faces is None:
        return None
    height, width = mesh.texture.shape[:2]
    columns = np.clip(mesh.uvs[:, 0] * width, 0, width - 1).astype(np.int64)
    rows = np.clip((1 - mesh.uvs[:, 1]) * height, 0, height - 1).astype(np.int64)
    colors = np.full((len(mesh.vertices), 3), 128, np.uint8)
    colors[mesh.faces.ravel()] = mesh.texture[rows, columns][mesh.uv_faces.ravel()]
    return colors
