"""Light that is known, taken out of colours that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_texturing import CAMERA, photograph, standing_mesh

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.texture import texture_mesh
from vitruvian.texture.light import (
    estimate_light,
    harmonics,
    linear_from_srgb,
    srgb_from_linear,
    without_light,
)
from vitruvian.texture.view import person_view


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_known_coefficients_are_found_across_two_cloths() -> None:
    rng = np.random.default_rng(0)
    normals = unit(rng.normal(size=(6000, 3)))
    places = rng.uniform(0, 1, (6000, 2))
    light = np.array([0.4, -0.5, 0.3, 0.1, 0, -0.05, 0.1, 0])
    dark = places[:, 1:] > 0.5
    albedo = np.where(dark, [0.02, 0.03, 0.06], [0.4, 0.35, 0.3])
    linear = albedo * np.exp(harmonics(normals) @ light)[:, None] * 0.5
    found = estimate_light(linear.astype(np.float32), normals, places)
    away = harmonics(normals) @ (found - light)
    assert np.std(away) < 0.2 * np.std(harmonics(normals) @ light)
    np.testing.assert_array_equal(found, estimate_light(linear.astype(np.float32), normals, places))


def test_dark_trousers_are_no_shadow() -> None:
    """Nothing is learnt of light where each cloth has normals of its own and no shading."""
    rng = np.random.default_rng(1)
    normals = unit(rng.normal(size=(4000, 3)))
    places = rng.uniform(0, 1, (4000, 2))
    down = normals[:, 1:2] > 0
    linear = np.where(down, [0.03, 0.03, 0.12], [0.5, 0.4, 0.3]).astype(np.float32)
    assert np.abs(harmonics(normals) @ estimate_light(linear, normals, places)).max() < 0.05


@pytest.mark.parametrize("count", [0, 100])
def test_too_few_points_are_left_alone(count: int) -> None:
    colors = np.full((count, 3), 0.2, np.float32)
    normals, places = unit(np.ones((count, 3))), np.zeros((count, 2))
    assert not estimate_light(colors, normals, places).any()


def test_srgb_there_and_back() -> None:
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(srgb_from_linear(linear_from_srgb(values)), values)
    np.testing.assert_array_equal(srgb_from_linear(np.array([-1.0, 2.0])), [0, 255])


def lit_person() -> tuple[np.ndarray, np.ndarray]:
    """Colours (V, 3) uint8 of a shirt over trousers, and the same lit strongly from one side."""
    plain = np.where(body_model().template[:, 1:2] > 1.0, [180, 90, 80], [60, 70, 120])
    normals = vertex_normals(standing_mesh().vertices, standing_mesh().faces)
    light = np.clip(normals @ np.array([-0.8, -0.4, -0.45], np.float32), 0, 1) + 0.25
    linear = linear_from_srgb(plain.astype(np.uint8)) * light[:, None]
    return plain.astype(np.uint8), srgb_from_linear(linear)


def test_a_texture_without_light_is_nearer_to_the_cloth() -> None:
    plain, lit = lit_person()
    mesh = standing_mesh()
    photo, figure = photograph(lit)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    toward = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    seen = (-(normals * toward).sum(1) > 0.4) & (body_model().components == 0)
    errors = []
    for albedo in (False, True):
        textured = texture_mesh(body_model(), photo, figure, mesh, albedo=albedo, size=512)
        assert textured.uvs is not None
        assert textured.uv_faces is not None
        assert textured.texture is not None
        corner = np.zeros(len(mesh.vertices), int)
        corner[mesh.faces.ravel()] = textured.uv_faces.ravel()
        at = np.clip((textured.uvs[corner] * [512, -512] + [0, 512]).astype(int), 0, 511)
        shown = np.log(linear_from_srgb(textured.texture[at[:, 1], at[:, 0]])[seen] + 0.003)
        off = shown - np.log(linear_from_srgb(plain)[seen] + 0.003)
        errors.append(np.abs(off - np.median(off)).mean())
    assert errors[1] < 0.6 * errors[0]


def test_only_the_person_changes() -> None:
    _, lit = lit_person()
    mesh = standing_mesh()
    photo, figure = photograph(lit)
    view = person_view(photo, figure.alpha, mesh, body_model().regions.part)
    assert view is not None
    done = without_light(view, mesh)
    beyond = ~np.isfinite(view.depth)
    np.testing.assert_array_equal(done.pixels[beyond], view.pixels[beyond])
    assert (done.pixels != view.pixels).any()
    assert done.camera == view.camera
    assert view.camera.width <= CAMERA.width
    nobody = replace(view, alpha=np.zeros_like(view.alpha))
    assert without_light(nobody, mesh) is nobody
