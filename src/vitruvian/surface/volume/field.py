"""A truncated field in the rays' own grid: pixels times depth."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import SideBySide, kernel, thread_count
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.surface.volume.volume import RayGrid

TRUNCATION_VOXELS = 2.0


@kernel(
    "void(float32[:,:,::1],float32[:,:,::1],int32[:,::1],float32[:,::1],int64,int64,int64,"
    "float32,float32,float32,float32[::1],float32[:,:,::1])",
    fastmath=True,
)
def _fill_rows(
    entries: np.ndarray,
    exits: np.ndarray,
    count: np.ndarray,
    rim: np.ndarray,
    fine: int,
    first_row: int,
    last_row: int,
    near: float,
    step: float,
    truncation: float,
    line: np.ndarray,
    out: np.ndarray,
) -> None:
    width, depth = out.shape[1], out.shape[2]
    inverse = np.float32(1.0 / truncation)
    share = np.float32(1.0 / (fine * fine))
    for row in range(first_row, last_row):
        for column in range(width):
            for z in range(depth):
                out[row, column, z] = 0
            for sub in range(fine * fine):
                y, x = row * fine + sub // fine, column * fine + sub % fine
                for z in range(depth):
                    line[z] = -1
                limit = min(max(rim[y, x] * inverse, np.float32(-1)), np.float32(1))
                for k in range(count[y, x]):
                    a, b = entries[y, x, k], exits[y, x, k]
                    low = max(0, int((a - truncation - near) / step))
                    high = min(depth - 1, int((b + truncation - near) / step) + 1)
                    for z in range(low, high + 1):
                        at = near + z * step
                        value = min(min(at - a, b - at) * inverse, limit)
                        if value > line[z]:
                            line[z] = value
                for z in range(depth):
                    out[row, column, z] += share * min(line[z], np.float32(1))


def span_field(spans: Spans, rim_m: np.ndarray, grid: RayGrid, fine: int) -> np.ndarray:
    """The truncated field of a solid given by spans on a finer picture.

    Along each fine ray it is the distance to the nearest end of a span, at most the distance to
    the outline in the picture, as a share of the truncation, cut off at -1 and 1; the rays of a
    voxel are averaged, which rounds off steps between neighbouring rays.

    Args:
        spans: on a picture ``fine`` times as large as the grid's.
        rim_m: (H * fine, W * fine) float32, distance to the outline, metres, negative outside.
        grid: of the volume.
        fine: rays per voxel along either axis of the picture.

    Returns:
        (H, W, D) float32 in -1..1, positive inside; -1 on the border.
    """
    height, width = grid.camera.height, grid.camera.width
    out = np.empty((height, width, grid.slices), np.float32)
    pieces = 4 * thread_count()
    bounds = np.linspace(0, height, pieces + 1).astype(int)

    def work(piece: int) -> None:
        _fill_rows(
            spans.entries,
            spans.exits,
            spans.count,
            np.ascontiguousarray(rim_m, np.float32),
            fine,
            bounds[piece],
            bounds[piece + 1],
            grid.near_m,
            grid.step_m,
            TRUNCATION_VOXELS * grid.step_m,
            np.empty(grid.slices, np.float32),
            out,
        )

    with SideBySide() as pool:
        pool.map(work, range(pieces))
    out[[0, -1]] = -1
    out[:, [0, -1]] = -1
    out[:, :, [0, -1]] = -1
    return out
