"""The gap along which a limb is separated: what is large enough, and where it runs."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel

_LEAST_COMPONENT = 0.05  # of a limb's largest component


@kernel("void(boolean[::1],int64[::1],int32[::1],int64[::1],int64[::1])")
def _flood(
    mask: np.ndarray, steps: np.ndarray, component: np.ndarray, queue: np.ndarray, sizes: np.ndarray
) -> None:
    """Number the connected components of a flat mask from 1 on and count the voxels of each.

    ``steps`` lead from a voxel to its neighbours; at the border of the volume nothing is masked.
    """
    count = 0
    for start in range(len(mask)):
        if not mask[start] or component[start] > 0:
            continue
        count += 1
        component[start] = count
        queue[0] = start
        first, end = 0, 1
        while first < end:
            at = queue[first]
            first += 1
            for k in range(len(steps)):
                other = at + steps[k]
                if mask[other] and component[other] == 0:
                    component[other] = count
                    queue[end] = other
                    end += 1
        sizes[count] = end


@kernel("void(boolean[:,:,::1],int64)")
def _dilate(mask: np.ndarray, reach: int) -> None:
    """Along the middle axis, in place."""
    rows, length, width = mask.shape
    since = np.empty((length, width), np.int32)  # the last of the mask before each place
    for row in range(rows):
        for at in range(length):
            for k in range(width):
                before = since[at - 1, k] + 1 if at > 0 else reach + 1
                since[at, k] = 0 if mask[row, at, k] else before
        for at in range(length - 1, -1, -1):
            for k in range(width):
                # Backwards, ``since`` becomes the nearest of the mask on either side.
                if at < length - 1:
                    since[at, k] = min(since[at, k], since[at + 1, k] + 1)
                mask[row, at, k] = since[at, k] <= reach


def small_components(mask: np.ndarray) -> np.ndarray:
    """The connected components of a volume's mask that are too small to be any limb's.

    Signs of distances err here and there deep inside; with a gap around it, a voxel would be a
    pit in the surface.
    """
    count = int(np.count_nonzero(mask))
    padded = np.pad(mask, 1)
    _, width, depth = padded.shape
    steps = np.array([-width * depth, width * depth, -depth, depth, -1, 1])
    component = np.zeros(padded.size, np.int32)
    sizes = np.zeros(count + 1, np.int64)
    _flood(padded.ravel(), steps, component, np.empty(count, np.int64), sizes)
    small = (sizes < _LEAST_COMPONENT * sizes.max())[component].reshape(padded.shape)
    return np.asarray(small[1:-1, 1:-1, 1:-1] & mask)


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
    gap = rest & dilated(own, 1)
    return gap, gap | (~inside & dilated(own, 3) & dilated(rest, 3))


def dilated(mask: np.ndarray, voxels: int) -> np.ndarray:
    """A volume's mask dilated by a cube."""
    out = np.array(mask, bool, order="C")
    for axis in range(3):
        rows = int(np.prod(out.shape[:axis]))
        _dilate(out.reshape(rows, out.shape[axis], -1), voxels)
    return out
