"""Whether cloth joins the legs, from pictures of normals whose owner's clothes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import (
    CAMERA,
    alpha_of,
    arms_down_body,
    mask_of,
    standing_body,
)
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.maps import SurfaceMaps
from vitruvian.surface.volume.clothed_spans import clothed_spans
from vitruvian.surface.volume.drape import hidden_pixels
from vitruvian.surface.volume.joined_legs import joined_down_to
from vitruvian.surface.volume.limbs import along_legs
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh


def maps_of(mesh: Mesh) -> SurfaceMaps:
    """The true normals of a mesh's front and back."""
    normals, pixels, depth = (
        vertex_normals(mesh.vertices, mesh.faces),
        CAMERA.project(mesh.vertices),
        mesh.vertices[:, 2],
    )
    sides = [
        rasterize(pixels, values, mesh.faces, CAMERA.width, CAMERA.height).interpolate(
            normals, mesh.faces
        )
        for values in (depth, 1 / depth)
    ]
    return SurfaceMaps(CAMERA, *sides)


def skirted(body: Body, hem: float) -> tuple[SurfaceMaps, np.ndarray]:
    """The normals of a body in an oval skirt down to a row of the picture, and its mask."""
    maps, mask = maps_of(body.as_mesh()), mask_of(body.as_mesh())
    rows = np.arange(CAMERA.height)[:, None] + 0.5
    columns = np.arange(CAMERA.width)[None, :] + 0.5
    middle = CAMERA.project(body.joints[:1])[0]
    half = 75.0
    within = (rows > middle[1] - 20) & (rows < hem) & (np.abs(columns - middle[0]) < half)
    sideways = np.clip((columns - middle[0]) / half, -1, 1) * np.ones_like(rows)
    ahead = np.sqrt(1 - sideways**2)
    for normals, sign in ((maps.front_normals, -1), (maps.back_normals, 1)):
        skirt = np.stack([sideways, 0 * ahead, sign * ahead], axis=-1)
        normals[within] = skirt[within]
    return maps, mask | within


def test_bare_legs_are_two_from_the_crotch_on() -> None:
    body = standing_body().as_mesh()
    found = joined_down_to(body_model(), body, maps_of(body), mask_of(body), CAMERA)
    assert found is not None
    assert found < 0.45


@pytest.mark.parametrize("hem", [0.7, 1.0, 1.4])
def test_a_skirt_joins_them_down_to_its_hem(hem: float) -> None:
    body = standing_body()
    along = along_legs(body_model())
    ring = np.abs(along - hem) < 0.03
    row = CAMERA.project(body.vertices[ring].mean(0, keepdims=True))[0, 1]
    maps, mask = skirted(body, float(row))
    found = joined_down_to(body_model(), body.as_mesh(), maps, mask, CAMERA)
    assert found == pytest.approx(hem, abs=0.12)


def test_a_floor_length_one_joins_them_to_the_end() -> None:
    maps, mask = skirted(standing_body(), CAMERA.height)
    body = standing_body().as_mesh()
    assert joined_down_to(body_model(), body, maps, mask, CAMERA) == 2


def test_it_goes_over_the_feet_where_garments_are_seen_there() -> None:
    maps, mask = skirted(standing_body(), CAMERA.height)
    body = standing_body().as_mesh()
    for cloth, expected in ((np.ones(mask.shape), 3), (np.zeros(mask.shape), 2)):
        seen = replace(maps, cloth=cloth.astype(np.float32))
        assert joined_down_to(body_model(), body, seen, mask, CAMERA) == expected


def test_from_beside_nothing_is_told() -> None:
    body = standing_body().as_mesh()
    center = body.vertices.mean(0)
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    beside = body.with_vertices((body.vertices - center) @ turn.T + center)
    found = joined_down_to(body_model(), beside, maps_of(beside), mask_of(beside), CAMERA)
    assert found is None


def test_it_goes_with_the_spans() -> None:
    body = arms_down_body().as_mesh()
    alpha = alpha_of(mask_of(body))
    spans = clothed_spans(body_model(), body, alpha, CAMERA, maps_of(body), 96)
    assert spans is not None
    assert spans.joined is not None
    without = clothed_spans(body_model(), body, alpha, CAMERA, None, 96)
    assert without is not None
    assert without.joined is None


def test_levels_of_the_legs() -> None:
    along, regions = along_legs(body_model()), body_model().regions
    assert along.min() == 0
    assert along.max() == 2
    assert (along[regions.head > 0.5] == 0).all()
    np.testing.assert_allclose(along, along[body_model().vertex_mirror], atol=0.02)


def test_a_skirt_hides_the_legs_however_tight_it_is() -> None:
    body = standing_body()
    fitted = body.as_mesh()
    mask = mask_of(fitted)
    pixel_m = 3.3 / CAMERA.focal_px
    bare, skirted_ = (
        hidden_pixels(body_model(), fitted, fitted, mask, CAMERA, pixel_m, joined)
        for joined in (0.3, 1.5)
    )
    assert bare.share.max() == 0
    knees = CAMERA.project(fitted.vertices[np.abs(along_legs(body_model()) - 1) < 0.03])
    row = int(knees[:, 1].mean())
    assert skirted_.bridged[row]
    assert skirted_.share[row][mask[row]].min() > 0.95
    feet = int(CAMERA.project(fitted.vertices)[:, 1].max()) - 12
    assert not skirted_.bridged[feet]
    assert skirted_.share[feet][mask[feet]].max() == 0
