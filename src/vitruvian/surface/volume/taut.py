"""Cloth that is taut around what it covers, row by row."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel


@kernel("void(float32[:,::1],boolean[:,::1],float32[:,::1],int32[::1])")
def _fill_dents(outwards: np.ndarray, where: np.ndarray, out: np.ndarray, top: np.ndarray) -> None:
    """Andrew's monotone chain (1979) along every row: how far below its hull each pixel is."""
    height, width = outwards.shape
    for y in range(height):
        n = 0
        for x in range(width):
            if not where[y, x]:
                continue
            while n > 1:
                a, b = top[n - 2], top[n - 1]
                rise = (outwards[y, b] - outwards[y, a]) * (x - a)
                if rise > (outwards[y, x] - outwards[y, a]) * (b - a):
                    break
                n -= 1
            top[n] = x
            n += 1
        for k in range(n - 1):
            a, b = top[k], top[k + 1]
            for x in range(a, b):
                if where[y, x]:
                    hull = outwards[y, a] + (outwards[y, b] - outwards[y, a]) * (x - a) / (b - a)
                    out[y, x] = hull - outwards[y, x]


def dent(outwards: np.ndarray, where: np.ndarray) -> np.ndarray:
    """How far (H, W) a surface is behind cloth that is taut around it, row by row: a skirt lies
    around both legs, however far one is before the other."""
    out = np.zeros(outwards.shape, np.float32)
    values = np.ascontiguousarray(np.where(where, outwards, 0), np.float32)
    _fill_dents(values, where, out, np.empty(where.shape[1], np.int32))
    return out
