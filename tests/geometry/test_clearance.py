"""Room before another surface, against an obvious way to find it."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.geometry.clearance import clearance

REACH = 0.3


@pytest.mark.parametrize("behind", [False, True])
def test_it_is_the_distance_to_the_nearest_that_looks_another_way(behind: bool):
    rng = np.random.default_rng(3)
    points = rng.uniform(0, 1, (500, 3)).astype(np.float32)
    normals = rng.standard_normal((500, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    offset = points[None] - points[:, None]
    counts = normals @ normals.T < (-0.4 if behind else 0.2)
    if behind:
        counts &= np.einsum("vwc,vc->vw", offset, normals) <= 0
    far = np.where(counts, np.linalg.norm(offset, axis=2), np.inf)
    expected = np.minimum(far.min(1), REACH)
    np.testing.assert_allclose(
        clearance(points, normals, REACH, behind=behind), expected, atol=1e-6
    )
    assert (expected < REACH).mean() > 0.5
    asked = rng.uniform(size=500) < 0.3
    np.testing.assert_allclose(
        clearance(points, normals, REACH, behind=behind, asked=asked),
        np.where(asked, expected, REACH),
        atol=1e-6,
    )


def test_nothing_has_room():
    assert clearance(np.zeros((0, 3)), np.zeros((0, 3)), 1.0).shape == (0,)
