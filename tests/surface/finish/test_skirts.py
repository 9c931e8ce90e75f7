"""Cloth around both legs shares their skin; trousers and bare legs do not."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from surface_people import arms_down_body, figure_of, mask_of, photo_with, posed_body
from vitruvian.body.model.model import body_model
from vitruvian.lab.evaluation.reposing import repose
from vitruvian.surface import clothed, reconstruct_surface
from vitruvian.surface.finish.skirts import shared_legs
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG


@lru_cache(maxsize=2)
def outline(skirt: bool) -> np.ndarray:
    """Somebody's silhouette, with or without the room between the legs down to the shanks."""
    mesh = arms_down_body().as_mesh()
    mask = mask_of(mesh)
    if skirt:
        of_legs = np.isin(body_model().regions.part, (LEFT_LEG, RIGHT_LEG))[mesh.faces].all(1)
        legs = mask_of(replace(mesh, faces=mesh.faces[of_legs], uvs=None, uv_faces=None))
        rows = np.flatnonzero(legs.any(1))
        for row in range(rows[0], int(np.quantile(rows, 0.7))):
            columns = np.flatnonzero(legs[row])
            mask[row, columns[0] - 10 : columns[-1] + 11] = True
    return mask


@lru_cache(maxsize=2)
def surface(skirt: bool) -> Mesh:
    figure = figure_of(outline(skirt))
    return reconstruct_surface(photo_with(), figure, arms_down_body(), maps=False)


def shares(skirt: bool, body: Body | None = None) -> np.ndarray:
    mesh, body = surface(skirt), body or arms_down_body()
    assert mesh.body_vertices is not None
    return shared_legs(body_model(), mesh, mesh.body_vertices, body.as_mesh())


def test_bare_legs_share_nothing() -> None:
    assert not shares(False).any()


def test_a_skirt_shares_most_in_the_middle() -> None:
    mesh, share = surface(True), shares(True)
    assert share.min() >= 0
    assert share.max() <= 1
    center = (mesh.vertices[:, 0].min() + mesh.vertices[:, 0].max()) / 2
    aside = np.abs(mesh.vertices[:, 0] - center)
    part = body_model().regions.part[mesh.body_vertices]
    legs = np.isin(part, (LEFT_LEG, RIGHT_LEG))
    y = mesh.vertices[:, 1]
    low, high = np.quantile(y, [0.55, 0.75])
    cloth = legs & (y > low) & (y < high)
    assert share[cloth & (aside < 0.02)].mean() == pytest.approx(0.5, abs=0.08)
    assert share[cloth & (aside > 0.13)].mean() < 0.3
    assert share[~legs].max() == 0
    bottom = y > np.quantile(y, 0.97)  # the feet, y points down
    assert share[bottom].max() == 0


def test_a_skirt_tears_less_than_with_the_legs_own_skin(monkeypatch) -> None:
    _, shared = repose(surface(True), arms_down_body())
    monkeypatch.setattr(clothed, "shared_legs", lambda _, mesh, *__: np.zeros(len(mesh.vertices)))
    figure = figure_of(outline(True))
    alone = reconstruct_surface(photo_with(), figure, arms_down_body(), maps=False)
    _, torn = repose(alone, arms_down_body())
    assert shared.torn < 0.75 * torn.torn
    assert shared.edge_999 < torn.edge_999


def test_crossed_legs_are_no_skirt() -> None:
    crossed = posed_body(
        {"upperleg01.L": (0, 0, -0.35), "upperleg01.R": (0, 0, 0.35),
         "upperarm01.L": (0, 0, -0.62), "upperarm01.R": (0, 0, 0.62)}
    )  # fmt: skip
    mesh = surface(True)
    assert mesh.body_vertices is not None
    hanging = shared_legs(body_model(), mesh, mesh.body_vertices, crossed.as_mesh())
    assert (hanging > 0).sum() < 0.6 * (shares(True) > 0).sum()
