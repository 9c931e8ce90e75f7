"""Normals of triangle meshes, compiled: a person's are needed a dozen times on the way."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel, kernel_part

_TINY = 1e-12


@kernel_part
def _cross(vertices: np.ndarray, a: int, b: int, c: int) -> tuple[float, float, float]:
    """The normal of a triangle, twice its area long, in 64 bits."""
    ax, ay, az = (
        np.float64(vertices[a, 0]),
        np.float64(vertices[a, 1]),
        np.float64(vertices[a, 2]),
    )
    ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
    vx, vy, vz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@kernel("void(float32[:,::1],int32[:,::1],float32[:,::1])")
def _of_faces(vertices: np.ndarray, faces: np.ndarray, out: np.ndarray) -> None:
    for t in range(faces.shape[0]):
        x, y, z = _cross(vertices, faces[t, 0], faces[t, 1], faces[t, 2])
        scale = 1 / max(np.sqrt(x * x + y * y + z * z), _TINY)
        out[t, 0], out[t, 1], out[t, 2] = x * scale, y * scale, z * scale


@kernel("void(float32[:,::1],int32[:,::1],float32[:,::1])")
def _of_vertices(vertices: np.ndarray, faces: np.ndarray, out: np.ndarray) -> None:
    total = np.zeros(vertices.shape)  # 64 bits: products of small edges are added up
    for t in range(faces.shape[0]):
        x, y, z = _cross(vertices, faces[t, 0], faces[t, 1], faces[t, 2])
        for k in range(3):
            v = faces[t, k]
            total[v, 0] += x
            total[v, 1] += y
            total[v, 2] += z
    for v in range(vertices.shape[0]):
        x, y, z = total[v, 0], total[v, 1], total[v, 2]
        scale = 1 / max(np.sqrt(x * x + y * y + z * z), _TINY)
        out[v, 0], out[v, 1], out[v, 2] = x * scale, y * scale, z * scale


@kernel("void(float32[:,::1],float32[:,::1])")
def _scale(vectors: np.ndarray, out: np.ndarray) -> None:
    for n in range(len(vectors)):
        x, y, z = vectors[n, 0], vectors[n, 1], vectors[n, 2]
        scale = np.float32(1) / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-6))
        out[n, 0], out[n, 1], out[n, 2] = x * scale, y * scale, z * scale


def unit_normals(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) at unit length, float32; what has hardly any length stays short."""
    plain = np.ascontiguousarray(vectors, np.float32)
    out = np.empty_like(plain)
    _scale(plain.reshape(-1, 3), out.reshape(-1, 3))
    return out


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (F, 3) float32 of the faces; zero for degenerate ones.

    Args:
        vertices: (V, 3).
        faces: (F, 3), counter-clockwise seen from outside.
    """
    out = np.empty(faces.shape, np.float32)
    _of_faces(*_plain(vertices, faces), out)
    return out


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit area-weighted normals (V, 3) float32 of the vertices; zero where no face is.

    Args:
        vertices: (V, 3).
        faces: (F, 3), counter-clockwise seen from outside.
    """
    out = np.empty(vertices.shape, np.float32)
    _of_vertices(*_plain(vertices, faces), out)
    return out


def _plain(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32)
