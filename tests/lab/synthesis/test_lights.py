"""Photographed light stays what it is when it is turned, and deep folds are darker in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.drawing import cast_shadows, gather, rasterize, shade
from vitruvian.lab.synthesis.garments import Garment, Look
from vitruvian.lab.synthesis.lights import environments, photographed_light, quadratic
from vitruvian.lab.synthesis.people import Recipe, build_person
from vitruvian.lab.synthesis.wrinkles import random_wrinkles
from vitruvian.types.camera import Camera


def test_places_are_lit_like_places() -> None:
    places = environments()
    assert len(places.harmonics) >= 20
    np.testing.assert_allclose(np.linalg.norm(places.lamp_directions, axis=1), 1, atol=1e-5)
    above, below = (
        np.einsum("k,ekc->ec", quadratic(np.array([[0.0, y, 0.0]]))[0], places.harmonics)
        for y in (1, -1)
    )
    assert (above.mean(1) > below.mean(1)).mean() > 0.75  # skies and ceilings
    assert (places.lamp_colors >= 0).all()


def test_turned_light_is_the_same_from_above_and_below() -> None:
    # Whatever way it is turned about up, up and the lamp's height above the horizon stay.
    up = np.array([0.1, -0.9, 0.2]) / np.linalg.norm([0.1, -0.9, 0.2])
    light = photographed_light(np.random.default_rng(5), up, 3)
    places = environments()
    seen = quadratic(up[None]) @ light.harmonics
    known = np.einsum("k,ekc->ec", quadratic(np.array([[0.0, 1, 0]]))[0], places.harmonics)
    ratio = seen / known
    place = np.ptp(ratio, axis=1).argmin()  # brighter or darker, in all colours alike
    assert np.ptp(ratio[place]) < 1e-3
    height = float(light.lamp_directions[0] @ up)
    assert abs(height - places.lamp_directions[place, 1]) < 1e-4


def test_deep_folds_are_darker_and_their_normals_stay(library: AssetLibrary) -> None:
    wrinkles = random_wrinkles(np.random.default_rng(3), 0.4, 2)
    pictures = []
    for crease in (0.0, 60.0):
        look = Look(tint=(0.4, 0.4, 0.4), wrinkles=wrinkles, crease=crease)
        garment = Garment("top", look, arms=0.9, bottom=0.6)
        recipe = Recipe(
            np.zeros(10), np.zeros((len(body_model().joint_names), 3)), garments=(garment,)
        )
        person = build_person(recipe, library, 64)
        matrix = np.diag([1.0, -1, -1, 1])
        matrix[:3, 3] = [0, 1.2, 1.6]
        geometry = gather([(1, part, matrix) for part in person.parts])
        light = photographed_light(np.random.default_rng(1), np.array([0, -1.0, 0]), 4)
        light = replace(light, lamp_colors=np.zeros_like(light.lamp_colors))
        shadows = cast_shadows(geometry, light, geometry.instance > 0, resolution=64)
        samples = rasterize(geometry, Camera.centered(60.0, 96, 96, "given"), 1)
        pictures.append(shade(geometry, samples, light, shadows))
    plain, creased = pictures
    np.testing.assert_array_equal(plain.normals, creased.normals)
    np.testing.assert_array_equal(plain.albedo, creased.albedo)
    lit = plain.color[..., 1] > 1e-3
    change = creased.color[..., 1][lit] / plain.color[..., 1][lit]
    assert np.percentile(change, 5) < 0.85
    assert np.percentile(change, 95) < 1.2
