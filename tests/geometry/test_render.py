"""Drawings of shapes whose picture is known."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.geometry.render import render_mesh, turned
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
CAMERA = Camera.centered(100, 80, 60)


def square(half: float = 0.5, depth: float = 2.0, **more: object) -> Mesh:
    """A square across the view; 100 half / depth pixels each way from the middle."""
    corners = [(-half, half), (half, half), (half, -half), (-half, -half)]
    vertices = np.array([(x, y, depth) for x, y in corners], np.float32)
    return Mesh(vertices, FACES, "camera", **more)  # type: ignore[arg-type]


def four_quarters(size: int = 64) -> Mesh:
    """Red top left, green top right, blue bottom left, white bottom right."""
    texture = np.zeros((size, size, 3), np.uint8)
    half = size // 2
    texture[:half, :half], texture[:half, half:] = (255, 0, 0), (0, 255, 0)
    texture[half:, :half], texture[half:, half:] = (0, 0, 255), (255, 255, 255)
    uvs = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    return square(uvs=uvs, uv_faces=FACES, texture=texture)


def test_the_square_covers_its_pixels_and_no_others():
    drawn = render_mesh(square(), CAMERA, 80, 60)
    expected = np.zeros((60, 80), bool)
    expected[5:55, 15:65] = True
    np.testing.assert_array_equal(drawn[..., 3] == 255, expected)
    np.testing.assert_array_equal(drawn[~expected], 0)


@pytest.mark.parametrize("supersample", [1, 3])
def test_the_texture_stands_upright(supersample):
    drawn = render_mesh(four_quarters(), CAMERA, 80, 60, supersample=supersample)
    assert tuple(drawn[15, 25]) == (255, 0, 0, 255)
    assert tuple(drawn[15, 55]) == (0, 255, 0, 255)
    assert tuple(drawn[45, 25]) == (0, 0, 255, 255)
    assert tuple(drawn[45, 55]) == (255, 255, 255, 255)


def test_a_larger_drawing_shows_the_same_picture():
    small = render_mesh(four_quarters(), CAMERA, 80, 60)
    large = render_mesh(four_quarters(), CAMERA, 320, 240)
    np.testing.assert_array_equal(large[2::4, 2::4, 3], small[..., 3])


def test_fine_patterns_fade_to_their_mean():
    """A checkerboard far finer than the pixels is grey, not a moire pattern."""
    checks = (np.indices((1024, 1024)).sum(0) % 2 * 255).astype(np.uint8)
    uvs = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    mesh = square(uvs=uvs, uv_faces=FACES, texture=np.repeat(checks[..., None], 3, 2))
    drawn = render_mesh(mesh, CAMERA, 80, 60)
    inside = drawn[10:50, 20:60, 0].astype(float)
    assert abs(inside.mean() - 127.5) < 3
    assert inside.std() < 4


def test_vertex_colours_blend_between_the_corners():
    colors = np.array([[0, 0, 0], [200, 0, 0], [200, 0, 0], [0, 0, 0]], np.uint8)
    drawn = render_mesh(square(vertex_colors=colors), CAMERA, 80, 60)
    ramp = drawn[30, 15:65, 0].astype(float)
    np.testing.assert_allclose(ramp, (np.arange(50) + 0.5) * 4, atol=1)


def test_clay_is_brightest_towards_the_light_and_shows_no_texture():
    towards = render_mesh(four_quarters(), CAMERA, 80, 60, mode="clay")
    assert np.ptp(towards[10:50, 20:60, :3], axis=(0, 1)).max() == 0
    slanted = render_mesh(turned(square(), 60), CAMERA, 80, 60, mode="clay")
    assert slanted[30, 40, 3] == 255
    assert slanted[30, 40, 0] < towards[30, 40, 0]


def test_normals_are_told_in_colours():
    drawn = render_mesh(square(), CAMERA, 80, 60, mode="normals")
    np.testing.assert_allclose(drawn[30, 40, :3], [128, 128, 255], atol=1)
    to_the_right = render_mesh(turned(square(), -45), CAMERA, 80, 60, mode="normals")
    half = (np.sqrt(0.5) + 1) * 127.5
    np.testing.assert_allclose(to_the_right[30, 40, :3], [half, 128, half], atol=1.5)


def test_supersampling_makes_the_rim_partly_transparent():
    half = 0.505  # 25.25 pixels
    alpha = render_mesh(square(half), CAMERA, 80, 60, supersample=4)[..., 3].astype(float)
    np.testing.assert_allclose(alpha[10:50, 14], 255 / 4, atol=1)
    assert (alpha[10:50, 15] == 255).all()


@pytest.mark.parametrize("mode", ["texture", "clay", "normals"])
def test_a_background_leaves_nothing_transparent(mode):
    drawn = render_mesh(
        four_quarters(), CAMERA, 80, 60, mode=mode, background=(10, 200, 30), supersample=2
    )
    assert (drawn[..., 3] == 255).all()
    assert tuple(drawn[0, 0]) == (10, 200, 30, 255)


def test_turning_shows_the_side_that_was_at_the_right():
    vertices = np.array([(1, 0, 3), (-1, 0, 3), (0, 1, 4), (0, -1, 2)], np.float32)
    mesh = turned(Mesh(vertices, np.array([[0, 1, 2]], np.int32), "camera"), 90)
    np.testing.assert_allclose(mesh.vertices[0], [0, 0, 2], atol=1e-6)  # now the nearest
    whole = turned(mesh, 270)
    np.testing.assert_allclose(whole.vertices, vertices, atol=1e-5)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="must be in the camera frame, not world"):
        render_mesh(Mesh(square().vertices, FACES, "world"), CAMERA, 80, 60)
    with pytest.raises(ValueError, match="supersample must be at least 1, got 0"):
        render_mesh(square(), CAMERA, 80, 60, supersample=0)
    with pytest.raises(ValueError, match="mode must be texture, clay or normals, got 'x'"):
        render_mesh(square(), CAMERA, 80, 60, mode="x")  # type: ignore[arg-type]


def test_a_mesh_behind_the_camera_is_not_drawn():
    assert not render_mesh(square(depth=-2), CAMERA, 80, 60).any()


def test_drawings_lie_in_memory_as_opencv_wants_them() -> None:
    for width, height in ((80, 60), (120, 360)):
        drawn = render_mesh(square(), CAMERA, width, height)
        assert drawn.flags.c_contiguous
        assert drawn.shape == (height, width, 4)
