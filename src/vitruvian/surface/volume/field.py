"""A truncated field in the rays' own grid: pixels times depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import SideBySide, kernel, thread_count
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.types.camera import Camera

TRUNCATION_VOXELS = 2.0


@dataclass(frozen=True)
class RayGrid:
    """A volume whose columns are the rays through the pixels of a window.

    Voxel (row, column, k) lies on the ray through the pixel's centre at the depth
    ``near_m + k * step_m``.

    Attributes:
        camera: of the window; its size is that of the volume.
        near_m, step_m: depth of the first slice and between slices, metres.
        slices: how many.
    """

    camera: Camera
    near_m: float
    step_m: float
    slices: int

    def points(self, coordinates: np.ndarray) -> np.ndarray:
        """Camera-frame points (N, 3) float32 of (row, column, slice) coordinates (N, 3)."""
        z = self.near_m + coordinates[:, 2] * self.step_m
        cx, cy = self.camera.principal_point
        x = (coordinates[:, 1] + 0.5 - cx) / self.camera.focal_px * z
        y = (coordinates[:, 0] + 0.5 - cy) / self.camera.focal_px * z
        return np.stack([x, y, z], axis=1).astype(np.float32)


@kernel(
    "void(float32[:,:,::1],float32[:,:,::1],int32[:,::1],float32[:,::1],int64,int64,int64,"
    "float32,float32,float32,float32[:,:,::1])",
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
    out: np.ndarray,
) -> None:
    width, depth = out.shape[1], out.shape[2]
    inverse = np.float32(1.0 / truncation)
    line = np.empty(depth, np.float32)
    share = np.float32(1.0 / (fine * fine))
    for row in range(first_row, last_row):
        for column in range(width):
            total = out[row, column]
            total[:] = 0
            for sub in range(fine * fine):
                y, x = row * fine + sub // fine, column * fine + sub % fine
                line[:] = -1
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
                    total[z] += share * min(line[z], np.float32(1))


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
            out,
        )

    with SideBySide() as pool:
        pool.map(work, range(pieces))
    out[[0, -1]] = -1
    out[:, [0, -1]] = -1
    out[:, :, [0, -1]] = -1
    return out
