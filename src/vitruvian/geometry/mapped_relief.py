"""The relief of a normal map in the geometry itself, for files that can carry no map.

The map's slopes are integrated over the atlas, what is broad left out (a screened Poisson equation:
Bhat et al., 2008, "Fourier analysis of the 2D screened Poisson equation"), and vertices of finer
triangles are moved along their normals.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.subdivision import edge_lengths, split_edges
from vitruvian.types.mesh import Mesh

_EDGE_M = 0.011  # halved beyond: half of it is what a texel shows
_ROUNDS = 2
_FINE_M = 0.055  # wavelengths far beyond 2 pi times this are left out
_MOST_M = 0.012
_JUMP_M = 0.02  # between neighbouring texels: another layer
_EDGE_FADE_M = (
    0.006,
    0.026,
)  # from a chart's border and from jumps: nothing moves, everything does
_STEEPEST = 0.25  # least z of a normal


def with_relief_of_map(mesh: Mesh) -> Mesh:
    """The mesh without its normal map, whose relief four times as many triangles have instead.

    Closed where ``mesh`` is. Vertices keep their texture coordinates and colours; skin and
    ``body_vertices`` are left out. A mesh without a normal map stays as it is.
    """
    if mesh.normal_map is None or mesh.uvs is None or mesh.uv_faces is None:
        return mesh
    height, flat = _height(mesh), mesh.normal_map.shape[:2]
    vertices, faces, uvs, uv_faces = mesh.vertices, mesh.faces, mesh.uvs, mesh.uv_faces
    colors = mesh.vertex_colors
    for _ in range(_ROUNDS):
        _, length = edge_lengths(vertices, faces)
        halved = length > _EDGE_M
        if not halved.any():
            break
        faces, pairs = split_edges(faces, halved, len(vertices))
        vertices = _with_middles(vertices, pairs)
        if colors is not None:
            colors = _with_middles(colors.astype(np.float32), pairs)
        uv_faces, pairs = split_edges(uv_faces, halved, len(uvs))
        uvs = _with_middles(uvs, pairs)
    places = np.stack([uvs[:, 0] * flat[1], (1 - uvs[:, 1]) * flat[0]], 1) - 0.5
    of_corner = _sampled(height, places.astype(np.float32))[uv_faces.ravel()]
    # A vertex on a seam has several places in the atlas, where relief has faded.
    sums = np.bincount(faces.ravel(), of_corner, len(vertices))
    counts = np.bincount(faces.ravel(), minlength=len(vertices))
    moved = (sums / np.maximum(counts, 1))[:, None] * vertex_normals(vertices, faces)
    return Mesh(
        np.asarray(vertices + moved, np.float32),
        faces,
        mesh.frame,
        uvs=uvs,
        uv_faces=uv_faces,
        texture=mesh.texture,
        vertex_colors=None if colors is None else np.round(colors).astype(np.uint8),
    )


def _height(mesh: Mesh) -> np.ndarray:
    """Metres (H, W) float32 outwards, in the atlas."""
    normals = mesh.normal_map
    assert normals is not None
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    rows, columns = normals.shape[:2]
    corners = np.stack([mesh.uvs[:, 0] * columns, (1 - mesh.uvs[:, 1]) * rows], 1)
    drawn = rasterize(corners, np.ones(len(corners), np.float32), mesh.uv_faces, columns, rows)
    places = drawn.interpolate(mesh.vertices, mesh.faces)
    broken, texel_m = _borders(places, drawn.mask)
    if not texel_m > 0:
        return np.zeros((rows, columns), np.float32)
    a, b, c = np.moveaxis(normals.astype(np.float32) / 127.5 - 1, 2, 0)
    steep = texel_m * drawn.mask / np.maximum(c, _STEEPEST)
    # Towards u and, since rows run against v, downwards.
    height = _integrated(-a * steep, b * steep, _FINE_M / texel_m)
    whole = np.pad(~broken, 1).astype(np.uint8)  # beyond the atlas there is nothing
    distance = cv2.distanceTransform(whole, cv2.DIST_L2, 5)[1:-1, 1:-1] * texel_m
    t = np.clip((distance - _EDGE_FADE_M[0]) / (_EDGE_FADE_M[1] - _EDGE_FADE_M[0]), 0, 1)
    return np.asarray(_MOST_M * np.tanh(height / _MOST_M) * t * t * (3 - 2 * t), np.float32)


def _borders(places: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, float]:
    """Texels (H, W) bool beside which the surface ends or jumps; metres between neighbours."""
    broken, steps = ~mask, []
    for axis in (0, 1):
        step = np.diff(places, axis=axis)
        length = np.sqrt(np.einsum("hwc,hwc->hw", step, step))
        both = mask[1:] & mask[:-1] if axis == 0 else mask[:, 1:] & mask[:, :-1]
        steps.append(length[both])
        jump = both & (length > _JUMP_M)
        for before in (0, 1):  # on both sides of it
            width = [(before, 1 - before) if axis == k else (0, 0) for k in (0, 1)]
            broken |= np.pad(jump, width)
    every = np.concatenate(steps)
    # Where the surface faces the camera, texels are nearest to one another.
    return broken, float(np.percentile(every, 25)) if len(every) else 0.0


def _integrated(right: np.ndarray, down: np.ndarray, sigma: float) -> np.ndarray:
    """The picture (H, W) whose slopes per pixel are closest to these, high-passed: waves of 2 pi
    ``sigma`` pixels are halved."""
    rows, columns = right.shape
    x = (2 * np.pi * np.fft.rfftfreq(columns)).astype(np.float32)[None]
    y = (2 * np.pi * np.fft.fftfreq(rows)).astype(np.float32)[:, None]
    power = 4 - 2 * np.cos(x) - 2 * np.cos(y) + np.float32(1 / sigma**2)
    # A step to the next pixel is the mean of both slopes.
    spectrum = np.sin(x) * np.fft.rfft2(right) + np.sin(y) * np.fft.rfft2(down)
    return np.fft.irfft2(-1j * spectrum / power, s=right.shape).astype(np.float32)


def _with_middles(values: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return np.concatenate([values, values[pairs].mean(1)]).astype(np.float32)


def _sampled(picture: np.ndarray, places: np.ndarray, fold: int = 1024) -> np.ndarray:
    """A picture (H, W) at pixel indices (N, 2), bilinearly."""
    # OpenCV takes no more than 32,767 columns: the list is folded.
    x, y = (
        np.resize(places, (-(-len(places) // fold) * fold, 2))
        .reshape(-1, fold, 2)
        .transpose(2, 0, 1)
        .copy()
    )
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR).ravel()[: len(places)])
