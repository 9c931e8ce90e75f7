"""Light of the front is not the back's: broad shading goes, cloths and patterns stay."""

from __future__ import annotations

import numpy as np
from test_texturing import photograph, standing_mesh

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.texture.even_light import evened, light_of
from vitruvian.texture.places import body_places
from vitruvian.texture.view import View, person_view
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG, TRUNK

SHIRT, TROUSERS = np.array([190.0, 120, 100]), np.array([60.0, 70, 90])


def lit(shade: float) -> tuple[View, np.ndarray]:
    """Somebody in a shirt and trousers in light from their side, and the light that is found."""
    model, mesh = body_model(), standing_mesh()
    normals = vertex_normals(mesh.vertices, mesh.faces)
    legs = np.isin(model.regions.part, (LEFT_LEG, RIGHT_LEG))[:, None]
    colors = np.where(legs, TROUSERS, SHIRT) * (1 + shade * normals[:, :1])
    photo, figure = photograph(np.clip(colors, 0, 255).astype(np.uint8))
    view = person_view(photo, figure.alpha, mesh, body_places(model).part)
    assert view is not None
    return view, light_of(view, mesh, normals)


def inner(view: View, *parts: int) -> np.ndarray:
    return np.isin(view.part, parts) & (view.alpha > 250)


def test_light_from_one_side_goes():
    view, light = lit(0.4)
    even = evened(view.pixels, light)
    for parts in ((TRUNK,), (LEFT_LEG, RIGHT_LEG)):
        there = inner(view, *parts)
        before, after = (np.log(p[there].mean(1) + 1.0).std() for p in (view.pixels, even))
        assert after < 0.4 * before


def test_cloths_keep_their_own_brightness():
    view, light = lit(0.4)
    even = evened(view.pixels, light).astype(float)
    assert np.abs(np.median(even[inner(view, TRUNK)], axis=0) - SHIRT).max() < 20
    legs = np.median(even[inner(view, LEFT_LEG, RIGHT_LEG)], axis=0)
    assert np.abs(legs - TROUSERS).max() < 12


def test_even_light_stays_as_it_is():
    view, light = lit(0.0)
    there = inner(view, TRUNK, LEFT_LEG, RIGHT_LEG)
    off = np.abs(evened(view.pixels, light)[there].astype(int) - view.pixels[there])
    assert np.percentile(off, 90) <= 6


def test_a_pattern_stays():
    model, mesh = body_model(), standing_mesh()
    normals = vertex_normals(mesh.vertices, mesh.faces)
    photo, figure = photograph(np.full((len(normals), 3), 120, np.uint8))
    photo.pixels[(np.arange(photo.height) // 4) % 2 == 0] //= 2
    view = person_view(photo, figure.alpha, mesh, body_places(model).part)
    assert view is not None
    even = evened(view.pixels, light_of(view, mesh, normals)).astype(float)
    trunk = inner(view, TRUNK)
    rows = np.flatnonzero(trunk.sum(1) > 20)[5:-5]

    def stripes(picture: np.ndarray) -> float:
        means = np.array([picture[y][trunk[y]].mean() for y in rows])
        return float(np.abs(np.diff(means)).max())

    assert stripes(even) > 0.75 * stripes(view.pixels.astype(float))


def test_nobody_has_no_light():
    view, _ = lit(0.3)
    nobody = view.__class__(**{**view.__dict__, "alpha": np.zeros_like(view.alpha)})
    mesh = standing_mesh()
    assert not light_of(nobody, mesh, vertex_normals(mesh.vertices, mesh.faces)).any()
