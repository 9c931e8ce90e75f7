"""A small renderer for previews and checks: textured, as clay, or as normals."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from vitruvian.geometry.normal_map import surface_normals
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import Fragments, rasterize
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.geometry.shading import shade_texture
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

RenderMode = Literal["texture", "clay", "normals"]

_CLAY = np.array([214, 208, 198], np.float32)
_UNTEXTURED = np.array([176, 176, 176], np.float32)


def render_mesh(
    mesh: Mesh,
    camera: Camera,
    width: int,
    height: int,
    *,
    mode: RenderMode = "texture",
    background: tuple[int, int, int] | None = None,
    supersample: int = 1,
    closed: bool = False,
) -> np.ndarray:
    """Draw a mesh through a camera.

    Args:
        mesh: in the frame of ``camera``.
        camera: its picture is drawn at ``width`` x ``height``, so the focal length is scaled by
            ``width / camera.width``.
        width, height: size of the drawing in pixels.
        mode: ``texture`` shows the atlas unshaded (else the vertex colours, else grey);
            ``clay`` is lit softly from beside the camera; ``normals`` shows (n + 1) / 2 of the
            unit normals with x right, y up and z towards the camera. The latter two show the
            mesh's normal map.
        background: sRGB colour behind the mesh; None leaves it transparent.
        supersample: samples per pixel along each axis.
        closed: the mesh is, so faces seen from behind are all hidden and need no drawing.

    Returns:
        (height, width, 4) uint8 sRGB with straight alpha.
    """
    if mesh.frame != "camera":
        raise ValueError(f"the mesh must be in the camera frame, not {mesh.frame}")
    if supersample < 1:
        raise ValueError(f"supersample must be at least 1, got {supersample}")
    fine_width, fine_height = width * supersample, height * supersample
    fine = camera.scaled(fine_width / camera.width, fine_width, fine_height)
    # Faces behind the camera are skipped by the rasteriser; their pixels need only be finite.
    depth = mesh.vertices[:, 2]
    safe = np.where(depth[:, None] > 0, mesh.vertices, np.array([0, 0, 1], np.float32))
    fragments = rasterize(
        fine.project(safe), depth, mesh.faces, fine_width, fine_height, cull_back_faces=closed
    )

    if mode == "texture" and mesh.texture is not None and mesh.uvs is not None:
        assert mesh.uv_faces is not None  # as a Mesh promises
        texture = _mip_level(mesh, fragments)
        drawn = shade_texture(fragments, mesh.uvs, mesh.uv_faces, texture, supersample=supersample)
        return drawn if background is None else _over(drawn, background)
    if mode == "texture":
        color = _surface_color(mesh, fragments)
    elif mode == "clay":
        color = _clay(mesh, fragments)
    elif mode == "normals":
        normals = surface_normals(mesh, fragments) * np.array([1, -1, -1], np.float32)
        color = (normals + 1) * 127.5
    else:
        raise ValueError(f"mode must be texture, clay or normals, got {mode!r}")
    return _composite(color, fragments.mask, background, supersample)


def turned(mesh: Mesh, degrees: float, *, up: np.ndarray | None = None) -> Mesh:
    """The mesh (camera frame) turned about its own vertical axis, as on a turntable.

    90 shows what was at the right of the picture, the left side of a person who faces the camera.

    Args:
        mesh: in the camera frame.
        degrees: how far.
        up: (3,) direction of the axis; against the image's y by default.
    """
    axis = np.array([0.0, -1.0, 0.0]) if up is None else np.asarray(up, float)
    axis = axis / np.linalg.norm(axis)
    rotation = matrix_from_axis_angle(-axis * np.deg2rad(degrees))
    center = (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    return mesh.with_vertices((mesh.vertices - center) @ rotation.T + center)


def _surface_color(mesh: Mesh, fragments: Fragments) -> np.ndarray:
    """Unlit colours (H, W, 3) float32 sRGB 0..255 of a mesh without a texture."""
    if mesh.vertex_colors is not None:
        return fragments.interpolate(mesh.vertex_colors.astype(np.float32), mesh.faces)
    return np.full((*fragments.mask.shape, 3), _UNTEXTURED, np.float32)


def _mip_level(mesh: Mesh, fragments: Fragments) -> np.ndarray:
    """The atlas, halved while the drawing has less than half as many pixels as it has texels."""
    texture = mesh.texture
    assert texture is not None  # the caller has looked
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    seen = np.zeros(len(mesh.faces) + 1, bool)
    seen[fragments.face.ravel()] = True  # -1, no face, is the last
    if not seen[:-1].any():
        return texture
    corners = mesh.uvs[mesh.uv_faces[seen[:-1]]]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    atlas_share = 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    texels_per_pixel = atlas_share * texture.shape[0] * texture.shape[1] / fragments.mask.sum()
    while texels_per_pixel > 4 and min(texture.shape[:2]) > 64:
        size = texture.shape[1] // 2, texture.shape[0] // 2
        texture = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
        texels_per_pixel /= 4
    return texture


def _clay(mesh: Mesh, fragments: Fragments) -> np.ndarray:
    """Clay's colours (H, W, 3) float32; lit at the vertices (Gouraud, 1971) where no normal map
    asks for more."""
    if mesh.normal_map is not None:
        return _lit_clay(surface_normals(mesh, fragments))
    return fragments.interpolate(_lit_clay(vertex_normals(mesh.vertices, mesh.faces)), mesh.faces)


def _lit_clay(normals: np.ndarray) -> np.ndarray:
    """Colours (..., 3) float32 of clay with unit normals (..., 3), camera frame."""
    headlight = np.clip(-normals[..., 2:], 0, 1)
    key = np.clip(normals @ np.array([[-0.45], [-0.65], [-0.61]], np.float32), 0, 1)
    return _CLAY * (0.18 + 0.45 * headlight + 0.37 * key)


def _over(drawn: np.ndarray, background: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 4) uint8, opaque: a drawing with straight alpha over one colour."""
    alpha = drawn[..., 3:].astype(np.float32) / 255
    color = drawn[..., :3] * alpha + np.array(background, np.float32) * (1 - alpha)
    out = np.full_like(drawn, 255)
    out[..., :3] = color + 0.5
    return out


def _composite(
    color: np.ndarray, mask: np.ndarray, background: tuple[int, int, int] | None, supersample: int
) -> np.ndarray:
    """(H, W, 4) uint8 from fine colours and mask: averaged, over ``background`` if given."""
    coverage: np.ndarray = mask.astype(np.float32)
    if supersample > 1:
        size = mask.shape[1] // supersample, mask.shape[0] // supersample
        color = cv2.resize(color * coverage[..., None], size, interpolation=cv2.INTER_AREA)
        coverage = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
        color = color / np.maximum(coverage, 1e-6)[..., None]
    alpha = coverage[..., None]
    if background is not None:
        color = color * alpha + np.array(background, np.float32) * (1 - alpha)
        alpha = np.ones_like(alpha)
    else:
        color = color * (alpha > 0)
    out = np.concatenate([np.clip(color, 0, 255), alpha * 255], axis=2)
    return (out + 0.5).astype(np.uint8)
