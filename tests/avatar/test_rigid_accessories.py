"""What somebody carries: no bulge of their clothes, and a rigid piece on the bone that holds it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from surface_people import (
    CAMERA,
    arms_down_body,
    dressed,
    figure_of,
    is_closed_manifold,
    mask_of,
    photo_with,
    volume,
)
from vitruvian.avatar import layered_avatar, photographed
from vitruvian.avatar.accessories import accessories_of
from vitruvian.avatar.clothed_body import clothed_body
from vitruvian.avatar.patch import Patch
from vitruvian.avatar.things import Things
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.texture.carried import Carried
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

BAG = 180, 40, 30
BODY = arms_down_body()
SIZE_M = np.array([0.22, 0.26, 0.1])
WRIST = BODY.model.joint_index["wrist.L"]


@lru_cache(maxsize=1)
def box() -> Mesh:
    """A bag that hangs from the left hand."""
    hand = BODY.joints[WRIST]
    center = np.array([hand[0] + 0.06, hand[1] + 0.24, hand[2] - 0.02])
    corners = np.array(np.meshgrid(*3 * [[-0.5, 0.5]], indexing="ij")).reshape(3, -1).T
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Mesh((center + corners * SIZE_M).astype(np.float32), np.array(faces, np.int32), "camera")


@lru_cache(maxsize=1)
def scene() -> tuple[Photo, Mesh]:
    """Somebody in grey with a red bag, and the surface of both."""
    clothes = dressed(BODY, 0.02)
    vertices = np.concatenate([clothes.vertices, box().vertices])
    faces = np.concatenate([clothes.faces, box().faces + len(clothes.vertices)]).astype(np.int32)
    index = np.arange(len(clothes.vertices))
    beneath = np.concatenate([index, np.zeros(8, int)]).astype(np.int32)
    photo = photo_with()
    pixels = photo.pixels.copy()
    pixels[mask_of(box())] = BAG
    shown = Photo(pixels, "bag", None, CAMERA, None, (CAMERA.width, CAMERA.height))
    return shown, Mesh(vertices, faces, "camera", body_vertices=beneath)


@lru_cache(maxsize=1)
def pieces() -> Patch:
    photo, sculpture = scene()
    carried = Carried(255 * mask_of(box()).astype(np.uint8), CAMERA)
    found = accessories_of(photo, figure_of(mask_of(sculpture)), BODY, sculpture, carried)
    assert found is not None
    return found


def test_a_bag_is_one_closed_piece_of_about_its_size_on_the_hand() -> None:
    found = pieces()
    assert is_closed_manifold(found.faces)
    assert set(found.skin_joints[:, 0].tolist()) == {WRIST}
    apart = found.vertices[:, None] - found.vertices[::7]
    across = float(np.linalg.norm(SIZE_M[:2]))
    assert np.linalg.norm(apart, axis=2).max() == pytest.approx(across, abs=0.06)
    assert 0.4 < volume(found.vertices, found.faces) / np.prod(SIZE_M) < 1.3


def test_it_has_the_pictures_colours_to_its_rim() -> None:
    picture = pieces().picture
    np.testing.assert_allclose(picture, np.broadcast_to(BAG, picture.shape), atol=2)


def test_clothes_do_not_bulge_where_it_is() -> None:
    _, sculpture = scene()
    things = np.arange(len(sculpture.vertices)) >= len(BODY.vertices)
    bulging = sculpture.vertices.copy()
    root, points = BODY.joints[0], BODY.vertices
    away = np.linalg.norm((points - root)[:, :2], axis=1)
    front = (away < 0.1) & (points[:, 2] < root[2])
    bulging[: len(points), 2] -= (0.05 * front * (1 - away / 0.1)).astype(np.float32)
    of_bulge = np.append(front, np.zeros(8, bool)) | things
    with_it, without = (
        photographed(clothed_body(BODY, sculpture.with_vertices(bulging), things=one), BODY)
        for one in (None, of_bulge)
    )
    moved = (with_it.vertices - without.vertices)[front & (away < 0.04), 2]
    assert moved.mean() < -0.015


def test_an_avatar_keeps_it_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, sculpture = scene()
    carried = Carried(255 * mask_of(box()).astype(np.uint8), CAMERA)
    of_it = np.arange(len(sculpture.vertices)) >= len(BODY.vertices)
    monkeypatch.setattr(Things, "of", staticmethod(lambda *_: Things(carried, of_it)))
    figure = figure_of(mask_of(sculpture))
    left, kept = (
        layered_avatar(photo, figure, BODY, sculpture, texture=keep, accessories=keep)
        for keep in (False, True)
    )
    assert left.layers == ("body",)
    assert kept.layers == ("body", "accessory")
    assert len(left.faces_of("body")) == len(kept.faces_of("body"))
    mesh = kept.mesh
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    assert mesh.texture is not None
    own = mesh.uv_faces[-len(kept.faces_of("accessory")) :]
    place = np.floor(mesh.uvs[own.ravel()] * 1024).astype(int)
    red = mesh.texture[1023 - place[:, 1], place[:, 0]]
    np.testing.assert_allclose(red, np.broadcast_to(BAG, red.shape), atol=12)
    corners = np.unique(kept.faces_of("accessory"))
    shape = np.linalg.norm(mesh.vertices[corners] - mesh.vertices[corners[0]], axis=1)
    for pose in shown_poses(BODY.model):
        posed = reposed(mesh, BODY, pose.rotations).vertices[corners]
        np.testing.assert_allclose(np.linalg.norm(posed - posed[0], axis=1), shape, atol=1e-4)
