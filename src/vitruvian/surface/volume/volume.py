"""The volume that a clothed surface is extracted from, as it travels from step to step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.camera import Camera

# The field's value where a voxel was emptied for a gap: two surfaces pass close by on either side.
GAP_VALUE = np.float32(-0.03)


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

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and slices."""
        return self.camera.height, self.camera.width, self.slices

    def points(self, coordinates: np.ndarray) -> np.ndarray:
        """Camera-frame points (N, 3) float32 of (row, column, slice) coordinates (N, 3)."""
        z = self.near_m + coordinates[:, 2] * self.step_m
        cx, cy = self.camera.principal_point
        x = (coordinates[:, 1] + 0.5 - cx) / self.camera.focal_px * z
        y = (coordinates[:, 0] + 0.5 - cy) / self.camera.focal_px * z
        return np.stack([x, y, z], axis=1).astype(np.float32)


@dataclass(frozen=True)
class Volume:
    """A sampled solid. No step changes the arrays of the one before.

    Attributes:
        grid: of the voxels.
        field: (H, W, D) float32 in -1..1, positive inside, a share of the truncation of two voxels;
            negative on the border.
        owner: (H, W, D) uint8, the free limb that an inside voxel is of, a number of ``limbs``;
            0 for the rest.
        gap: (H, W, D) bool, voxels emptied between a limb and what it touches; their field is
            ``GAP_VALUE``.
        kept_empty: (H, W, D) bool, outside voxels that no repair may fill: the gap, and what
            continues it where nothing had to be emptied.
        wall: (H, W, D) float32, voxels: how far beyond the cut beside it, negative in the limb;
            NaN where no cut is near.
    """

    grid: RayGrid
    field: np.ndarray
    owner: np.ndarray
    gap: np.ndarray
    kept_empty: np.ndarray
    wall: np.ndarray

    def __post_init__(self) -> None:
        for name, kind in (
            ("field", np.float32), ("owner", np.uint8), ("gap", np.bool_), ("kept_empty", np.bool_),
            ("wall", np.float32),
        ):  # fmt: skip
            array = getattr(self, name)
            if array.shape != self.grid.shape or array.dtype != kind:
                raise ValueError(
                    f"{name} must be {self.grid.shape} {np.dtype(kind)}, "
                    f"got {array.shape} {array.dtype}"
                )

    def copied(self) -> Volume:
        """The same with arrays of its own, for a step to change before it hands them on."""
        return Volume(
            self.grid,
            self.field.copy(),
            self.owner.copy(),
            self.gap.copy(),
            self.kept_empty.copy(),
            self.wall.copy(),
        )

    @staticmethod
    def of(grid: RayGrid, field: np.ndarray) -> Volume:
        """A volume in one piece."""
        nowhere = np.zeros(grid.shape, bool)
        uncut = np.full(grid.shape, np.nan, np.float32)
        return Volume(grid, field, np.zeros(grid.shape, np.uint8), nowhere, nowhere, uncut)
