"""Hair on the sides of a head: to and fro, and only where the picture shows nothing."""

from __future__ import annotations

import numpy as np
from test_texturing import photograph, standing_mesh

from vitruvian.body.model.model import body_model
from vitruvian.texture import texture_mesh
from vitruvian.texture.side_hair import Strands


def test_strands_run_to_and_fro_between_the_ends_of_their_row():
    fine = np.zeros((3, 8, 3), np.float32)
    fine[1, 2:6] = np.arange(1, 5)[:, None]
    hair = np.zeros((3, 8), bool)
    hair[1, 2:6] = True
    even = 100 + fine
    strands = Strands.of(fine, even, hair, 10, 20, 1.0)
    assert strands is not None
    assert strands.top == 11
    columns = np.arange(19, 32, dtype=float)
    both = strands.at(np.full(len(columns), 11.0), columns)
    found = both[:, 0]
    assert (both[:, 3:] == 100 + both[:, :3]).all()
    assert found.tolist() == [4, 3, 2, 1, 2, 3, 4, 3, 2, 1, 2, 3, 4]
    # Half as many pixels of the strands to one of the window.
    wide = Strands.of(fine, even, hair, 10, 20, 0.5)
    assert wide is not None
    assert wide.at(np.array([12.0]), np.array([24.0]))[0, 0] == 1
    assert wide.at(np.array([12.0]), np.array([28.0]))[0, 0] == 3


def test_no_hair_has_no_strands():
    nothing = np.zeros((4, 4, 3), np.float32)
    assert Strands.of(nothing, nothing, np.zeros((4, 4), bool), 0, 0, 1.0) is None


def test_sides_of_a_head_have_the_strands_of_its_hair():
    """Hair with strands down: beside and above the ears is what only strands tell from a cap."""
    model = body_model()
    regions, mesh = model.regions, standing_mesh()
    stripes = np.where(np.sin(900 * model.template[:, 0]) > 0, 28, -28)[:, None]
    colors = np.full((len(regions.part), 3), (200, 150, 120))
    colors[regions.hair > 0.4] = (110, 80, 60)
    colors = np.where((regions.hair > 0.4)[:, None], colors + stripes, colors)
    photo, figure = photograph(colors.astype(np.uint8))
    result = texture_mesh(model, photo, figure, mesh)
    assert result.texture is not None
    ears = model.keypoints().template[[7, 8]].mean(0)
    side = (regions.hair > 0.8) & (abs(model.template[:, 0]) > 0.06)
    side &= (model.template[:, 2] < ears[2] + 0.01) & (model.template[:, 2] > ears[2] - 0.04)
    corners = side[model.faces].all(1)
    uvs = model.uvs[model.uv_faces[corners]].mean(1)
    size = len(result.texture)
    x, y = (uvs[:, 0] * size).astype(int), ((1 - uvs[:, 1]) * size).astype(int)
    grey = result.texture.astype(float).mean(2)
    around = [grey[y + dy, x + dx] for dy in (-3, 0, 3) for dx in (-3, 0, 3)]
    assert np.std(around, axis=0).mean() > 2.5


def test_sides_are_not_as_bright_as_the_outline_before_the_sky():
    """Light from behind at the rim of dark hair is no colour of the sides."""
    model = body_model()
    regions, mesh = model.regions, standing_mesh()
    hair = regions.hair > 0.4
    colors = np.full((len(regions.part), 3), (200, 150, 120))
    colors[hair] = (60, 45, 35)
    rim = hair & (abs(model.template[:, 0]) > 0.06)
    colors[rim] = (185, 175, 160)
    photo, figure = photograph(colors.astype(np.uint8))
    result = texture_mesh(model, photo, figure, mesh)
    assert result.texture is not None
    ears = model.keypoints().template[[7, 8]].mean(0)
    side = (regions.hair > 0.8) & (abs(model.template[:, 0]) > 0.06)
    side &= (model.template[:, 2] < ears[2] + 0.02) & (model.template[:, 2] > ears[2] - 0.03)
    corners = side[model.faces].all(1)
    uvs = model.uvs[model.uv_faces[corners]].mean(1)
    size = len(result.texture)
    x, y = (uvs[:, 0] * size).astype(int), ((1 - uvs[:, 1]) * size).astype(int)
    assert np.median(result.texture[y, x].astype(float).mean(1)) < 65
