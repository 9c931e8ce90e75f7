"""Relief of folds in the geometry itself, for those who print it or light it without a normal map.

The maps' normals are integrated over the mesh as it is drawn; what is fine of that moves the
vertices of finer triangles along their rays, so every vertex stays at its place in the picture,
layers stay apart and nothing folds over.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.geometry.clearance import clearance
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.subdivision import edge_lengths, split_edges
from vitruvian.networks.maps import draw_body
from vitruvian.surface.maps import SurfaceMaps
from vitruvian.surface.volume.normal_integration import integrate_normals
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh

_EDGE_M = 0.011  # halved beyond: half of it is what the maps resolve
_ROUNDS = 2
_FINE_M = 0.055  # sigma: coarser relief is in the mesh already
_MOST_M = 0.012
_MOST_OF_THICKNESS = 0.2
_OF_ROOM = 0.35  # that a vertex has before another surface: that one moves, too
_JUMP_M = 0.02  # between neighbouring pixels: another layer
_EDGE_FADE_M = (0.006, 0.026)  # from outlines and jumps: nothing moves, everything does
_FACING = (0.2, 0.45)  # cosine to the ray, likewise
_FOLD = 1024
_NEAR_M = 0.02  # of the seen depth, or the mesh hides the vertex


def with_fine_relief(
    model: ParametricModel, mesh: Mesh, beneath: np.ndarray, maps: SurfaceMaps
) -> tuple[Mesh, np.ndarray]:
    """The mesh with four times as many triangles, about 7 mm wide, moved to the relief of the maps.

    Args:
        model: the body model; its face, hands and feet are left as they are.
        mesh: closed, camera frame.
        beneath: (V,) the body vertex beneath each of its vertices.
        maps: the finest there are.

    Returns:
        The mesh, closed as before, and for each vertex one beside it (V',) int64 of those that
        went in.
    """
    camera = maps.camera
    normals = vertex_normals(mesh.vertices, mesh.faces)
    drawn = draw_body(mesh.vertices, mesh.faces, normals, camera, 0.0, 1.0)
    pixel_m = float(np.median(mesh.vertices[:, 2])) / camera.focal_px
    depths = drawn.front_depth, drawn.back_depth
    reliefs = [
        _relief(depth, given, drawn.covered, maps, pixel_m)
        for depth, given in zip(depths, (maps.front_normals, maps.back_normals), strict=True)
    ]
    thickest = _MOST_OF_THICKNESS * (depths[1] - depths[0])
    reliefs = [np.clip(one, -thickest, thickest) for one in reliefs]
    regions = model.regions
    own = np.maximum.reduce([regions.face, regions.hand, regions.foot])[beneath]
    vertices, faces, source, own = _finer(mesh, own)
    normals = vertex_normals(vertices, faces)
    room = _OF_ROOM * clearance(vertices, normals, _MOST_M / _OF_ROOM)
    return (
        Mesh(_moved(vertices, normals, 1 - own, room, depths, reliefs, maps), faces, mesh.frame),
        source,
    )


def _relief(
    depth: np.ndarray, normals: np.ndarray, mask: np.ndarray, maps: SurfaceMaps, pixel_m: float
) -> np.ndarray:
    """What is to be added to a depth (H, W): fine, limited, nothing at outlines and jumps."""
    rough = np.where(mask, depth, np.float32(np.inf)).astype(np.float32)
    found = integrate_normals(rough, normals, maps.camera, pixel_m)
    off = np.zeros_like(rough)
    off[mask] = found[mask] - rough[mask]
    weight = mask.astype(np.float32)
    sigma = _FINE_M / pixel_m
    sums, counts = (cv2.GaussianBlur(one, (0, 0), sigma) for one in (off, weight))
    fine = (off - sums / np.maximum(counts, 1e-6)) * weight
    broken = ~mask
    for axis in (0, 1):
        jump = np.abs(np.diff(np.where(mask, depth, 0), axis=axis)) > _JUMP_M
        for before in (0, 1):  # on both sides of it
            width = [(before, 1 - before) if axis == k else (0, 0) for k in (0, 1)]
            broken |= np.pad(jump, width)
    distance = cv2.distanceTransform((~broken).astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
    fade = _step(distance, *_EDGE_FADE_M)
    return np.asarray(_MOST_M * np.tanh(fine / _MOST_M) * fade, np.float32)


def _finer(mesh: Mesh, own: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces, source and ``own`` (V',) after halving long edges; those between vertices
    that are wholly the body's ``own`` stay."""
    vertices, faces = mesh.vertices, mesh.faces
    source = np.arange(len(vertices))
    for _ in range(_ROUNDS):
        ends, length = edge_lengths(vertices, faces)
        halved = (length > _EDGE_M) & (own[ends] < 1).any(2)
        if not halved.any():
            break
        faces, pairs = split_edges(faces, halved, len(vertices))
        vertices = np.concatenate([vertices, vertices[pairs].mean(1)]).astype(np.float32)
        source = np.concatenate([source, source[pairs[:, 0]]])
        own = np.concatenate([own, own[pairs].mean(1)])
    return vertices, faces, source, own


def _moved(
    vertices: np.ndarray,
    normals: np.ndarray,
    share: np.ndarray,
    room: np.ndarray,
    depths: tuple[np.ndarray, np.ndarray],
    reliefs: list[np.ndarray],
    maps: SurfaceMaps,
) -> np.ndarray:
    """The vertices (V, 3), each moved along its ray by the relief of the side that it is on, by no
    more than ``room`` (V,)."""
    places = (maps.camera.project(vertices) - 0.5).astype(np.float32)
    ray = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    facing = -np.einsum("vc,vc->v", normals, ray)
    z = vertices[:, 2]
    change = np.zeros(len(vertices), np.float32)
    for side, (depth, relief) in enumerate(zip(depths, reliefs, strict=True)):
        seen, value = (_sampled(picture, places) for picture in (depth, relief))
        off, towards = (z - seen, facing) if side == 0 else (seen - z, -facing)
        near = 1 - _step(off, 0.5 * _NEAR_M, _NEAR_M)
        change += value * near * _step(towards, *_FACING) * share
    change = np.clip(change, -room, room)
    return np.asarray(vertices * ((z + change) / z)[:, None], np.float32)


def _sampled(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A picture (H, W) at indices (V, 2) of its pixels, bilinearly; its border beyond it."""
    # OpenCV takes no more than 32,767 columns: the list is folded.
    count = -(-len(places) // _FOLD) * _FOLD
    x, y = np.resize(places, (count, 2)).reshape(-1, _FOLD, 2).transpose(2, 0, 1).copy()
    found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.ravel()[: len(places)])


def _step(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Smooth step from 0 at ``start`` to 1 at ``end``."""
    t = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
