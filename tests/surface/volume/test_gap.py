"""The gap between limbs: small components are no limbs, and a cut is no staircase."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surface_people import is_closed_manifold, volume_of
from vitruvian.surface.volume.gap import gap_between, small_components, smoothed
from vitruvian.surface.volume.surface_nets import surface_net
from vitruvian.surface.volume.volume import GAP_VALUE, Volume
from vitruvian.surface.volume.well_composed import well_composed


def test_what_is_small_beside_the_largest_component_is_told():
    mask = np.zeros((20, 20, 20), bool)
    mask[2:12, 2:12, 2:12] = True
    mask[15, 15, 15] = True
    mask[12, 12, 12] = True  # touches the block at a corner only
    mask[15:18, 2:8, 2:8] = True  # more than a twentieth
    expected = np.zeros_like(mask)
    expected[15, 15, 15] = expected[12, 12, 12] = True
    np.testing.assert_array_equal(small_components(mask), expected)


def test_nothing_has_no_small_components():
    assert not small_components(np.zeros((4, 5, 6), bool)).any()


def halved_block() -> Volume:
    """A block cut in two along a slanted plane."""
    field = np.full((30, 30, 30), -1, np.float32)
    field[4:26, 4:26, 4:26] = 1
    y, x, z = np.indices(field.shape)
    left = (2 * x + y + 0.6 * z) < 52
    gap, kept_empty = gap_between(field > 0, left, ~left)
    assert (kept_empty | ~gap).all()
    assert (field[kept_empty & ~gap] < 0).all()
    field[gap] = GAP_VALUE
    return well_composed(replace(volume_of(field), gap=gap, kept_empty=kept_empty))


def test_a_slanted_cut_is_smooth_and_flat_sides_stay():
    halved = halved_block()
    vertices, faces = surface_net(halved.field)
    smooth = smoothed(vertices, faces, halved.gap)
    plane = np.array([1.0, 2.0, 0.6]) / np.linalg.norm([1.0, 2.0, 0.6])

    def off_plane(points: np.ndarray) -> np.ndarray:
        """Degrees between the cut's faces and the plane that was meant."""
        corners = points[faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        middles = corners.mean(1)
        beside = np.abs(2 * middles[:, 1] + middles[:, 0] + 0.6 * middles[:, 2] - 52) < 5
        within = ((middles > 8) & (middles < 21)).all(1)
        return np.rad2deg(np.arccos(np.clip(np.abs(normals @ plane), 0, 1)))[beside & within]

    assert np.median(off_plane(smooth)) < 0.5 * np.median(off_plane(vertices))
    moved = np.linalg.norm(smooth - vertices, axis=1)
    assert moved.max() < 1.5
    far = np.abs(2 * vertices[:, 1] + vertices[:, 0] + 0.6 * vertices[:, 2] - 52) > 8
    flat = far & (((vertices > 6) & (vertices < 23)).sum(1) == 2)  # not at edges
    assert moved[far].max() < 1
    assert moved[flat].max() < 0.03
    assert is_closed_manifold(faces)
