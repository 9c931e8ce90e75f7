"""How far a surface inflates everywhere, from the gaps that its outline is to close."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import SideBySide, kernel, thread_count
from vitruvian.geometry.adjacency import neighbors_of_edges

# Reach of what the outline says: little along a bone, where hems and waists change quickly,
# and far around it, where only the two sides are seen.
_ALONG_M = 0.045
_AROUND_M = 0.22
_DOUBT = 0.3  # weight of "no gap" where hardly any outline is near
_RIM_CELL_M = 0.015  # outline vertices closer than this speak as one; hands alone have hundreds


@kernel(
    "void(float32[:,::1],float32[:,::1],float32[:,::1],float32[::1],float32[::1],float32,"
    "int64[::1],int64[::1],float32[::1])",
    fastmath=True,
)
def _spread(
    points: np.ndarray,
    axes: np.ndarray,
    rim: np.ndarray,
    gaps: np.ndarray,
    weights: np.ndarray,
    around: float,
    low: np.ndarray,
    high: np.ndarray,
    out: np.ndarray,
) -> None:
    """``low`` and ``high`` (V,): the first of the rim within reach of each point, and the end."""
    along_scale = np.float32(1.0 / _ALONG_M)
    around_scale = np.float32(1.0 / around**2)
    one = np.float32(1.0)
    for v in range(points.shape[0]):
        px, py, pz = points[v, 0], points[v, 1], points[v, 2]
        ax, ay, az = axes[v, 0], axes[v, 1], axes[v, 2]
        total = np.float32(_DOUBT)
        value = np.float32(0.0)
        for r in range(low[v], high[v]):
            dx, dy, dz = rim[r, 0] - px, rim[r, 1] - py, rim[r, 2] - pz
            along = (dx * ax + dy * ay + dz * az) * along_scale
            along2 = along * along
            if along2 >= one:
                continue
            across2 = dx * dx + dy * dy + dz * dz - along2 * np.float32(_ALONG_M**2)
            closeness = one - along2 - across2 * around_scale
            if closeness <= 0:
                continue
            weight = closeness * closeness * weights[r]
            total += weight
            value += weight * gaps[r]
        out[v] = value / total


def merge_close(points: np.ndarray, cell_m: float) -> tuple[np.ndarray, int]:
    """Cell numbers (N,) of points (N, 3) that share a cube of side ``cell_m``, and their count."""
    cells = np.floor(points / cell_m).astype(np.int64)
    cells -= cells.min(0)
    spans = cells.max(0) + 1
    keys = (cells[:, 0] * spans[1] + cells[:, 1]) * spans[2] + cells[:, 2]
    unique, number = np.unique(keys, return_inverse=True)
    return number.ravel(), len(unique)


def _merged_rim(
    rim: np.ndarray, gaps: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outline's vertices with close ones joined: weights added up, the rest averaged."""
    used = weights > 1e-4
    rim, gaps, weights = rim[used], gaps[used], weights[used]
    if len(rim) == 0:
        return rim, gaps, weights
    number, count = merge_close(rim, _RIM_CELL_M)
    total = np.bincount(number, weights, count)
    mean = [np.bincount(number, weights * column, count) / total for column in (*rim.T, gaps)]
    return np.stack(mean[:3], axis=1), mean[3], total


def spread_gaps(
    points: np.ndarray,
    axes: np.ndarray,
    rim: np.ndarray,
    gaps: np.ndarray,
    weights: np.ndarray,
    around_m: float = _AROUND_M,
) -> np.ndarray:
    """Kernel regression of the outline's gaps over the rest surface.

    Every point averages the gaps of outline vertices near it, near meaning at the same height of
    the same limb: the kernel is short along the bone and long around it.

    Args:
        points: (V, 3) rest positions, metres; axes: (V, 3) unit bone directions.
        rim: (N, 3) rest positions of the outline's vertices.
        gaps: (N,) metres; weights: (N,).
        around_m: the kernel's reach around the bone.

    Returns:
        (V,) float32 metres; 0 where no outline is near.
    """
    rim, gaps, weights = _merged_rim(rim, gaps, weights)
    out = np.zeros(len(points), np.float32)
    pieces = thread_count()
    bounds = np.linspace(0, len(points), pieces + 1).astype(int)
    points = np.ascontiguousarray(points, np.float32)
    axes = np.ascontiguousarray(axes, np.float32)
    upwards = np.argsort(rim[:, 1], kind="stable")
    rim = np.ascontiguousarray(rim[upwards], np.float32)
    gaps = np.ascontiguousarray(gaps[upwards], np.float32)
    weights = np.ascontiguousarray(weights[upwards], np.float32)
    reach = np.hypot(around_m, _ALONG_M)
    low = np.searchsorted(rim[:, 1], points[:, 1] - reach)
    high = np.searchsorted(rim[:, 1], points[:, 1] + reach)

    def work(piece: int) -> None:
        chosen = slice(bounds[piece], bounds[piece + 1])
        _spread(
            points[chosen], axes[chosen], rim, gaps, weights, around_m, low[chosen], high[chosen],
            out[chosen],
        )  # fmt: skip

    with SideBySide() as pool:
        pool.map(work, range(pieces))
    return out


@kernel("void(float32[:,:,::1],int32[::1],int32[::1],int64)")
def _smooth(values: np.ndarray, first: np.ndarray, neighbors: np.ndarray, iterations: int) -> None:
    """``values`` (2, V, C): the even iterations are in the first, the odd ones in the second."""
    _, count, width = values.shape
    half = np.float32(0.5)
    for iteration in range(iterations):
        before, after = values[iteration % 2], values[(iteration + 1) % 2]
        for v in range(count):
            share = half / np.float32(max(first[v + 1] - first[v], 1))
            alone = first[v + 1] == first[v]
            for c in range(width):
                total = np.float32(0)
                for at in range(first[v], first[v + 1]):
                    total += before[neighbors[at], c]
                after[v, c] = before[v, c] if alone else half * before[v, c] + share * total


def smooth_over_mesh(values: np.ndarray, edges: np.ndarray, iterations: int) -> np.ndarray:
    """Values (V, C) averaged with their neighbours', half and half, ``iterations`` times."""
    both = np.empty((2, *values.shape), np.float32)
    both[0] = values
    around = neighbors_of_edges(edges, len(values))
    _smooth(both, around.first, around.members, iterations)
    return both[iterations % 2]
