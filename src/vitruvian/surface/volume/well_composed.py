"""Volumes whose surface is a manifold.

Where two solid voxels of a cell touch only along an edge or at a corner, a surface net is not a
manifold; Latecki, Eckhardt and Rosenfeld ("Well-composed sets", 1995) call volumes without such
places well-composed. Here they are filled, or emptied where that would close a gap.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.surface.volume.volume import GAP_VALUE, Volume

_FILLED = np.float32(0.02)  # the field of a voxel that was filled: the surface passes close by


def _critical_cells() -> np.ndarray:
    """(256,) uint8 by the bits of a cell's inside corners (bit 4 y + 2 x + z): 1 where two of them
    touch along an edge or at a corner only, or two outside ones do."""
    table = np.zeros(256, np.uint8)
    for mask in range(256):
        for first in range(8):
            for second in range(first + 1, 8):
                both = (mask >> first & 1) and (mask >> second & 1)
                neither = not (mask >> first & 1) and not (mask >> second & 1)
                differ = first ^ second
                bits = bin(differ).count("1")
                if bits == 2:
                    # The other diagonal of the face that they span.
                    low = differ & -differ
                    others = (first ^ low, second ^ low)
                    if both and not any(mask >> k & 1 for k in others):
                        table[mask] = 1
                elif bits == 3 and (both or neither):
                    rest = [k for k in range(8) if k not in (first, second)]
                    alike = sum(mask >> k & 1 for k in rest)
                    if (both and alike == 0) or (neither and alike == 6):
                        table[mask] = 1
    return table


_CRITICAL = _critical_cells()


@kernel("int64(float32[:,:,::1],uint8[:,:,::1],boolean[:,:,::1],boolean[:,:,::1],uint8[::1])")
def _repair(
    field: np.ndarray,
    owner: np.ndarray,
    gap: np.ndarray,
    kept_empty: np.ndarray,
    critical: np.ndarray,
) -> int:
    """One pass over the cells; fills one voxel in each that is not well-composed.

    Where that would close a gap, a voxel is emptied instead, and becomes part of it. A gap is
    never filled, so every voxel changes twice at most.
    """
    height, width, depth = field.shape
    filled = 0
    for y in range(height - 1):
        for x in range(width - 1):
            low = 0  # bits of the corners before z
            for z in range(depth):
                high = 0
                for turn in range(2):
                    high = 0
                    for k in range(4):
                        if field[y + (k >> 1), x + (k & 1), z] > 0:
                            high |= 2 << 2 * k
                    if turn > 0 or z == 0 or critical[low | high] == 0:
                        break
                    best, least = -np.inf, np.inf
                    fill = empty = whose = 0
                    parting = False
                    for k in range(8):
                        v, u, w = y + (k >> 2), x + (k >> 1 & 1), z - 1 + (k & 1)
                        value = field[v, u, w]
                        parting = parting or kept_empty[v, u, w]
                        touching = 0  # inside neighbours within the cell
                        if field[2 * y + 1 - v, u, w] > 0:
                            touching += 1
                        if field[v, 2 * x + 1 - u, w] > 0:
                            touching += 1
                        if field[v, u, 2 * z - 1 - w] > 0:
                            touching += 1
                        if value > 0:
                            whose = max(whose, owner[v, u, w])
                            if touching + value < least:
                                least, empty = touching + value, k
                        elif (
                            touching > 0
                            and value > best
                            and 0 < v < height - 1
                            and 0 < u < width - 1
                            and 0 < w < depth - 1
                        ):
                            best, fill = value, k
                    k = empty if parting else fill
                    v, u, w = y + (k >> 2), x + (k >> 1 & 1), z - 1 + (k & 1)
                    if parting:
                        field[v, u, w] = GAP_VALUE
                        gap[v, u, w] = kept_empty[v, u, w] = True
                    else:
                        field[v, u, w] = _FILLED
                        owner[v, u, w] = whose
                    filled += 1
                low = high >> 1
    return filled


def well_composed(volume: Volume) -> Volume:
    """The volume with voxels filled where two others touch only along an edge or at a corner.

    A filled voxel takes a neighbour's owner. Where filling would close a gap, a voxel is emptied
    and joins it. The field must not be positive on the volume's border.
    """
    out = volume.copied()
    while _repair(out.field, out.owner, out.gap, out.kept_empty, _CRITICAL):
        pass
    return out
