"""The shipped depth network on a real photograph of five people in a row."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.image.photo import load_photo
from vitruvian.networks.depth import DepthNet
from vitruvian.placement.depth_order import read_depth
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

# Columns, in parts of the width, through the middle of each of the five.
COLUMNS = (0.19, 0.34, 0.49, 0.64, 0.79)


def trunk(width: int, height: int, column: float) -> Alpha:
    values = np.full((int(0.25 * height), int(0.05 * width)), 255, np.uint8)
    return Alpha(values, int((column - 0.025) * width), int(0.55 * height), width, height)


def test_five_people_side_by_side(shared_data) -> None:
    photo = load_photo(shared_data("photos") / "m013_u2net.jpg")
    height, width = photo.pixels.shape[:2]
    alphas = [trunk(width, height, column) for column in COLUMNS]
    cue = read_depth(photo.pixels, photo.camera, alphas)
    assert cue is not None
    metres = np.exp(cue.log_distances)
    # As their bodies tell for this lens: 3.2 to 3.8.
    assert ((metres > 2.4) & (metres < 4.6)).all()
    assert metres.max() / metres.min() < 1.35
    assert 1.1 < cue.camera_height < 2.0
    assert np.rad2deg(np.arccos(-cue.up[1])) < 12
    behind = DepthNet()(photo.pixels, photo.camera).log_depth[: int(0.1 * 43)]
    assert np.exp(np.median(behind)) > 1.3 * np.median(metres)


def test_a_longer_lens_sees_farther(shared_data) -> None:
    pixels = load_photo(shared_data("photos") / "m013_u2net.jpg").pixels
    height, width = pixels.shape[:2]
    short, long = (
        DepthNet()(pixels, Camera.centered(focal, width, height)) for focal in (width, 2 * width)
    )
    assert np.allclose(long.log_depth - short.log_depth, np.log(2), atol=1e-5)
    assert long.camera_height == pytest.approx(short.camera_height)
    assert abs(long.up[2]) < abs(short.up[2])


def test_every_shape_of_picture() -> None:
    for width, height in ((32, 32), (500, 90), (90, 500), (300, 301)):
        found = DepthNet()(np.full((height, width, 3), 99, np.uint8), Camera.assumed(width, height))
        assert found.log_depth.shape == found.log_spread.shape
        assert max(found.log_depth.shape) == 64
        assert np.isfinite(found.log_depth).all()
