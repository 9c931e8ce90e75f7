"""Maps at two sizes in one; print that is no relief; the body under cloth taken out of normals."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from surface_people import CAMERA, figure_of, mask_of, photo_with, standing_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import unit_normals, vertex_normals
from vitruvian.networks.maps import MapsCrop, PersonMaps, draw_body
from vitruvian.surface.maps import SurfaceMaps, normals_alone
from vitruvian.surface.refined_maps import FINE_SIZE, averaged, printed, refined_maps
from vitruvian.types.regions import TRUNK

WINDOW = MapsCrop(-120, 5, 880, 512)
COARSE = MapsCrop(-120, 5, 880, 256)


def facing(crop: MapsCrop, lean: np.ndarray | float) -> SurfaceMaps:
    """Normals that face the camera, leaning to the right by so much."""
    normals = np.zeros((crop.size, crop.size, 3), np.float32)
    normals[..., 0], normals[..., 2] = lean, -1
    back = normals * np.array([1, 1, -1], np.float32)
    return SurfaceMaps(crop.camera(CAMERA), unit_normals(normals), unit_normals(back))


def test_what_both_resolve_is_their_mean() -> None:
    found = averaged(facing(COARSE, 0.3), facing(WINDOW, 0.1), np.zeros((512, 512), np.float32))
    assert found.camera.width == 512
    for normals in (found.front_normals, found.back_normals):
        assert normals[256, 256, 0] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(("print_share", "kept"), [(0.0, 1.0), (1.0, 0.0)])
def test_what_is_finer_is_kept_whole_but_where_cloth_is_printed(
    print_share: float, kept: float
) -> None:
    waves = np.tile(0.3 * np.sin(np.arange(512) * 2 * np.pi / 10), (512, 1))
    share = np.full((512, 512), print_share, np.float32)
    found = averaged(facing(COARSE, 0.0), facing(WINDOW, waves), share).front_normals[256, 200:300]
    expected = kept * facing(WINDOW, waves).front_normals[256, 200:300]
    np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=0.02)


def cloth(*, colors: tuple[tuple[int, int, int], ...], folds: bool) -> np.ndarray:
    """Cloth (512, 512, 3) uint8 with checks of 5 pixels, and with folds that darken it."""
    index = (np.indices((512, 512)) // 5).sum(0) % len(colors)
    albedo = np.array(colors, np.float32)[index]
    light = 0.7 + 0.3 * np.sin(np.arange(512) * 2 * np.pi / 25) if folds else np.ones(512)
    linear = (albedo / 255) ** 2.2 * light[:, None]
    pixels = 255 * linear ** (1 / 2.2) + np.random.default_rng(0).normal(0, 1.5, albedo.shape)
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


WHOLE = np.full((512, 512), 255, np.uint8)


@pytest.mark.parametrize("color", [(200, 30, 40), (90, 90, 95), (240, 150, 20), (40, 60, 130)])
def test_folds_of_one_colour_are_no_print(color: tuple[int, int, int]) -> None:
    assert printed(cloth(colors=(color,), folds=True), WHOLE).max() < 0.05


def test_two_colours_are_print() -> None:
    busy = printed(cloth(colors=((200, 60, 60), (60, 80, 190)), folds=False), WHOLE)
    assert busy[100:400, 100:400].min() > 0.95


def test_a_seam_between_two_colours_is_no_print() -> None:
    pixels = cloth(colors=((60, 80, 190),), folds=False)
    pixels[:, 256:] = (200, 60, 60)
    assert printed(pixels, WHOLE).max() < 0.3


def test_what_is_beside_the_person_does_not_count() -> None:
    pixels = cloth(colors=((200, 60, 60), (60, 80, 190)), folds=False)
    pixels[150:350, 150:350] = (90, 90, 95)
    alpha = np.zeros((512, 512), np.uint8)
    alpha[150:350, 150:350] = 255
    assert printed(pixels, alpha)[150:350, 150:350].max() < 0.05


def test_somebody_small_gets_no_finer_maps() -> None:
    body = standing_body()
    camera = CAMERA.scaled(0.3, 192, 270)
    photo = replace(photo_with(), pixels=np.full((270, 192, 3), 90, np.uint8), camera=camera)
    figure = figure_of(mask_of(body.as_mesh(), camera))
    coarse = facing(COARSE, 0.0)
    assert refined_maps(photo, figure, body, coarse) is coarse


def test_somebody_large_gets_them_where_they_are() -> None:
    """The window is as tall as the square would be, but no wider than needed."""
    body = standing_body()
    mask = mask_of(body.as_mesh())
    mask[:, :200] = mask[:, -200:] = False  # arms that hang down
    pose = body.vertices.copy()
    pose[:, 0] = np.clip(pose[:, 0], -0.25, 0.35)
    narrow = replace(body, vertices=pose)
    found = refined_maps(photo_with(), figure_of(mask), narrow, facing(COARSE, 0.0))
    assert found.camera.height in (FINE_SIZE, FINE_SIZE - 32)
    assert found.camera.width <= FINE_SIZE // 2
    pixels = found.camera.project(pose)
    assert (pixels > 0).all()
    assert (pixels < [found.camera.width, found.camera.height]).all()
    assert found.front_normals.shape == (found.camera.height, found.camera.width, 3)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def test_the_bodys_relief_leaves_the_networks_normals_where_cloth_hides_it() -> None:
    """A network that repeats 60 % of the body's relief, and sees folds besides."""
    body, crop = standing_body(), COARSE
    mesh = body.as_mesh()
    drawn = draw_body(
        mesh.vertices, mesh.faces, vertex_normals(mesh.vertices, mesh.faces),
        crop.camera(CAMERA), float(body.translation[2]), body.height_m,
    )  # fmt: skip

    def fine(normals: np.ndarray) -> np.ndarray:
        return np.asarray(normals - cv2.GaussianBlur(normals, (0, 0), 7))

    folds = np.zeros((256, 256, 3), np.float32)
    folds[..., 1] = 0.15 * np.sin(np.arange(256) * 2 * np.pi / 9)[:, None]
    plain = np.broadcast_to(np.array([0, 0, -1], np.float32), folds.shape)
    front = unit_normals(plain + 0.6 * fine(drawn.front_normals) + folds)
    zero = np.zeros((256, 256), np.float32)
    maps = PersonMaps(
        crop, zero, zero, front, -front, zero, zero, np.zeros_like(folds), zero.astype(np.uint8)
    )
    regions = body_model().regions
    hidden = (regions.part == TRUNK).astype(np.float32)
    bare, cleaned = (
        normals_alone(maps, drawn, body, CAMERA, share).front_normals for share in (None, hidden)
    )
    trunk = drawn.front.interpolate(hidden[:, None], body_model().faces)[..., 0] > 0.99
    trunk &= cv2.erode(drawn.covered.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    relief = fine(drawn.front_normals)[trunk]
    before, after = (correlation(fine(one)[trunk], relief) for one in (bare, cleaned))
    assert before > 0.35
    assert abs(after) < 0.5 * before
    assert correlation(fine(cleaned)[trunk], folds[trunk]) > 0.9
    # Half hidden, half of it goes: how much the network repeats does not depend on that.
    half = normals_alone(maps, drawn, body, CAMERA, 0.5 * hidden).front_normals
    whole_gone, half_gone = (((bare - one)[trunk] * relief).sum() for one in (cleaned, half))
    assert half_gone == pytest.approx(0.5 * whole_gone, rel=0.1)
    outside = drawn.covered & (
        drawn.front.interpolate(hidden[:, None], body_model().faces)[..., 0] == 0
    )
    np.testing.assert_allclose(cleaned[outside], bare[outside], atol=1e-6)
