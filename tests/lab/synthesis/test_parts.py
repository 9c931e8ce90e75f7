"""Textures that are cleared of what is printed on them."""

from __future__ import annotations

import numpy as np

from vitruvian.lab.synthesis.parts import unmarked


def test_marks_go_and_colours_stay() -> None:
    """Stripes as broad as a sneaker's vanish; two colours half a shoe apart do not."""
    size = 256
    texture = np.zeros((size, size, 4), np.uint8)
    texture[..., 3] = 255
    texture[64:192, 64:128] = [200, 60, 60, 255]
    texture[64:192, 128:192] = [60, 60, 200, 255]
    stripes = (np.arange(size) // 8) % 2 == 1
    texture[stripes, :, 1] += np.uint8(100)
    square = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])
    out = unmarked(texture, square, np.array([[0, 1, 2], [0, 2, 3]]))
    inner = out[80:176, 80:176].astype(float)
    assert np.ptp(texture[80:176, 96, 1]) == 100
    assert np.ptp(inner[:, 16, 1]) < 8
    np.testing.assert_allclose(inner[:, 16, 1].mean(), 110, atol=3)
    assert inner[48, 2, 0] > 180  # black from beyond the island does not bleed in
    assert inner[48, -3, 2] > 180
    assert inner[48, 2, 0] - inner[48, -3, 0] > 100
    assert (out[..., 3] == 255).all()
    assert (out[:16, :16, :3] == texture[:16, :16, :3]).all()  # nothing maps there
