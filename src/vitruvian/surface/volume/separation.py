"""The films along which a volume is cut open: what is large enough, the cut, its smoothing."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.smoothing import drawn_to_neighbors
from vitruvian.surface.volume.surface_nets import FILM

_LEAST_PIECE = 0.05  # of a limb's largest piece
_SMOOTHINGS = 6  # beside films
_EVENINGS = 2  # everywhere
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


def crumbs_of(mask: np.ndarray) -> np.ndarray:
    """Pieces of a volume's mask that are too small to be any limb's.

    Signs of distances err here and there deep inside; with a film around it, a voxel would be a
    pit in the surface.
    """
    count = int(np.count_nonzero(mask))
    piece = np.zeros(mask.shape, np.int32)
    sizes = np.zeros(count + 1, np.int64)
    _flood(np.ascontiguousarray(mask), piece, np.empty((count, 3), np.int64), sizes)
    return np.asarray((sizes < _LEAST_PIECE * sizes.max())[piece] & mask)


def empty_film(part: np.ndarray, film: np.ndarray, own: np.ndarray, rest: np.ndarray) -> None:
    """Empty the voxels of the rest that touch a limb's own, corners included.

    What is outside between the two is marked as well, so that it stays so.
    """
    outside = part <= 0
    own = own & ~outside
    rest = rest & ~outside
    between = rest & _widened(own, 1)
    part[between] = FILM
    film[between | (outside & _widened(own, 3) & _widened(rest, 3))] = 1


def _widened(mask: np.ndarray, voxels: int) -> np.ndarray:
    """A volume's mask dilated by a cube."""
    out = np.pad(mask, voxels)
    for axis in range(3):
        once = out
        for shift in range(1, voxels + 1):
            once = once | np.roll(out, shift, axis) | np.roll(out, -shift, axis)
        out = once
    inner = slice(voxels, -voxels)
    return out[inner, inner, inner]


@kernel("void(float32[:,::1],float32[:,:,::1],boolean[::1])")
def _mark(vertices: np.ndarray, field: np.ndarray, beside: np.ndarray) -> None:
    """Mark the vertices of a surface net of whose cell a corner is in a film."""
    for v in range(len(vertices)):
        y, x, z = int(vertices[v, 0]), int(vertices[v, 1]), int(vertices[v, 2])
        for corner in range(8):
            if field[y + corner // 4, x + corner // 2 % 2, z + corner % 2] == np.float32(FILM):
                beside[v] = True


def smoothed(vertices: np.ndarray, faces: np.ndarray, field: np.ndarray) -> np.ndarray:
    """The vertices (V, 3) float32 of a surface net without the voxels' traces.

    Every vertex goes a little towards its neighbours. A film is made of whole voxels: its walls are
    steps, and smoothed to and fro before, so that they keep their place.

    Args:
        vertices: in grid coordinates; faces: (F, 3) int32, closed.
        field: that they were taken from.
    """
    beside = np.zeros(len(vertices), np.bool_)
    _mark(vertices, field, beside)
    to_and_fro = [np.where(beside, share, 0) for share in (_FORTH, _BACK)]
    everywhere = np.full(len(vertices), _FORTH)
    shares = _SMOOTHINGS * to_and_fro + _EVENINGS * [everywhere]
    return drawn_to_neighbors(vertices, faces, *shares)
