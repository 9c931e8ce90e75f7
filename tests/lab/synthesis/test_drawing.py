"""What is done for speed changes nothing: kept textures, light where it is seen, compiled loops."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.image.color import srgb_encoded
from vitruvian.lab.synthesis.accessories import carriers_of
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.drawing import _Texels, cast_shadows, gather, rasterize, shade
from vitruvian.lab.synthesis.garments import Garment, Look, body_regions
from vitruvian.lab.synthesis.lights import random_light
from vitruvian.lab.synthesis.packing import NO_DEPTH, stored_albedo, stored_depth
from vitruvian.lab.synthesis.parts import pose_anatomy
from vitruvian.lab.synthesis.people import Recipe, build_person
from vitruvian.types.camera import Camera


def test_kept_textures_are_found_again_even_after_a_clearing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Texels, "MOST", 40)
    rng = np.random.default_rng(0)
    images = [
        rng.integers(0, 256, (h, w, 4), np.uint8) for h, w in ((2, 3), (4, 4), (3, 5), (6, 5))
    ]
    texels = _Texels()
    handed = []
    for chosen in ([0, 1], [1, 2, 2], [3], [0, 3, 1], [2]):
        content, places = texels.hold([images[k] for k in chosen])
        handed.append((chosen, content, places))
    for chosen, content, places in handed:  # what was handed out before stays whole, too
        for k in chosen:
            start, height, width = places[id(images[k])]
            found = content[start : start + height * width].reshape(height, width, 4)
            np.testing.assert_array_equal(found, images[k])


def test_light_is_left_out_where_it_is_not_wanted_and_nowhere_else(library: AssetLibrary) -> None:
    garment = Garment("top", Look(tint=(0.3, 0.4, 0.5)), arms=0.9, bottom=0.6)
    person = build_person(Recipe(np.zeros(10), np.zeros((len(anatomy_joints()), 3)),
                                 garments=(garment,)), library, 64)  # fmt: skip
    matrix = np.diag([1.0, -1, -1, 1])
    matrix[:3, 3] = [0, 1, 3]
    geometry = gather([(1, part, matrix) for part in person.parts])
    light = random_light(np.random.default_rng(1), np.array([0, -1.0, 0]))
    shadows = cast_shadows(geometry, light, geometry.instance > 0, resolution=64, softness=0.01)
    samples = rasterize(geometry, Camera.centered(90.0, 64, 64, "given"), 2)
    whole = shade(geometry, samples, light, shadows, share=True)
    wanted = np.zeros((64, 64), bool)
    wanted[:, ::3] = True
    some = shade(geometry, samples, light, shadows, share=True, lit=wanted)
    assert (whole.color[wanted] > 0).any()
    np.testing.assert_array_equal(some.color[wanted], whole.color[wanted])
    assert not some.color[~wanted].any()
    np.testing.assert_array_equal(some.normals, whole.normals)
    np.testing.assert_array_equal(some.albedo, whole.albedo)


def anatomy_joints() -> tuple[str, ...]:
    from vitruvian.body.model.model import body_model

    return body_model().joint_names


def test_stored_depths_and_colours_are_those_of_the_plain_formulas() -> None:
    rng = np.random.default_rng(2)
    depth = rng.uniform(-5, 12, (9, 7, 2)).astype(np.float32)
    depth[2, 3] = np.inf
    depth[4, 4] = -np.inf
    expected = np.clip(np.round((depth - np.float32(3)) / np.float32(1e-4)), -32766, 32766)
    expected = np.where(np.isfinite(depth), expected, NO_DEPTH)
    np.testing.assert_array_equal(stored_depth(depth, 3.0), expected)
    coverage = rng.uniform(0, 1, (9, 7)).astype(np.float32)
    coverage[1] = 0
    linear = rng.uniform(0, 1.1, (9, 7, 3)) ** 3
    bytes_ = stored_albedo((linear * coverage[..., None]).astype(np.float32), coverage)
    slow = np.where(coverage[..., None] > 0, srgb_encoded(np.clip(linear, 0, 1)) * 255, 0)
    assert np.abs(bytes_ - slow).max() < 0.51


def test_carriers_are_the_weighted_mean_of_the_nearest_24(library: AssetLibrary) -> None:
    mesh = anatomy()
    pose = np.random.default_rng(3).normal(0, 0.3, (len(anatomy_joints()), 3))
    body = pose_anatomy(mesh, np.zeros(10), pose)
    skin = body_regions().skin[::20]
    points = body.rest[skin[::60]] + [0.01, 0.02, -0.01]
    found = carriers_of(body, skin, points)
    for point, carrier in zip(points, found, strict=True):
        apart = ((body.rest[skin].astype(float) - point) ** 2).sum(1)
        near = np.argsort(apart)[:24]
        weight = 1 / (apart[near] + 0.02**2)
        expected = np.tensordot(weight / weight.sum(), body.matrices[skin[near]], 1)
        np.testing.assert_allclose(carrier, expected, atol=1e-5)
