"""What goes into the maps network: the crop, the drawn body, values carried on beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.networks.maps import (
    INPUT_CHANNELS,
    PART_CLASSES,
    BodyMaps,
    MapsCrop,
    MapsNetwork,
    carried_on,
    draw_body,
    network_input,
)
from vitruvian.types.camera import Camera

SIZE = 96


def sphere(rings: int = 60, sectors: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of a sphere's vertices, and its faces, counter-clockwise from outside."""
    theta = np.linspace(0, np.pi, rings)[:, None]
    phi = np.linspace(0, 2 * np.pi, sectors, endpoint=False)[None]
    points = np.stack(
        [np.sin(theta) * np.cos(phi), np.cos(theta) + 0 * phi, np.sin(theta) * np.sin(phi)], -1
    ).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(sectors), indexing="ij")
    a, b = i * sectors + j, i * sectors + (j + 1) % sectors
    c, d = a + sectors, b + sectors
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)]).reshape(-1, 3)
    return points, faces.astype(np.int32)


def test_sphere_is_drawn_as_computed() -> None:
    """Depths and normals of both sides, against the intersection of each ray with the sphere."""
    units, faces = sphere()
    center, radius = np.array([0.05, -0.1, 3.0]), 0.5
    camera = Camera.centered(1.7 * SIZE, SIZE, SIZE)
    maps = draw_body(center + radius * units, faces, units, camera, root_depth=3.0, stature=2.0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    rays = camera.rays(np.stack([columns, rows], -1) + 0.5)
    a, b = (rays**2).sum(-1), rays @ center
    root = b**2 - a * (center @ center - radius**2)
    inside = root > 0.02 * b.max() ** 2  # away from the outline, where facets show
    assert 500 < inside.sum() < maps.covered.sum()
    for sign, depth, normals in (
        (-1, maps.front_depth, maps.front_normals),
        (1, maps.back_depth, maps.back_normals),
    ):
        t = (b + sign * np.sqrt(np.maximum(root, 0))) / a
        np.testing.assert_allclose(depth[inside], ((t - 3.0) / 2.0)[inside], atol=1e-3)
        truth = (rays * t[..., None] - center) / radius
        cosine = (normals * truth).sum(-1)[inside]
        assert np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).max() < 2.5
        assert not normals[~maps.covered].any()


def test_depth_goes_on_beside_the_body() -> None:
    units, faces = sphere(30, 40)
    camera = Camera.centered(1.7 * SIZE, SIZE, SIZE)
    maps = draw_body([0, 0, 3.0] + 0.5 * units, faces, units, camera, 3.0, 2.0)
    for depth in (maps.front_depth, maps.back_depth):
        assert np.isfinite(depth).all()
        seen = depth[maps.covered]
        assert seen.min() - 1e-6 <= depth.min() <= depth.max() <= seen.max() + 1e-6


def test_a_body_behind_the_camera_is_not_drawn() -> None:
    units, faces = sphere(20, 20)
    camera = Camera.centered(100, SIZE, SIZE)
    maps = draw_body([0, 0, -3.0] + 0.5 * units, faces, units, camera, -3.0, 2.0)
    assert not maps.covered.any()
    assert not maps.front_depth.any()


def test_carrying_on_keeps_what_is_known_and_a_constant() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(37, 50, 2)).astype(np.float32)
    known = rng.random((37, 50)) < 0.3
    out = carried_on(values, known)
    np.testing.assert_allclose(out[known], values[known], atol=1e-6)
    flat = carried_on(np.full((37, 50, 1), 4.0, np.float32), known)
    np.testing.assert_allclose(flat, 4.0, atol=1e-5)
    assert not carried_on(values, np.zeros_like(known)).any()


def test_crop_and_its_camera_agree() -> None:
    """A point that the camera projects to a white pixel is white in the crop, at its place."""
    picture = np.zeros((60, 80), np.uint8)
    picture[33, 52] = 255
    camera = Camera.centered(90, 80, 60)
    crop = MapsCrop(40, 20, 20, 80)
    taken = crop.extract(picture)
    point = camera.rays(np.array([52.5, 33.5])) * 2.0
    x, y = crop.camera(camera).project(point)
    assert np.unravel_index(taken.argmax(), taken.shape) in {
        (int(y) + dy, int(x) + dx) for dx in (-1, 0) for dy in (-1, 0)
    }
    weight = taken / taken.sum()
    rows, columns = np.mgrid[:80, :80] + 0.5
    assert ((weight * columns).sum(), (weight * rows).sum()) == pytest.approx((x, y), abs=1e-6)


