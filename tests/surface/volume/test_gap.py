"""The gap between limbs: small components are no limbs, and it is emptied on one side alone."""

from __future__ import annotations

import numpy as np

from vitruvian.surface.volume.gap import dilated, gap_between, small_components


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


def test_a_gap_is_taken_from_the_rest_and_what_continues_it_stays_empty():
    inside = np.zeros((30, 30, 30), bool)
    inside[4:26, 4:26, 4:26] = True
    y, x, z = np.indices(inside.shape)
    left = (2 * x + y + 0.6 * z) < 52
    gap, kept_empty = gap_between(inside, left, ~left)
    assert gap.any()
    assert not (gap & (left | ~inside)).any()
    assert (kept_empty | ~gap).all()
    assert not (inside & kept_empty & ~gap).any()
    assert (kept_empty & ~inside).any()


def test_a_dilated_mask_is_what_is_within_a_cube():
    mask = np.random.default_rng(4).uniform(size=(9, 2, 12)) < 0.02
    assert mask.any()
    for voxels in (1, 2, 3):
        wide = np.pad(mask, voxels)
        expected = np.zeros_like(mask)
        for shift in np.ndindex((2 * voxels + 1,) * 3):
            expected |= wide[tuple(slice(a, a + n) for a, n in zip(shift, mask.shape, strict=True))]
        np.testing.assert_array_equal(dilated(mask, voxels), expected)
