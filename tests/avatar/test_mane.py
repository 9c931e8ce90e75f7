"""Long hair: found in the picture, a volume before the back that turns with the head."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from surface_people import (
    CAMERA,
    arms_down_body,
    dressed,
    figure_of,
    is_closed_manifold,
    photo_with,
    posed_body,
    volume,
)
from vitruvian.avatar import layered_avatar
from vitruvian.avatar.clothed_body import clothed_body
from vitruvian.avatar.long_hair import LongHair, ears_and_chin, find_long_hair, nape
from vitruvian.avatar.mane import mane
from vitruvian.avatar.patch import Patch, with_patch
from vitruvian.body.model.model import body_model
from vitruvian.body.model.repose import reposed
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.stretch import TORN, largest_stretch
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

BODY = arms_down_body()
FALL_M, HALF_M = 0.2, 0.1
BROWN, SKIN, GREEN = (90, 55, 35), (215, 170, 145), (60, 120, 70)


def shown(body: Body) -> Mesh:
    """In clothes, with thick hair."""
    mesh, regions = dressed(body, 0.02), body_model().regions
    thick = 0.025 * regions.hair[:, None] * vertex_normals(mesh.vertices, mesh.faces)
    beneath = np.arange(len(mesh.vertices), dtype=np.int32)
    return replace(mesh.with_vertices(mesh.vertices + thick), body_vertices=beneath)


@lru_cache(maxsize=1)
def sculpture() -> Mesh:
    return shown(BODY)


def pictured(fall_m: float = FALL_M, body: Body = BODY) -> tuple[Photo, Figure]:
    """Somebody in green with brown hair that hangs beside the neck."""
    regions = body_model().regions
    mesh = shown(body)
    pixels = CAMERA.project(mesh.vertices)
    seen = rasterize(pixels, mesh.vertices[:, 2], mesh.faces, CAMERA.width, CAMERA.height)
    vertex = np.append(mesh.faces[:, 0], 0)[seen.face]
    face, head = (regions.face[vertex] > 0.5) & seen.mask, (regions.part == 1)[vertex] & seen.mask
    on_face = pixels[regions.face > 0.7]
    chin, middle = on_face[:, 1].max(), on_face[:, 0].mean()
    per_m = CAMERA.focal_px / mesh.vertices[:, 2].mean()
    row, column = np.mgrid[: CAMERA.height, : CAMERA.width]
    aside, below = np.abs(column - middle) / per_m, (row - chin) / per_m
    hanging = (aside < HALF_M) & (aside > 0.055) & (below > -0.12) & (below < fall_m) & ~face
    face &= (below > -0.13) & (aside < 0.055)  # a fringe, and hair before the temples
    photo = photo_with()
    colors = photo.pixels.astype(float)
    colors[seen.mask] = GREEN
    colors[head] = BROWN
    colors[face | (head & (below > -0.03))] = SKIN
    colors[hanging] = BROWN
    strands = np.random.default_rng(0).normal(0, 5, row.shape)[..., None]
    colors = np.clip(colors + strands, 0, 255).astype(np.uint8)
    return replace(photo, pixels=colors), figure_of(seen.mask | hanging)


@lru_cache(maxsize=1)
def found() -> LongHair:
    hair = find_long_hair(*pictured(), BODY, sculpture())
    assert hair is not None
    return hair


@lru_cache(maxsize=1)
def layers() -> tuple[Mesh, Patch]:
    rest = clothed_body(BODY, sculpture(), nape=nape(BODY))
    return rest, mane(rest, BODY, found())


def test_the_picture_says_how_far_it_falls_and_how_wide_it_is() -> None:
    hair = found()
    assert abs(hair.fall_m - FALL_M) < 0.04
    assert abs(hair.half_at(np.array(0.08)) - HALF_M) < 0.02
    brown = hair.colors(np.linspace(-0.1, 0.15, 20)[:, None], np.linspace(-0.3, 0.3, 30)[None])
    assert brown.shape == (20, 30, 3)
    assert np.abs(brown.astype(int) - BROWN).mean() < 15


def test_short_hair_and_who_is_turned_away_have_none() -> None:
    assert find_long_hair(*pictured(0.0), BODY, sculpture()) is None
    away = posed_body({"neck01": (0, 2.0, 0)})
    assert find_long_hair(*pictured(body=away), away, shown(away)) is None


def test_it_is_closed_before_nothing_but_the_back() -> None:
    rest, hair = layers()
    model = body_model()
    assert is_closed_manifold(hair.faces)
    assert 0.0003 < volume(hair.vertices, hair.faces) < 0.006
    _, chin = ears_and_chin(model, BODY.rest()[0])
    assert abs(chin - hair.vertices[:, 1].min() - found().fall_m) < 0.01
    low = hair.vertices[hair.vertices[:, 1] < chin - 0.1]
    trunk = rest.vertices[(model.regions.part == 0) & (model.components == 0)]
    for point in low[::7]:
        near = np.hypot(*(trunk[:, :2] - point[:2]).T) < 0.015
        if near.any():
            assert point[2] < trunk[near, 2].min() + 0.002
    assert np.abs(low[:, 0]).max() < HALF_M + 0.02


def test_it_turns_with_the_head_and_does_not_tear() -> None:
    rest, hair = layers()
    model = body_model()
    rest = replace(rest, body_vertices=np.arange(len(rest.vertices), dtype=np.int32))
    both = with_patch(rest, hair, (0.85, 0.0, 1.0, 0.85))
    own = both.faces[-len(hair.faces) :]
    turn = np.zeros((len(model.parents), 3))
    still = reposed(both, BODY, turn).vertices
    turn[model.joint_index["head"], 1] = 0.9
    moved = reposed(both, BODY, turn).vertices
    assert (largest_stretch(still, moved, own) < TORN).all()
    count = len(hair.vertices)
    gone = np.linalg.norm(moved - still, axis=1)[-count:]
    ears, chin = ears_and_chin(model, BODY.rest()[0])
    assert gone[hair.vertices[:, 1] > ears[1] + 0.05].min() > 0.02
    assert gone[hair.vertices[:, 1] < chin - 0.15].max() < 0.005


def test_an_avatar_has_it_as_a_layer_in_its_own_colours() -> None:
    photo, figure = pictured()
    avatar = layered_avatar(photo, figure, BODY, sculpture())
    assert avatar.layers == ("body", "hair")
    mesh = avatar.mesh
    assert mesh.texture is not None
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    uvs = mesh.uvs[np.unique(mesh.uv_faces[avatar.layer == avatar.layer.max()])]
    assert uvs[:, 0].min() > mesh.uvs[np.unique(mesh.uv_faces[avatar.layer == 0]), 0].max()
    side = len(mesh.texture)
    x, y = (uvs * side).astype(int).T
    shown = mesh.texture[np.clip(side - 1 - y, 0, side - 1), x]
    assert np.abs(shown.astype(int) - BROWN).mean() < 20
    assert avatar.severed == 0
