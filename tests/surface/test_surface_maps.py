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
from vitruvian.networks.maps import MapsNetwork
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.maps import (
    SIZE,
    SurfaceMaps,
    figure_box,
    network_maps,
    normals_alone,
    window_alpha,
)
from vitruvian.types.regions import TRUNK


def test_another_window_shows_the_same_place():
    window = CAMERA.window(100, 150, 0.25, 80, 80)
    pixels = np.stack(np.meshgrid(np.arange(80) + 0.5, np.arange(80) + 0.5), -1)
    place = CAMERA.project(window.rays(pixels)).astype(np.float32)
    normals = np.zeros((80, 80, 3), np.float32)
    other = CAMERA.window(140.5, 200.25, 0.6, 90, 100)
    found = SurfaceMaps(window, normals, normals).resampled(place, other)
    pixels = np.stack(np.meshgrid(np.arange(90) + 0.5, np.arange(100) + 0.5), -1)
    expected = CAMERA.project(other.rays(pixels))
    # OpenCV places samples to 1/32 of a pixel, here an eighth of the photograph's.
    np.testing.assert_allclose(found, expected, atol=0.2)


def test_shapes_are_checked():
    window = CAMERA.window(0, 0, 0.25, 80, 80)
    normals = np.zeros((80, 80, 3), np.float32)
    with pytest.raises(ValueError, match=r"back_normals must have shape \(80, 80, 3\), got"):
        SurfaceMaps(window, normals, normals[..., :2])


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


def test_face_and_hands_keep_the_bodys_normals():
    body = standing_body()
    photo, figure = photo_with(), figure_of(mask_of(body.as_mesh()))
    seen = network_maps(photo, figure, body)
    assert seen is not None
    found, drawn = seen
    maps = normals_alone(found, drawn, body, CAMERA)
    assert maps.camera.width == maps.camera.height == SIZE
    np.testing.assert_allclose(np.linalg.norm(maps.front_normals, axis=2).max(), 1, atol=1e-5)
    pixels = maps.camera.project(body.vertices).astype(int)
    face = body_model().regions.face > 0.95
    x, y = pixels[face][body.vertices[face][:, 2].argmin()]  # of the nose
    nose = np.s_[y - 4 : y + 5, x - 4 : x + 5]
    alike = (maps.front_normals * drawn.front_normals).sum(2)[nose]
    assert np.median(alike) > 0.99
    assert np.median(alike) > np.median((found.front_normals * drawn.front_normals).sum(2)[nose])
    x, y = pixels[body_model().regions.part == TRUNK].mean(0).astype(int)
    for ours, theirs in (
        (maps.front_normals, found.front_normals), (maps.back_normals, found.back_normals)
    ):  # fmt: skip
        np.testing.assert_allclose(ours[y, x], theirs[y, x], atol=1e-6)


@pytest.mark.parametrize(("share", "side"), [(0.25, 192), (0.12, 128)])
def test_the_network_looks_at_small_people_in_fewer_pixels(share: float, side: int):
    body = standing_body()
    camera = CAMERA.scaled(share, round(CAMERA.width * share), round(CAMERA.height * share))
    whole = photo_with()
    pixels = cv2.resize(whole.pixels, (camera.width, camera.height))
    mask = mask_of(body.as_mesh(), camera)
    seen = network_maps(replace(whole, pixels=pixels, camera=camera), figure_of(mask), body)
    assert seen is not None
    assert seen[0].crop.size == side


def test_without_the_network_there_are_no_maps(monkeypatch):
    monkeypatch.setattr(MapsNetwork, "available", classmethod(lambda cls: False))
    body = standing_body()
    photo, figure = photo_with(), figure_of(mask_of(body.as_mesh()))
    assert network_maps(photo, figure, body) is None
    mesh = reconstruct_surface(photo, figure, body)
    assert is_closed_manifold(mesh.faces)
