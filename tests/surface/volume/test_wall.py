"""Walls of a cut: smooth, where they were meant, close together and never through each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import is_closed_manifold, volume_of
from vitruvian.surface.volume.gap import dilated, gap_between
from vitruvian.surface.volume.surface_nets import surface_net
from vitruvian.surface.volume.volume import GAP_VALUE, Volume
from vitruvian.surface.volume.wall import smooth_wall, smoothed
from vitruvian.surface.volume.well_composed import well_composed

PLANE = np.array([1.0, 2.0, 0.6]) / np.linalg.norm([1.0, 2.0, 0.6])  # row, column, slice
MIDDLE = np.full(3, 15.2)


def flat(points: np.ndarray) -> np.ndarray:
    """Voxels before or behind a slanted plane."""
    return (points - MIDDLE) @ PLANE


def round_(points: np.ndarray) -> np.ndarray:
    """Voxels inside or outside a cylinder along the slices, as an arm's."""
    return np.linalg.norm(points[..., :2] - [14.3, 12.6], axis=-1) - 6.4


@pytest.fixture(params=[flat, round_])
def cut(request):  # type: ignore[no-untyped-def]
    return request.param


def parted_block(cut) -> Volume:  # type: ignore[no-untyped-def]
    """A block cut in two."""
    field = np.full((30, 30, 30), -1, np.float32)
    field[4:26, 4:26, 4:26] = 1
    indices = np.argwhere(field > 0)
    wall = smooth_wall(cut(indices.astype(float)), indices, field.shape)
    gap, kept_empty = gap_between(field > 0, wall < 0, wall >= 0)
    field[gap] = GAP_VALUE
    wall[~dilated(gap, 2)] = np.nan
    whole = volume_of(field)
    return well_composed(replace(whole, gap=gap, kept_empty=kept_empty, wall=wall))


def test_walls_run_where_the_cut_was_meant(cut) -> None:  # type: ignore[no-untyped-def]
    parted = parted_block(cut)
    vertices, faces = surface_net(parted.field)
    smooth = smoothed(vertices, faces, parted)
    assert is_closed_manifold(faces)
    deep = ((vertices > 7) & (vertices < 22)).all(1)  # inside the block there are walls alone
    assert deep.sum() > 200
    assert np.abs(cut(vertices[deep])).mean() > 0.35  # before: steps
    off = np.abs(cut(smooth[deep].astype(float)))
    assert off.max() < 0.45
    assert off.mean() < 0.2
    assert np.linalg.norm(smooth - vertices, axis=1).max() < 2


def test_walls_lie_on_either_side(cut) -> None:  # type: ignore[no-untyped-def]
    parted = parted_block(cut)
    vertices, faces = surface_net(parted.field)
    smooth = smoothed(vertices, faces, parted)
    deep = ((vertices > 7) & (vertices < 22)).all(1)
    parent = np.arange(len(vertices))
    for _ in range(60):  # the smallest number within each component
        low = parent[faces].min(1)
        for k in range(3):
            np.minimum.at(parent, faces[:, k], low)
    pieces = np.unique(parent)
    assert len(pieces) == 2
    sides = [cut(smooth[deep & (parent == piece)].astype(float)) for piece in pieces]
    low, high = sorted(sides, key=np.median)
    assert low.max() < high.min()


def test_flat_sides_stay() -> None:
    parted = parted_block(flat)
    vertices, faces = surface_net(parted.field)
    moved = np.linalg.norm(smoothed(vertices, faces, parted) - vertices, axis=1)
    far = np.abs(flat(vertices)) > 5
    side = far & (((vertices > 6) & (vertices < 23)).sum(1) == 2)  # not at edges
    assert moved[far].max() < 1
    assert moved[side].max() < 0.05


def test_values_are_known_near_those_given_alone() -> None:
    indices = np.array([[5, 5, 5], [5, 5, 6]])
    found = smooth_wall(np.array([1.0, 3.0]), indices, (20, 20, 20))
    assert 1 < found[5, 5, 5] < 2 < found[5, 5, 6] < 3
    assert np.isnan(found[15, 15, 15])


def test_a_wall_along_the_rays_is_no_staircase() -> None:
    """An edge that leans by a voxel in three: whole voxels make steps of it."""
    field = np.full((40, 30, 30), -1, np.float32)
    for row in range(4, 36):
        field[row, 3 : 10 + row // 3, 4:26] = 1
    vertices, faces = surface_net(field)
    on_it = (np.abs(vertices[:, 2] - 15) < 7) & (np.abs(vertices[:, 0] - 19.5) < 11)
    on_it &= vertices[:, 1] > 12
    lean = np.polyfit(vertices[on_it, 0], vertices[on_it, 1], 1)
    before, after = (
        np.std(one[on_it, 1] - np.polyval(lean, one[on_it, 0]))
        for one in (vertices, smoothed(vertices, faces, volume_of(field)))
    )
    assert after < 0.6 * before
