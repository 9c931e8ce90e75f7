"""How far guessed colours of unseen sides are from the truth."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.shading import shade_texture
from vitruvian.image.cielab import cielab
from vitruvian.image.similarity import ssim
from vitruvian.networks.maps import draw_body
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

_SMALL_PX = 64  # of the longer side at which pictures are compared by structure
_DARK = 8  # levels below which a colour tells nothing of the light


def far_colors(mesh: Mesh, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """The colours (H, W, 3) uint8 of a textured camera-frame mesh where each ray leaves it for
    good, and where (H, W) bool there are any."""
    return _colors(mesh, camera, "back")


def near_colors(mesh: Mesh, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Likewise where each ray meets it first."""
    return _colors(mesh, camera, "front")


def _colors(
    mesh: Mesh, camera: Camera, side: Literal["front", "back"]
) -> tuple[np.ndarray, np.ndarray]:
    if mesh.texture is None or mesh.uvs is None or mesh.uv_faces is None:
        raise ValueError("the mesh needs a texture")
    normals = vertex_normals(mesh.vertices, mesh.faces)
    drawn = getattr(draw_body(mesh.vertices, mesh.faces, normals, camera, 0.0, 1.0), side)
    colors = shade_texture(drawn, mesh.uvs, mesh.uv_faces, mesh.texture)[..., :3]
    return np.ascontiguousarray(colors), drawn.mask


def lit_alike(
    albedo: np.ndarray, front_albedo: np.ndarray, photo: np.ndarray, front: np.ndarray
) -> np.ndarray:
    """Colours without light (H, W, 3) uint8 under the photograph's mean light, channel by channel:
    that of ``front`` (H, W) bool, whose albedo and picture are known."""
    told = front & (front_albedo.min(2) > _DARK)
    if not told.any():
        return albedo
    gain = np.median(_linear(photo[told]) / np.maximum(_linear(front_albedo[told]), 1e-4), axis=0)
    return _srgb(_linear(albedo) * gain)


def color_errors(found: np.ndarray, true: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Mean absolute difference over the channels of CIELAB, and SSIM at 64 pixels, of pictures
    (H, W, 3) uint8 within (H, W) bool; NaN where that is empty."""
    if not mask.any():
        return float("nan"), float("nan")
    lab = float(np.abs(cielab(found) - cielab(true))[mask].mean())
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    height, width = mask[window].shape
    scale = _SMALL_PX / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    weight = mask[window].astype(np.float32)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small = []
    for picture in (found, true):
        sums = cv2.resize(picture[window] * weight[..., None], size, interpolation=cv2.INTER_AREA)
        small.append(
            (sums / np.maximum(share, 1e-3)[..., None] + 0.5).clip(0, 255).astype(np.uint8)
        )
    return lab, ssim(small[0], small[1], share > 0.5)


def _linear(levels: np.ndarray) -> np.ndarray:
    return np.asarray((levels.astype(np.float32) / 255) ** 2.2)


def _srgb(linear: np.ndarray) -> np.ndarray:
    return (255 * np.clip(linear, 0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)
