"""Colours from a front and a back of one body whose true colours are known everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import CAMERA, figure_of, mask_of, photo_with, posed_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.atlas import texel_map
from vitruvian.geometry.render import render_mesh
from vitruvian.image.cielab import cielab
from vitruvian.image.color import srgb_decoded, srgb_encoded
from vitruvian.image.similarity import ssim
from vitruvian.texture import Shot, texture_mesh
from vitruvian.texture.fusion import light_gain
from vitruvian.texture.places import body_places
from vitruvian.texture.projection import Lookup
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_ARM, RIGHT_ARM, TRUNK

LIGHT = np.array([0.7, 0.8, 1.05])  # of the second picture, against the first


def true_colors() -> np.ndarray:
    """(V, 3) of a body in a suit that differs in front and behind, and meets at the sides."""
    model = body_model()
    points = model.template
    stripes = np.sin(points[:, 1] * 40)[:, None]
    depth = np.clip((points[:, 2:] - np.median(points[:, 2])) / 0.08, -1, 1)
    front = np.array([40.0, -30.0, -40.0]) * np.maximum(depth, 0)
    back = np.array([-50.0, 10.0, 60.0]) * np.maximum(-depth, 0)
    return np.clip(130 + front + back + 25 * stripes * np.abs(depth), 0, 255)


def painted(body: Body) -> Mesh:
    model = body_model()
    texels = texel_map(model.uvs, model.uv_faces, 512)
    colors = texels.interpolate(true_colors().astype(np.float32), model.faces)
    texture = texels.image(np.clip(colors + 0.5, 0, 255).astype(np.uint8))
    return replace(body.as_mesh(), uvs=model.uvs, uv_faces=model.uv_faces, texture=texture)


def shot(body: Body, light: np.ndarray | float = 1.0) -> Shot:
    """The painted body as its camera sees it."""
    mesh = painted(body)
    drawn = render_mesh(mesh, CAMERA, CAMERA.width, CAMERA.height, background=(90, 90, 90))
    linear = np.clip(srgb_decoded(drawn[..., :3] / 255) * light, 0, 1)
    pixels = (255 * srgb_encoded(linear) + 0.5).astype(np.uint8)
    figure = figure_of(mask_of(mesh))
    return Shot(replace(photo_with(), pixels=pixels), figure, body.as_mesh())


@pytest.fixture(scope="module")
def front() -> Shot:
    return shot(posed_body())


@pytest.fixture(scope="module")
def back() -> Shot:
    turned = posed_body({"upperarm01.L": (0, 0, -0.3), "upperarm01.R": (0, 0, 0.3)})
    model = body_model()
    pose = turned.pose.copy()
    pose[0] = [0, 0, np.pi]  # about the view, upside up again, and the back to the camera
    posed = model.forward(turned.betas, pose, np.array([0.0, -0.1, 3.0]))
    return shot(replace(turned, pose=pose, vertices=posed.vertices, joints=posed.joints), LIGHT)


def texture(front: Shot, *others: Shot) -> Mesh:
    return texture_mesh(body_model(), front.photo, front.figure, front.mesh, size=512, also=others)


def from_behind(mesh: Mesh) -> np.ndarray:
    """RGBA at a height of 64 pixels."""
    turned = mesh.vertices * [-1, 1, -1] + [0, 0, 6.6]
    camera = CAMERA.scaled(64 / CAMERA.height, 46, 64)
    return render_mesh(mesh.with_vertices(turned), camera, 46, 64, supersample=4)


def error(mesh: Mesh, truth: Mesh) -> tuple[float, float]:
    """L1 in CIELAB and SSIM of the back."""
    ours, theirs = from_behind(mesh), from_behind(truth)
    mask = theirs[..., 3] > 250
    difference = np.abs(cielab(ours[..., :3]) - cielab(theirs[..., :3]))[mask].mean()
    return float(difference), ssim(ours[..., :3], theirs[..., :3], mask)


def test_the_back_comes_from_the_picture_of_the_back(front: Shot, back: Shot) -> None:
    truth = painted(posed_body())
    one, several = texture(front), texture(front, back)
    (difference, likeness), (fused, alike) = error(one, truth), error(several, truth)
    assert difference > 8
    assert fused < 0.3 * difference
    assert alike > 0.9 > likeness


def test_the_front_stays_that_of_the_first_picture(front: Shot, back: Shot) -> None:
    one, several = texture(front), texture(front, back)
    ahead = [render_mesh(mesh, CAMERA.scaled(0.2, 128, 180), 128, 180) for mesh in (one, several)]
    mask = ahead[0][..., 3] > 250
    off = np.abs(ahead[0][mask].astype(int) - ahead[1][mask])
    assert np.median(off) == 0
    assert np.quantile(off, 0.95) < 12


def test_a_picture_that_shows_nothing_changes_nothing(front: Shot, back: Shot) -> None:
    far = replace(back, mesh=back.mesh.with_vertices(back.mesh.vertices + [100, 0, 0]))
    np.testing.assert_array_equal(texture(front, far).texture, texture(front).texture)
    empty = figure_of(mask_of(back.mesh))
    empty = replace(empty, alpha=replace(empty.alpha, values=np.zeros_like(empty.alpha.values)))
    hidden = replace(back, figure=empty)
    np.testing.assert_array_equal(texture(front, hidden).texture, texture(front).texture)


def test_light_is_matched_where_both_show_the_same() -> None:
    places = body_places(body_model())
    rng = np.random.default_rng(3)
    colors = rng.uniform(60, 180, (len(places.part), 3)).astype(np.float32)
    seen = np.ones(len(colors), np.float32)
    linear = srgb_decoded(colors / 255) * LIGHT
    darker = np.asarray(255 * srgb_encoded(linear), np.float32)
    none = np.zeros_like(seen)
    gain = light_gain(
        Lookup(colors, colors, seen, none), Lookup(darker, darker, seen, none), places
    )
    np.testing.assert_allclose(gain, 1 / LIGHT, rtol=0.02)
    # Nothing in common: nothing is known of the light.
    gain = light_gain(
        Lookup(colors, colors, seen, none), Lookup(darker, darker, none, none), places
    )
    np.testing.assert_array_equal(gain, 1)


def test_arms_in_other_colours_are_those_of_the_first_picture(front: Shot, back: Shot) -> None:
    green = replace(back.photo, pixels=np.full_like(back.photo.pixels, (20, 220, 30)))
    model = body_model()
    before, after = (texture(front, *more).texture for more in ((), (replace(back, photo=green),)))
    uv = np.zeros((len(model.template), 2))
    uv[model.faces.ravel()] = model.uvs[model.uv_faces.ravel()]
    columns, rows = (uv * [512, -512] + [0, 512]).astype(int).clip(0, 511).T
    changed = np.abs(after[rows, columns].astype(int) - before[rows, columns]).max(1) > 60
    arms = np.isin(model.regions.part, (LEFT_ARM, RIGHT_ARM)) & (model.components == 0)
    assert changed[model.regions.part == TRUNK].mean() > 0.2
    assert changed[arms].mean() < 0.05
