"""Finer triangles on the face, laid upon the fitted body's."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import rigid_alignment
from vitruvian.geometry.smoothing import drawn_to_neighbors
from vitruvian.geometry.subdivision import edge_lengths, split_edges
from vitruvian.image.disc import disc
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import HEAD

_EDGE_M = 0.0045
_ROUNDS = 3
_NEAR_M = 0.02  # farther from the body's face than this is hair, a hat, a hand before it
_PIXEL_M = 0.001
_SIDE_PX = 256
_AWAY_M = 10.0  # of the eye that looks at the face, so far that its rays are parallel
_SMOOTHINGS = 2
_SLIT_PX = 4
_JAW_FORWARD = 0.56  # share of the skull's depth before which the jaw is part of the face
_RIM_PX = 3
_FADE_AT_M, _FADE_PX = (-0.02, 0.03), (12.0, 32.0)


def refined_face(
    model: ParametricModel, mesh: Mesh, beneath: np.ndarray, fitted: Mesh
) -> tuple[Mesh, np.ndarray]:
    """The mesh with the fitted body's face.

    The volume that the surface comes from knows nothing smaller than its voxels, and the maps'
    normals little more; the body has eyes, nose and mouth where the landmarks put them. Triangles
    over the face are split until their edges are short, and their corners moved to and fro along
    the direction in which it looks, onto the body's: a relief, which cannot fold.

    Args:
        mesh: closed, camera frame.
        beneath: (V,) the body vertex beneath each of its vertices.
        fitted: the bare body, camera frame.

    Returns:
        The mesh, closed as before, and for each vertex the one it is nearest to (V',) int64 of
        those that went in.
    """
    on_head = (model.regions.part == HEAD)[beneath]
    near = on_head[mesh.faces].any(1)
    if not near.any():
        return mesh, np.arange(len(mesh.vertices))
    # Only the head's faces from here on; along their border nothing moves.
    used, faces = np.unique(mesh.faces[near], return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    vertices, chosen, origin = mesh.vertices[used], on_head[used], used
    border = np.zeros(len(mesh.vertices), bool)
    border[mesh.faces[~near]] = True
    chosen &= ~border[used]
    relief = _Relief(model, fitted)
    for _ in range(_ROUNDS):
        vertices, share = relief.laid_on(vertices, faces, chosen)
        split = _split(vertices, faces, share)
        if split is None:
            break
        faces, pairs = split
        vertices = np.concatenate([vertices, vertices[pairs].mean(1)])
        share, chosen, origin = (
            np.concatenate([share, share[pairs].mean(1)]),
            np.concatenate([chosen, chosen[pairs].all(1)]),
            np.concatenate([origin, origin[pairs[:, 0]]]),
        )
        vertices = _smoothed(vertices, faces, share)
    vertices, _ = relief.laid_on(vertices, faces, chosen)
    added = np.arange(len(mesh.vertices), len(mesh.vertices) + len(vertices) - len(used))
    number = np.concatenate([used, added]).astype(np.int32)
    points = np.concatenate([mesh.vertices, vertices[len(used) :]]).astype(np.float32)
    points[used] = vertices[: len(used)]
    out = Mesh(points, np.concatenate([mesh.faces[~near], number[faces]]), mesh.frame)
    return out, np.concatenate([np.arange(len(mesh.vertices)), origin[len(used) :]])


class _Relief:
    """The body's face as a picture of how far it stands out, seen from where it looks."""

    def __init__(self, model: ParametricModel, fitted: Mesh) -> None:
        regions = model.regions
        face = regions.face > 0
        rest = model.template[face].mean(0)
        self._origin = fitted.vertices[face].mean(0)
        self._turn = rigid_alignment(
            model.template[face] - rest, fitted.vertices[face] - self._origin
        )
        points = self._to_face(fitted.vertices)
        whole = _of_face(model)
        faces = model.faces[(whole > 0)[model.faces].all(1)]
        pixels = self._pixels(points)
        drawn = rasterize(pixels, _AWAY_M - points[:, 2], faces, _SIDE_PX, _SIDE_PX)
        height = np.where(drawn.mask, _AWAY_M - drawn.depth, -1).astype(np.float32)
        # Lips stay closed: the slit between them is narrower than any triangle.
        self._height = cv2.morphologyEx(height, cv2.MORPH_CLOSE, disc(_SLIT_PX))
        weight = drawn.interpolate(whole[:, None], faces)[..., 0]
        weight = cv2.morphologyEx(np.ascontiguousarray(weight), cv2.MORPH_CLOSE, disc(_SLIT_PX))
        self._weight = _soft(np.clip(weight, 0, 1))

    def _to_face(self, points: np.ndarray) -> np.ndarray:
        """Camera-frame points in the face's own frame: x to its left, y up, z where it looks."""
        return (points - self._origin) @ self._turn

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        return np.stack([points[:, 0], -points[:, 1]], axis=1) / _PIXEL_M + _SIDE_PX / 2

    def laid_on(
        self, vertices: np.ndarray, faces: np.ndarray, chosen: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) float32 with the chosen (V,) ones moved to the relief, and by what
        share (V,) of the way. What looks away, such as the underside of the chin, stays."""
        index = np.flatnonzero(chosen)
        points = self._to_face(vertices[index])
        across, down = (self._pixels(points) - 0.5).astype(np.float32).T[:, None]
        weight, height = (
            cv2.remap(picture, across, down, cv2.INTER_LINEAR)[0]
            for picture in (self._weight, self._height)
        )
        off = height - points[:, 2]
        facing = vertex_normals(vertices, faces)[index] @ self._turn[:, 2]
        weight = weight * np.clip(2 - np.abs(off) / _NEAR_M, 0, 1) * np.clip(facing * 3, 0, 1)
        share = np.zeros(len(vertices), np.float32)
        share[index] = weight
        out = vertices.astype(np.float32)
        out[index] += (weight * off)[:, None] * self._turn[:, 2]
        return out, share


@lru_cache(maxsize=4)
def _of_face(model: ParametricModel) -> np.ndarray:
    """(V,) float32, 1 on the face as ``regions.face``, and on the chin and the jaw, too."""
    regions = model.regions
    skull = model.template[regions.skull]
    back, front = skull[:, 2].min(), skull[:, 2].max()
    forward = (model.template[:, 2] - back) / (front - back)
    low = model.template[:, 1] < model.template[regions.face > 0.5, 1].mean()
    jaw = regions.skull & low & (forward > _JAW_FORWARD)
    return np.maximum(regions.face, jaw).astype(np.float32)


def _soft(weight: np.ndarray) -> np.ndarray:
    """The face's weights (H, W) fading towards its border, and nothing where no height is: over a
    finger's breadth at chin and cheeks, more slowly at brow and temples, where hair stands before
    the skin and a narrow edge would be a step."""
    inside = (weight > 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    above = (_SIDE_PX / 2 - np.arange(_SIDE_PX) - 0.5) * _PIXEL_M  # metres over the face's middle
    fade = np.interp(above, _FADE_AT_M, _FADE_PX)[:, None]
    share = np.clip((distance - _RIM_PX) / fade, 0, 1)
    return (share * share * (3 - 2 * share) * weight).astype(np.float32)


def _smoothed(vertices: np.ndarray, faces: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The vertices, each drawn to the middle of its neighbours by its share: what overhangs, such
    as a nose that sticks out, unfolds before it is laid on the relief."""
    return drawn_to_neighbors(vertices, faces, *_SMOOTHINGS * [share])


def _split(
    vertices: np.ndarray, faces: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """``split_edges`` of every long edge between vertices of the face; None where there is none."""
    ends, length = edge_lengths(vertices, faces)
    halved = (length > _EDGE_M) & (share[ends] > 0).all(2)
    return split_edges(faces, halved, len(vertices)) if halved.any() else None
