"""The input of the clothed surface: windows of one photograph, and where it comes from."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from surface_people import (
    CAMERA,
    alpha_of,
    figure_of,
    is_closed_manifold,
    mask_of,
    photo_with,
    standing_body,
)
from vitruvian.body.model.model import body_model
from vitruvian.networks.maps import MapsCrop, MapsNetwork, PersonMaps
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.maps import (
    SIZE,
    SurfaceMaps,
    estimated_maps,
    figure_box,
    maps_from_body,
    maps_from_network,
    window_alpha,
)


def ramps(window) -> SurfaceMaps:
    """Pictures that say where in the photograph each pixel is."""
    pixels = np.stack(np.meshgrid(np.arange(80) + 0.5, np.arange(80) + 0.5), -1)
    place = CAMERA.project(window.rays(pixels)).astype(np.float32)
    normals = np.zeros((80, 80, 3), np.float32)
    return SurfaceMaps(window, place[..., 0], normals, normals, place[..., 1])


def test_another_window_shows_the_same_place():
    maps = ramps(CAMERA.window(100, 150, 0.25, 80, 80))
    other = CAMERA.window(140.5, 200.25, 0.6, 90, 100)
    x = maps.resampled(maps.alpha, other)
    y = maps.resampled(maps.front_depth, other)
    pixels = np.stack(np.meshgrid(np.arange(90) + 0.5, np.arange(100) + 0.5), -1)
    expected = CAMERA.project(other.rays(pixels))
    # OpenCV places samples to 1/32 of a pixel, here an eighth of the photograph's.
    np.testing.assert_allclose(x, expected[..., 0], atol=0.2)
    np.testing.assert_allclose(y, expected[..., 1], atol=0.2)


def test_depth_is_not_blended_across_a_jump():
    window = CAMERA.window(100, 150, 0.25, 80, 80)
    depth = np.full((80, 80), 3.0, np.float32)
    depth[:, 40:] = 3.4
    depth[:10] = np.inf
    normals = np.zeros((80, 80, 3), np.float32)
    maps = SurfaceMaps(window, depth, normals, normals, depth)
    found = maps.depth_in(depth, CAMERA.window(130, 160, 0.7, 120, 120))
    assert set(np.unique(found[np.isfinite(found)].round(4))) == {np.float32(3.0), np.float32(3.4)}
    assert np.isinf(found[0]).all()
    assert np.isfinite(found[-1]).all()


def test_shapes_are_checked():
    window = CAMERA.window(0, 0, 0.25, 80, 80)
    normals = np.zeros((80, 80, 3), np.float32)
    with pytest.raises(ValueError, match=r"alpha must have shape \(80, 80\), got \(80, 81\)"):
        SurfaceMaps(window, np.zeros((80, 81), np.float32), normals, normals)
    with pytest.raises(ValueError, match="back_normals must have shape"):
        SurfaceMaps(window, np.zeros((80, 80), np.float32), normals, normals[..., :2])


def test_the_body_alone_gives_its_own_maps():
    body = standing_body().as_mesh()
    mask = mask_of(body)
    maps = maps_from_body(body, alpha_of(mask), CAMERA, size=256)
    assert maps.front_depth is not None
    assert maps.back_depth is not None
    seen = np.isfinite(maps.front_depth)
    assert (maps.back_depth[seen] >= maps.front_depth[seen] - 1e-4).all()
    away = maps.camera.rays(np.stack(np.meshgrid(np.arange(256) + 0.5, np.arange(256) + 0.5), -1))
    front = np.einsum("hwc,hwc->hw", maps.front_normals, away)[seen]
    back = np.einsum("hwc,hwc->hw", maps.back_normals, away)[seen]
    assert np.quantile(front, 0.95) < 0
    assert np.quantile(back, 0.05) > 0
    np.testing.assert_allclose(np.linalg.norm(maps.front_normals[seen], axis=1), 1, atol=1e-4)
    # The matte is in the same place as what is drawn.
    both = (maps.alpha > 0.5) & seen
    assert both.sum() > 0.97 * seen.sum()


def test_beyond_the_picture_the_matte_goes_on():
    mask = np.zeros((900, 640), bool)
    mask[500:, 300:340] = True
    found = window_alpha(alpha_of(mask), CAMERA, CAMERA.window(200, 700, 0.5, 120, 150))
    assert (found[:, 52:68] > 0.99).all()  # rows beyond 100 are below the photograph
    assert (found[:, :45] < 0.01).all()


def test_the_box_holds_body_and_matte():
    mask = np.zeros((900, 640), bool)
    mask[10:20, 600:630] = True
    body = standing_body().as_mesh()
    low, high = figure_box(body, alpha_of(mask), CAMERA)
    pixels = CAMERA.project(body.vertices)
    np.testing.assert_allclose(low, [pixels[:, 0].min(), 10])
    np.testing.assert_allclose(high, [630, pixels[:, 1].max()])


def test_the_networks_depths_are_in_statures_behind_the_root():
    size = 64
    crop = MapsCrop(100, 50, 512, size)
    flat = np.zeros((size, size), np.float32)
    normals = np.zeros((size, size, 3), np.float32)
    found = PersonMaps(
        crop, flat + 1, flat + 1, normals, normals, flat - 0.05, flat + 0.08,
        normals, np.zeros((size, size), np.uint8),
    )  # fmt: skip
    body = standing_body()
    maps = maps_from_network(found, body, CAMERA)
    root = body.joints[0, 2]
    np.testing.assert_allclose(maps.front_depth, root - 0.05 * body.height_m, rtol=1e-6)
    np.testing.assert_allclose(maps.back_depth, root + 0.08 * body.height_m, rtol=1e-6)
    assert maps.camera.focal_px == pytest.approx(CAMERA.focal_px / 8)


def test_face_and_hands_keep_the_bodys_normals():
    body = standing_body()
    photo, figure = photo_with(), figure_of(mask_of(body.as_mesh()))
    maps = estimated_maps(photo, figure, body)
    assert maps is not None
    assert maps.alpha is None
    assert maps.front_depth is None
    assert maps.camera.width == maps.camera.height == SIZE
    np.testing.assert_allclose(np.linalg.norm(maps.front_normals, axis=2).max(), 1, atol=1e-5)
    own = maps_from_body(body.as_mesh(), figure.alpha, CAMERA, size=SIZE)
    mine = own.resampled(own.front_normals, maps.camera)
    pixels = maps.camera.project(body.vertices).astype(int)
    nose = body.vertices[body_model().regions.face > 0.95][:, 2].argmin()
    x, y = pixels[body_model().regions.face > 0.95][nose]
    alike = (maps.front_normals * mine).sum(2)
    assert alike[y - 4 : y + 5, x - 4 : x + 5].mean() > 0.9
    covered = np.linalg.norm(mine, axis=2) > 0.9
    assert alike[covered].mean() < 0.999  # elsewhere the network speaks


@pytest.mark.parametrize(("share", "side"), [(0.25, 192), (0.12, 128)])
def test_the_network_looks_at_small_people_in_fewer_pixels(share: float, side: int):
    body = standing_body()
    camera = CAMERA.scaled(share, round(CAMERA.width * share), round(CAMERA.height * share))
    whole = photo_with()
    pixels = cv2.resize(whole.pixels, (camera.width, camera.height))
    mask = mask_of(body.as_mesh(), camera)
    maps = estimated_maps(replace(whole, pixels=pixels, camera=camera), figure_of(mask), body)
    assert maps is not None
    assert maps.camera.width == side


def test_without_the_network_there_are_no_maps(monkeypatch):
    monkeypatch.setattr(MapsNetwork, "available", classmethod(lambda cls: False))
    body = standing_body()
    photo, figure = photo_with(), figure_of(mask_of(body.as_mesh()))
    assert estimated_maps(photo, figure, body) is None
    mesh = reconstruct_surface(photo, figure, body, method="clothed", maps="network")
    assert is_closed_manifold(mesh.faces)
