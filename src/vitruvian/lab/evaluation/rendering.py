"""Render silhouettes of meshes over a photograph."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh


def silhouette(mesh: Mesh, camera: Camera) -> np.ndarray:
    """The pixels (H, W) bool of the camera's picture that a camera-frame mesh covers."""
    if mesh.frame != "camera":
        raise ValueError(f"the mesh must be in the camera frame, not {mesh.frame}")
    vertices = mesh.vertices.astype(np.float64)
    # Faces behind the camera are skipped by the rasteriser; their pixels only have to be finite.
    safe = np.where(vertices[:, 2:] > 0, vertices, [0.0, 0.0, 1.0])
    pixels = camera.project(safe)
    return rasterize(pixels, vertices[:, 2], mesh.faces, camera.width, camera.height).mask
