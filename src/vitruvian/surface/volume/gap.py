"""The gap along which a limb is separated: what is large enough, where it runs, its smoothing."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.smoothing import drawn_to_neighbors

_LEAST_COMPONENT = 0.05  # of a limb's largest component
_GAP_SMOOTHINGS = 6  # beside the gap
_SMOOTHINGS = 2  # everywhere
_FORTH, _BACK = 0.5, -0.52  # shares of the way to the neighbours' middle, in turn


@kernel("void(boolean[:,:,::1],int32[:,:,::1],int64[:,::1],int64[::1])")
def _flood(mask: np.ndarray, piece: np.ndarray, queue: np.ndarray, sizes: np.ndarray) -> None:
    """Number the pieces of a volume's mask from 1 on and count the voxels of each."""
    height, width, depth = mask.shape
    pieces = 0
    for y0 in range(height):
        for x0 in range(width):
            for z0 in range(depth):
                if not mask[y0, x0, z0] or piece[y0, x0, z0]:
                    continue
                pieces += 1
                piece[y0, x0, z0] = pieces
                queue[0, 0], queue[0, 1], queue[0, 2] = y0, x0, z0
                first, end = 0, 1
                while first < end:
                    y, x, z = queue[first]
                    first += 1
                    for side in range(6):
                        step = 1 if side % 2 else -1
                        v = y + (step if side < 2 else 0)
                        u = x + (step if 2 <= side < 4 else 0)
                        w = z + (step if side >= 4 else 0)
                        if not (0 <= v < height and 0 <= u < width and 0 <= w < depth):
                            continue
                        if mask[v, u, w] and not piece[v, u, w]:
                            piece[v, u, w] = pieces
                            queue[end, 0], queue[end, 1], queue[end, 2] = v, u, w
                            end += 1
                sizes[pieces] = end


def small_components(mask: np.ndarray) -> np.ndarray:
    """The connected components of a volume's mask that are too small to be any limb's.

    Signs of distances err here and there deep inside; with a gap around it, a voxel would be a
    pit in the surface.
    """
    count = int(np.count_nonzero(mask))
    component = np.zeros(mask.shape, np.int32)
    sizes = np.zeros(count + 1, np.int64)
    _flood(np.ascontiguousarray(mask), component, np.empty((count, 3), np.int64), sizes)
    return np.asarray((sizes < _LEAST_COMPONENT * sizes.max())[component] & mask)


def gap_between(
    inside: np.ndarray, own: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a gap between a limb and the rest of a solid runs.

    Args:
        inside: (H, W, D) bool, the solid.
        own, rest: likewise, the limb's voxels and those that it is separated from.

    Returns:
        (H, W, D) bool: the voxels of the rest that touch the limb's, corners included, which are to
        be emptied; and those with what is outside between the two, which is to stay so.
    """
    own, rest = own & inside, rest & inside
    gap = rest & _dilated(own, 1)
    return gap, gap | (~inside & _dilated(own, 3) & _dilated(rest, 3))


def _dilated(mask: np.ndarray, voxels: int) -> np.ndarray:
    """A volume's mask dilated by a cube."""
    out = np.pad(mask, voxels)
    for axis in range(3):
        once = out
        for shift in range(1, voxels + 1):
            once = once | np.roll(out, shift, axis) | np.roll(out, -shift, axis)
        out = once
    inner = slice(voxels, -voxels)
    return out[inner, inner, inner]


@kernel("void(float32[:,::1],boolean[:,:,::1],boolean[::1])")
def _mark(vertices: np.ndarray, gap: np.ndarray, beside: np.ndarray) -> None:
    """Mark the vertices of a surface net of whose cell a corner is in the gap."""
    for v in range(len(vertices)):
        y, x, z = int(vertices[v, 0]), int(vertices[v, 1]), int(vertices[v, 2])
        for k in range(8):
            if gap[y + (k >> 2), x + (k >> 1 & 1), z + (k & 1)]:
                beside[v] = True


def smoothed(vertices: np.ndarray, faces: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """The vertices (V, 3) float32 of a surface net without the voxels' traces.

    Every vertex goes a little towards its neighbours. A gap is made of whole voxels: its walls are
    steps, and smoothed to and fro before, so that they keep their place.

    Args:
        vertices: in grid coordinates; faces: (F, 3) int32, closed.
        gap: (H, W, D) bool, of the volume that they were taken from.
    """
    beside = np.zeros(len(vertices), np.bool_)
    _mark(vertices, gap, beside)
    to_and_fro = [np.where(beside, share, 0) for share in (_FORTH, _BACK)]
    everywhere = np.full(len(vertices), _FORTH)
    shares = _GAP_SMOOTHINGS * to_and_fro + _SMOOTHINGS * [everywhere]
    return drawn_to_neighbors(vertices, faces, *shares)
