import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.types.camera import Camera

sizes = st.integers(32, 5000)


@given(st.floats(5, 170), sizes, sizes)
def test_field_of_view_comes_back(fov: float, width: int, height: int) -> None:
    camera = Camera.from_fov(fov, width, height)
    assert camera.fov_deg == pytest.approx(fov)
    assert camera.source == "given"


@given(st.floats(0, 4000), st.floats(0, 4000), st.floats(0.1, 100))
def test_rays_invert_projection(u: float, v: float, depth: float) -> None:
    camera = Camera.centered(1234.5, 4000, 3000)
    points = camera.rays(np.array([[u, v]])) * depth
    assert points[0, 2] == pytest.approx(depth)
    np.testing.assert_allclose(camera.project(points), [[u, v]], atol=1e-8)


def test_scaled_camera_sees_the_resized_picture() -> None:
    camera = Camera(800.0, 640, 480, (310.0, 250.0), "exif")
    half = camera.scaled(0.5, 320, 240)
    point = np.array([[0.3, -0.2, 2.5]])
    np.testing.assert_allclose(half.project(point), camera.project(point) / 2)
    assert half.source == "exif"
    assert half.fov_deg == pytest.approx(camera.fov_deg)
