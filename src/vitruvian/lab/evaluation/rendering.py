"""Silhouettes of meshes over a photograph, and cameras that show all of one."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.rasterizer import covered
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
    return covered(pixels, vertices[:, 2], mesh.faces, camera.width, camera.height)


def framing_camera(mesh: Mesh, width: int, height: int, *, margin: float = 0.06) -> Camera:
    """A camera at the origin that shows all of a camera-frame mesh, seen from where it is.

    The mesh may be ``turned``: the frame leaves room for any turn.
    """
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    center = (low + high) / 2
    radius = float(np.hypot(mesh.vertices[:, 0] - center[0], mesh.vertices[:, 2] - center[2]).max())
    near = max(float(center[2]) - radius, 0.1)
    room = 1 - 2 * margin
    focal = min(height * room / float(high[1] - low[1]), width * room / (2 * radius)) * near
    x = width / 2 - focal * center[0] / center[2]
    y = height / 2 - focal * center[1] / center[2]
    return Camera(focal, width, height, (float(x), float(y)), "given")
