"""The maps network on windows that are not square."""

from __future__ import annotations

import numpy as np
import pytest

from surface_people import CAMERA, mask_of, standing_body
from vitruvian.geometry.normals import vertex_normals
from vitruvian.networks.maps import MapsCrop, MapsNetwork, draw_body, occupied


def test_a_part_of_the_square_gives_the_same_normals_well_inside() -> None:
    body = standing_body()
    mesh = body.as_mesh()
    crop = MapsCrop(-120, 5, 880, 256)
    mask = crop.extract(mask_of(mesh).astype(np.uint8) * 255)
    pixels = np.full((256, 256, 3), 110, np.uint8)
    pixels[mask > 0] = (160, 120, 100)
    inside = crop.inside(CAMERA.width, CAMERA.height)
    normals = vertex_normals(mesh.vertices, mesh.faces)

    def drawn(left: int, width: int):  # type: ignore[no-untyped-def]
        window = crop.camera(CAMERA).window(left, 0, 1, width, 256)
        root = float(body.translation[2])
        return draw_body(mesh.vertices, mesh.faces, normals, window, root, body.height_m)

    network = MapsNetwork()
    whole = network.normals(pixels, mask, drawn(0, 256), inside)
    square = network(pixels, mask, drawn(0, 256), crop, inside)
    np.testing.assert_allclose(whole[0], square.front_normals, atol=1e-6)
    np.testing.assert_allclose(whole[1], square.back_normals, atol=1e-6)
    part = np.s_[:, 32:224]
    some = network.normals(pixels[part], mask[part], drawn(32, 192), inside[part])
    trunk = np.s_[60:130, 110:146]
    for ours, theirs in zip(some, whole, strict=True):
        cosine = (ours[60:130, 78:114] * theirs[trunk]).sum(2)
        assert np.median(cosine) > np.cos(np.deg2rad(3))


def test_sides_must_be_what_the_network_takes() -> None:
    with pytest.raises(ValueError, match="32 n"):
        MapsNetwork().normals(
            np.zeros((64, 50, 3), np.uint8),
            np.zeros((64, 50), np.uint8),
            None,
            np.ones((64, 50)),  # type: ignore[arg-type]
        )


def test_a_person_is_looked_at_alone_and_comes_back_in_the_square() -> None:
    body = standing_body()
    mesh = body.as_mesh()
    mask = mask_of(mesh).astype(np.uint8) * 255
    pixels = np.full((*mask.shape, 3), 110, np.uint8)
    pixels[mask > 0] = (160, 120, 100)
    root = float(body.translation[2])
    maps, drawn = MapsNetwork().person(pixels, CAMERA, mask, mesh, root, body.height_m, 256)
    inside = maps.crop.inside(CAMERA.width, CAMERA.height)
    crop = maps.crop.extract(pixels, 127), maps.crop.extract(mask)
    square = MapsNetwork()(*crop, drawn, maps.crop, inside)
    rows, columns = occupied(maps.crop.camera(CAMERA).project(mesh.vertices), crop[1])
    assert columns.stop - columns.start < 256
    beyond = np.ones((256, 256), bool)
    beyond[rows, columns] = False
    assert not beyond[crop[1] > 127].any()
    assert not maps.alpha[beyond].any()
    assert not maps.front_normals[beyond].any()
    assert not maps.parts[beyond].any()
    np.testing.assert_array_equal(maps.back_depth[beyond], drawn.back_depth[beyond])
    seen = square.alpha > 0.5
    for ours, theirs in (
        (maps.front_normals, square.front_normals),
        (maps.back_normals, square.back_normals),
    ):
        assert np.median((ours * theirs).sum(2)[seen]) > np.cos(np.deg2rad(3))
