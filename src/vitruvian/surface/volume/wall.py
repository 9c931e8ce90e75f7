"""Where between the voxels a cut runs: smooth walls on either side of a gap.

A gap is made of whole voxels. Its two walls are steps, and a voxel's width apart. But the distances
that decided between the limb and the rest change evenly from voxel to voxel: where they are equal,
the limb ends. The vertices of a surface net that lie at a gap are moved there, on either side.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.smoothing import drawn_to_neighbors
from vitruvian.surface.volume.volume import Volume

_BLUR = 1.2  # sigma, voxels
_KERNEL = 9, 1  # voxels of the blur along the slices
_FAR = 4.0  # voxels from a cut: farther does not matter
_LEAST_WEIGHT = 1e-3  # of the blur, below which nothing is near
_APART = 0.12  # voxels from the middle of the cut to either wall
_ROUNDS, _FARTHEST = 4, 1.5  # of moving to the wall; voxels that a vertex may move in all
_SMOOTHINGS = 2  # everywhere
_FORTH = 0.5  # share of the way to the neighbours' middle
# Surfaces whose normals are so far across the rays lose their steps; in so many rounds to and fro.
_STEEP, _FLAT_ROUNDS, _FLAT, _BACK = (0.3, 0.7), 6, 0.5, -0.52


def smooth_wall(values: np.ndarray, indices: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A volume (H, W, D) float32 of values that are known at some voxels, blurred among them.

    Args:
        values: (N,), voxels.
        indices: (N, 3), of the voxels that they are known at.
        shape: of the volume.

    Returns:
        NaN where none is near.
    """
    at = tuple(indices.T)
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    total[at], weight[at] = np.clip(values, -_FAR, _FAR), 1
    total, weight = _blurred(total), _blurred(weight)
    near = weight > _LEAST_WEIGHT
    return np.where(near, total / np.where(near, weight, 1), np.float32(np.nan))


def _blurred(volume: np.ndarray) -> np.ndarray:
    """A volume (H, W, D) float32 blurred along all of its axes."""
    flat = cv2.GaussianBlur(volume.reshape(-1, volume.shape[2]), _KERNEL, _BLUR)
    slices = np.ascontiguousarray(flat.reshape(volume.shape).transpose(2, 0, 1))
    for one in slices:
        cv2.GaussianBlur(one, (0, 0), _BLUR, dst=one)
    return slices.transpose(1, 2, 0)


@kernel("void(float32[:,::1],float32[:,:,::1],boolean[:,:,::1],float32[:,:,::1],float32[::1])")
def _targets(
    vertices: np.ndarray, field: np.ndarray, gap: np.ndarray, wall: np.ndarray, out: np.ndarray
) -> None:
    """Which side of a cut the vertices of a surface net are on: -1 in the limb, 1 in the rest, 0
    where their cells have voxels of both, NaN away from gaps."""
    for v in range(len(vertices)):
        out[v] = np.nan
        y, x, z = int(vertices[v, 0]), int(vertices[v, 1]), int(vertices[v, 2])
        own = rest = beside = 0
        for k in range(8):
            b, a, c = y + (k >> 2), x + (k >> 1 & 1), z + (k & 1)
            if gap[b, a, c]:
                beside += 1
            elif field[b, a, c] > 0:
                if wall[b, a, c] < 0:
                    own += 1
                elif wall[b, a, c] > 0:
                    rest += 1
        if beside > 0 and own + rest > 0:
            out[v] = -1 if rest == 0 else 1 if own == 0 else 0


@kernel("void(float32[:,::1],float32[:,::1],float32[:,:,::1],float32[::1],float32,float32)")
def _to_the_wall(
    vertices: np.ndarray,
    start: np.ndarray,
    wall: np.ndarray,
    target: np.ndarray,
    apart: float,
    farthest: float,
) -> None:
    """Move vertices along the slope of ``wall`` to where it is as far from 0 as they are to be."""
    height, width, depth = wall.shape
    for v in range(len(vertices)):
        if np.isnan(target[v]):
            continue
        py, px, pz = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        y, x, z = int(py), int(px), int(pz)
        if not (0 <= y < height - 1 and 0 <= x < width - 1 and 0 <= z < depth - 1):
            continue
        fy, fx, fz = py - y, px - x, pz - z
        value = gy = gx = gz = 0.0
        for k in range(8):
            b, a, c = k >> 2, k >> 1 & 1, k & 1
            w = wall[y + b, x + a, z + c]
            wy, wx, wz = (fy if b else 1 - fy), (fx if a else 1 - fx), (fz if c else 1 - fz)
            value += w * wy * wx * wz
            gy += (w if b else -w) * wx * wz
            gx += (w if a else -w) * wy * wz
            gz += (w if c else -w) * wy * wx
        steep = np.sqrt(gy * gy + gx * gx + gz * gz)
        if not steep > 0.3:  # NaN where the wall is not known
            continue
        move = (apart * target[v] - value / steep) / steep
        ny, nx, nz = py + move * gy, px + move * gx, pz + move * gz
        off = np.sqrt((ny - start[v, 0]) ** 2 + (nx - start[v, 1]) ** 2 + (nz - start[v, 2]) ** 2)
        share = min(1.0, farthest / max(off, 1e-9))
        vertices[v, 0] = start[v, 0] + share * (ny - start[v, 0])
        vertices[v, 1] = start[v, 1] + share * (nx - start[v, 1])
        vertices[v, 2] = start[v, 2] + share * (nz - start[v, 2])


def smoothed(vertices: np.ndarray, faces: np.ndarray, volume: Volume) -> np.ndarray:
    """The vertices (V, 3) float32 of a surface net without the voxels' traces.

    Every vertex goes a little towards its neighbours; those at a gap go to where the cut runs.

    Args:
        vertices: in grid coordinates; faces: (F, 3) int32, closed.
        volume: that they were taken from.
    """
    start = np.array(vertices, np.float32, order="C")
    target = np.empty(len(start), np.float32)
    _targets(start, volume.field, volume.gap, volume.wall, target)
    beside = np.where(np.isnan(target), 0, _FORTH)
    everywhere = np.full(len(start), _FORTH)
    out = start
    for shares in _ROUNDS * [beside] + _SMOOTHINGS * [everywhere]:
        out = drawn_to_neighbors(out, faces, shares)
        _to_the_wall(out, start, volume.wall, target, _APART, _FARTHEST)
    return _without_stairs(out, faces)


def _without_stairs(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The vertices without steps in surfaces that are steep along the rays.

    Where a layer ends before another one, its edge is known to a ray, half a voxel: a wall behind
    that edge is a staircase, whose steps may be many voxels long.
    """
    along = np.abs(vertex_normals(vertices, faces)[:, 2])
    steep = np.clip((_STEEP[1] - along) / (_STEEP[1] - _STEEP[0]), 0, 1)
    return drawn_to_neighbors(vertices, faces, *_FLAT_ROUNDS * [_FLAT * steep, _BACK * steep])
