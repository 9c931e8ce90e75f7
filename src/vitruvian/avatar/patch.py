"""Something added to the layers that brings its own picture: a bag, long hair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.types.mesh import Mesh

_MARGIN = 0.004  # of the atlas, around a picture
_FLAT = 128, 128, 255  # of a normal map


@dataclass(frozen=True)
class Patch:
    """A closed surface at rest, in the frame ``body``.

    Attributes:
        vertices: (N, 3) float32.
        faces: (F, 3) int32, closed.
        uvs: (T, 2) float32, 0..1 of ``picture``, up.
        uv_faces: (F, 3) int32.
        picture: (h, w, 3) uint8, what it looks like, sRGB.
        skin_joints, skin_weights: (N, 4).
        body_vertices: (N,) int32, a vertex of the body near each.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray
    uv_faces: np.ndarray
    picture: np.ndarray
    skin_joints: np.ndarray
    skin_weights: np.ndarray
    body_vertices: np.ndarray


def with_patch(rest: Mesh, patch: Patch, box: tuple[float, float, float, float]) -> Mesh:
    """Layers and a patch as one mesh.

    Args:
        rest: with texture coordinates, skin and ``body_vertices``.
        patch: to be added.
        box: of the atlas, which the layers leave free: left, bottom, right, top in 0..1.
    """
    if rest.uvs is None or rest.uv_faces is None:
        raise ValueError("layers need texture coordinates")
    if rest.skin_joints is None or rest.skin_weights is None or rest.body_vertices is None:
        raise ValueError("layers need a skin")
    low = np.array(box[:2]) + _MARGIN
    size = np.array(box[2:]) - box[:2] - 2 * _MARGIN
    texture, normals = rest.texture, rest.normal_map
    if texture is not None:
        texture = _painted(texture, patch.picture, box)
    if normals is not None:
        normals = _painted(normals, np.full((1, 1, 3), _FLAT, np.uint8), box)
    return replace(
        rest,
        vertices=np.concatenate([rest.vertices, patch.vertices]),
        faces=np.concatenate([rest.faces, patch.faces + np.int32(len(rest.vertices))]),
        uvs=np.concatenate([rest.uvs, (low + patch.uvs * size).astype(np.float32)]),
        uv_faces=np.concatenate([rest.uv_faces, patch.uv_faces + np.int32(len(rest.uvs))]),
        skin_joints=np.concatenate([rest.skin_joints, patch.skin_joints]),
        skin_weights=np.concatenate([rest.skin_weights, patch.skin_weights]),
        body_vertices=np.concatenate([rest.body_vertices, patch.body_vertices]),
        texture=texture,
        normal_map=normals,
    )


def _painted(
    atlas: np.ndarray, picture: np.ndarray, box: tuple[float, float, float, float]
) -> np.ndarray:
    """An atlas (s, s, 3) with a picture in a box, its edges repeated over the margin."""
    side = len(atlas)
    left, bottom = np.floor(np.array(box[:2]) * side).astype(int)
    margin = int(np.ceil(_MARGIN * side))
    wide, high = np.rint((np.array(box[2:]) - box[:2] - 2 * _MARGIN) * side).astype(int)
    drawn = cv2.resize(picture, (int(wide), int(high)), interpolation=cv2.INTER_AREA)
    room = np.pad(drawn, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    room = room[-(side - bottom) :, : side - left]
    out = atlas.copy()
    out[side - bottom - len(room) : side - bottom, left : left + room.shape[1]] = room
    return out