@pytest.mark.parametrize("size", [16, 40, 64])
def test_crop_beyond_the_picture_is_filled(size: int) -> None:
    picture = np.full((30, 30, 3), 200, np.uint8)
    crop = MapsCrop(-20, 10, 40, size)
    inside = crop.extract(np.ones((30, 30), np.uint8), nearest=True)
    assert inside.sum() == (size // 2) ** 2
    np.testing.assert_array_equal(crop.inside(30, 30), inside > 0)
    taken = crop.extract(picture, 127)
    assert (taken[: size // 2 - 1, : size // 2 - 1] == 127).all()
    assert (taken[1 : size // 2 - 1, size // 2 + 1 :] == 200).all()


def test_crop_around_a_box_holds_it() -> None:
    crop = MapsCrop.around(np.array([10.0, 20.0]), np.array([50.0, 220.0]))
    assert crop.side == 224
    assert (crop.x + crop.side / 2, crop.y + crop.side / 2) == pytest.approx((30, 120), abs=0.5)


def test_input_has_the_documented_channels() -> None:
    units, faces = sphere(20, 20)
    camera = Camera.centered(64, 32, 32)
    body = draw_body([0, 0, 3.0] + 0.5 * units, faces, units, camera, 3.0, 2.0)
    rgb = np.full((32, 32, 3), 255, np.uint8)
    mask = np.full((32, 32), 51, np.uint8)
    inputs = network_input(rgb, mask, body, np.ones((32, 32)))
    assert inputs.shape == (INPUT_CHANNELS, 32, 32)
    assert inputs[0, 0, 0] == 1.0
    assert inputs[3, 0, 0] == pytest.approx(0.2)
    np.testing.assert_array_equal(inputs[9], body.back_normals[..., 2])
    np.testing.assert_array_equal(inputs[12], body.covered)
    without = network_input(rgb, mask, None, np.ones((32, 32)))
    assert not without[4:13].any()
    np.testing.assert_array_equal(without[[0, 1, 2, 3, 13]], inputs[[0, 1, 2, 3, 13]])


def test_sides_that_are_no_multiple_of_32_are_refused() -> None:
    rgb = np.zeros((40, 40, 3), np.uint8)
    with pytest.raises(ValueError, match="square crop of 32 n pixels"):
        MapsNetwork()(rgb, rgb[..., 0], None, MapsCrop(0, 0, 40, 40))


def golden_input() -> tuple[np.ndarray, np.ndarray, BodyMaps, MapsCrop]:
    """A dented ball before a gradient, with the ball as its body: the same numbers everywhere."""
    units, faces = sphere(30, 40)
    camera = Camera.centered(220, 128, 128)
    body = draw_body([0, 0, 3.0] + 0.5 * units, faces, units, camera, 3.0, 1.7)
    rows, columns = np.mgrid[:128, :128]
    light = np.clip(-(body.front_normals @ np.array([0.4, 0.6, 0.7])), 0, 1)
    ball = (200 * light)[..., None] * np.array([0.9, 0.5, 0.4])
    wall = np.stack([rows + 60, 200 - rows, columns + 40], -1)
    rgb = np.where(body.covered[..., None], ball, wall).astype(np.uint8)
    mask = (255 * body.covered).astype(np.uint8)
    mask[:, :40] = 0
    return rgb, mask, body, MapsCrop(0, 0, 128, 128)


def test_what_is_inserted_lies_where_it_was_taken_from() -> None:
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.random((50, 70)).astype(np.float32), (0, 0), 4)
    crop = MapsCrop(30, -10, 45, 90)
    back = crop.insert(crop.extract(picture), 70, 50)
    assert np.abs(back - picture)[1:33, 32:68].max() < 0.03
    assert not back[:, :30].any()
    assert not back[36:].any()


def test_shipped_network_gives_its_golden_numbers() -> None:
    rgb, mask, body, crop = golden_input()
    maps = MapsNetwork()(rgb, mask, body, crop)
    seen = maps.whole > 0.5
    assert maps.alpha[seen].mean() == pytest.approx(0.9922, abs=0.005)
    assert maps.front_normals[40, 50] == pytest.approx([-0.3469, -0.5837, -0.7342], abs=0.02)
    assert maps.back_normals[40, 50] == pytest.approx([-0.3396, -0.7285, 0.5950], abs=0.02)
    assert maps.front_depth[64, 64] == pytest.approx(-0.3033, abs=0.005)
    assert maps.back_depth[64, 64] == pytest.approx(0.2498, abs=0.005)
    assert maps.back_color[64, 64] == pytest.approx([0.3405, 0.2708, 0.2019], abs=0.02)
    assert (maps.parts[seen] == PART_CLASSES.index("skin")).mean() == pytest.approx(0.796, abs=0.02)
    for normals in (maps.front_normals, maps.back_normals):
        np.testing.assert_allclose(np.linalg.norm(normals, axis=2), 1, atol=1e-4)


def test_shipped_network_corrects_the_body_of_somebody_real(
    shared_data: Callable[[str], Path],
) -> None:
    """A person in trousers before a street: normals agree with the outline, and face the camera."""
    from vitruvian.body.fit.fit import fit_body
    from vitruvian.image.photo import load_photo
    from vitruvian.people.finder import find_people

    photo = load_photo(shared_data("ccp") / "photos" / "0169.jpg")
    figure = find_people(photo, max_people=1)[0]
    body = fit_body(body_model(), figure, photo.camera)
    maps, drawn = MapsNetwork().person(
        photo.pixels, photo.camera, figure.alpha.full(), body.as_mesh(),
        float(body.translation[2]), body.height_m, 256,
    )  # fmt: skip
    found = maps.crop.insert(maps.alpha, photo.width, photo.height) > 0.5
    matte = figure.alpha.full() > 127
    assert (found & matte).sum() > 0.93 * (found | matte).sum()
    person = maps.alpha > 0.5
    assert (maps.front_normals[person][:, 2] < 0).mean() > 0.97
    assert (maps.back_normals[person][:, 2] > 0).mean() > 0.97
    # On a smooth surface the normals at the left edge look left, at the right edge right.
    inner = cv2.erode(person.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    slope = cv2.Sobel(cv2.GaussianBlur(person.astype(np.float32), (0, 0), 2), cv2.CV_32F, 1, 0)
    edge = inner & (np.abs(slope) > 0.5 * np.abs(slope).max())
    agree = np.sign(maps.front_normals[..., 0]) == -np.sign(slope)
    assert agree[edge].mean() > 0.9
    assert (maps.back_depth - maps.front_depth)[person].mean() > 0.02  # statures
    assert drawn.covered.any()
