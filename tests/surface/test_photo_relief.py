"""What is darker lies deeper, where the picture's colours stay and its cloth is not printed."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.surface.maps import SurfaceMaps
from vitruvian.surface.photo_relief import photographed
from vitruvian.types.camera import Camera

SIZE = 96
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float32)
SEAM = np.exp(-(((COLUMNS - 48) / 2) ** 2))


def maps() -> SurfaceMaps:
    """A wall with soft ripples, so that there is relief to be doubled."""
    slope = 0.3 * np.sin(ROWS * 0.7)
    normals = np.stack([0 * slope, slope, -np.sqrt(1 - slope**2)], 2).astype(np.float32)
    return SurfaceMaps(Camera.centered(40.0, SIZE, SIZE, "given"), normals, -normals)


def picture(color: tuple[float, float, float]) -> np.ndarray:
    """Grey cloth with a vertical line in a colour."""
    paint = np.array(color, np.float32) * SEAM[..., None] + 150 * (1 - SEAM[..., None])
    return paint.astype(np.uint8)


def bent(pixels: np.ndarray, printed: float = 0.0, alpha: np.ndarray | None = None) -> np.ndarray:
    """What is added to the normals (SIZE, SIZE, 3)."""
    alpha = np.full((SIZE, SIZE), 255, np.uint8) if alpha is None else alpha
    share = np.full((SIZE, SIZE), printed, np.float32)
    found = photographed(maps(), pixels, alpha, share)
    np.testing.assert_array_equal(found.back_normals, maps().back_normals)
    np.testing.assert_allclose(np.linalg.norm(found.front_normals, axis=2), 1, atol=1e-5)
    return found.front_normals - maps().front_normals


def test_a_dark_line_is_a_valley_and_a_light_one_a_ridge() -> None:
    dark, light = bent(picture((90, 90, 90))), bent(picture((220, 220, 220)))
    # Left of a valley the surface falls away to the right: its normal looks there.
    assert dark[20:76, 45:47, 0].mean() > 0.05
    assert dark[20:76, 50:52, 0].mean() < -0.05
    assert light[20:76, 45:47, 0].mean() < -0.03
    assert np.abs(dark[20:76, :20]).max() < 0.01


@pytest.mark.parametrize("level", [0.6, 1.5])
def test_exposure_does_not_change_it(level: float) -> None:
    plain = bent(picture((90, 90, 90)))
    other = bent((picture((90, 90, 90)) * level).astype(np.uint8))
    assert np.abs(other - plain).max() < 0.3 * np.abs(plain).max()


def test_colours_and_print_are_no_relief() -> None:
    plain = np.abs(bent(picture((90, 90, 90)))).max()
    assert np.abs(bent(picture((150, 60, 60)))).max() < 0.25 * plain
    assert np.abs(bent(picture((90, 90, 90)), printed=1.0)).max() < 1e-5


def test_it_at_most_doubles_what_the_network_sees() -> None:
    checks = 40 + 170 * ((COLUMNS // 4 + ROWS // 4) % 2)
    added = bent(np.repeat(checks[..., None], 3, 2).astype(np.uint8))[20:76, 20:76, :2]
    own = maps().front_normals[20:76, 20:76, :2]
    assert np.abs(added).max() > 0.1
    assert (added**2).mean() < 1.3 * (own**2).mean()


def test_beside_the_person_there_is_nothing() -> None:
    alpha = np.zeros((SIZE, SIZE), np.uint8)
    alpha[:, :48] = 255  # the line is the border between cloth and background
    assert np.abs(bent(picture((30, 30, 30)), alpha=alpha))[:, 46:].max() < 0.02
