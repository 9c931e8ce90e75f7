"""Meshes drawn through a photograph's camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.mesh import Mesh
from vitruvian.geometry.rasterizer import Fragments, rasterize
from vitruvian.image.camera import Camera


@dataclass(frozen=True)
class Drawing:
    """What a camera sees of a mesh.

    Attributes:
        mask: (H, W) bool, where it is seen.
        depth: (H, W) float32 z in metres, inf where it is not.
        normals: (H, W, 3) float32 unit normals, camera frame, 0 where it is not.
        colors: (H, W, 3) float32 sRGB 0..255 of the texture or the vertex colours, or None.
    """

    mask: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    colors: np.ndarray | None


def silhouette(mesh: Mesh, camera: Camera) -> np.ndarray:
    """The mask (H, W) bool of a mesh in the camera frame."""
    return _fragments(mesh, camera).mask


def draw(mesh: Mesh, camera: Camera) -> Drawing:
    """Draw a mesh in the camera frame; its texture comes before its vertex colours."""
    fragments = _fragments(mesh, camera)
    normals = fragments.interpolate(mesh.vertex_normals(), mesh.faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    colors = None
    if mesh.texture is not None and mesh.uvs is not None and mesh.uv_faces is not None:
        uv = fragments.interpolate(mesh.uvs, mesh.uv_faces)
        height, width = mesh.texture.shape[:2]
        # v counts from the bottom; cv2 puts the centre of the first texel at 0.
        column = uv[..., 0] * width - 0.5
        row = (1 - uv[..., 1]) * height - 0.5
        colors = cv2.remap(
            mesh.texture,
            column.astype(np.float32),
            row.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
    elif mesh.vertex_colors is not None:
        colors = fragments.interpolate(mesh.vertex_colors.astype(np.float32), mesh.faces)
    return Drawing(fragments.mask, fragments.depth, normals, colors)


def _fragments(mesh: Mesh, camera: Camera) -> Fragments:
    if mesh.frame != "camera":
        raise ValueError(f"the mesh must be in the camera frame, not {mesh.frame}")
    vertices = mesh.vertices.astype(np.float64)
    # Faces behind the camera are skipped by the rasteriser; their pixels only have to be finite.
    safe = np.where(vertices[:, 2:] > 0, vertices, [0.0, 0.0, 1.0])
    return rasterize(camera.project(safe), vertices[:, 2], mesh.faces, camera.width, camera.height)
