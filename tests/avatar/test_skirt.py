"""Somebody in a skirt that ends at the knees: the avatar has a tube around both legs."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from surface_people import (
    CAMERA,
    alpha_of,
    arms_down_body,
    dressed,
    figure_of,
    iou,
    is_closed_manifold,
    mask_of,
    photo_with,
)
from vitruvian.avatar import layered_avatar, photographed
from vitruvian.avatar.beneath import body_levels, out_of_sight
from vitruvian.avatar.between_legs import legs_apart
from vitruvian.avatar.chains import _beside_each_other
from vitruvian.avatar.closed_gap import closed_gap_hem
from vitruvian.avatar.height_map import ANGLES, at_angles, even_around
from vitruvian.avatar.outline import outline_hem
from vitruvian.avatar.skirt import Skirt, find_skirt
from vitruvian.avatar.tube import Axis
from vitruvian.body.model.clips import fitted_motions
from vitruvian.body.model.model import body_model
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.lab.evaluation.metrics.avatar import moved, poking
from vitruvian.lab.evaluation.metrics.skinning import stretch
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.types.avatar import LAYERS, Avatar
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

BODY = arms_down_body()


def in_a_skirt() -> np.ndarray:
    """(H, W) bool, the silhouette down to whose knees cloth spans both legs."""
    mask = mask_of(dressed(BODY, 0.015)).astype(np.uint8)
    hips, knees = (
        CAMERA.project(np.array([BODY.joint(f"{name}.{side}") for side in "LR"]))
        for name in ("upperleg01", "lowerleg01")
    )
    outward = np.array([[1, 0], [-1, 0]])
    corners = [*(hips + [[28, -20], [-28, -20]]), *(knees + 45 * outward)[::-1]]
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask > 0


def photo_of(hem: float) -> Photo:
    """Somebody whose skirt ends at a share of their thighs' length, and whose legs are bare."""
    photo = photo_with()
    pixels = np.empty_like(photo.pixels)
    hips, knees = (
        CAMERA.project(BODY.joint(f"{name}.L")[None])[0, 1] for name in ("upperleg01", "lowerleg01")
    )
    row = int(hips + hem * (knees - hips))
    pixels[:row], pixels[row:] = (70, 120, 210), (205, 160, 140)
    return replace(photo, pixels=pixels)


@pytest.fixture(scope="module")
def sculpture() -> Mesh:
    clothes = dressed(BODY, 0.015)
    alpha = alpha_of(in_a_skirt())
    return clothed_mesh(body_model(), clothes, alpha, CAMERA, fitted=BODY.as_mesh())


@pytest.fixture(scope="module")
def skirt(sculpture: Mesh) -> Skirt:
    found = find_skirt(BODY, sculpture, photo_of(1.0), figure_of(mask_of(sculpture)))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def avatar(sculpture: Mesh) -> Avatar:
    figure = figure_of(mask_of(sculpture))
    return layered_avatar(photo_of(1.0), figure, BODY, sculpture, texture=False)


def test_the_outline_tells_the_hem() -> None:
    plain = photo_with()
    assert outline_hem(plain, figure_of(in_a_skirt()), BODY) == pytest.approx(1.0, abs=0.1)
    # Wide trousers stand off down to the feet.
    assert outline_hem(plain, figure_of(mask_of(dressed(BODY, 0.05))), BODY) is None
    # Background between the legs is none of a skirt's.
    apart = in_a_skirt()
    columns, rows = np.rint(
        CAMERA.project(np.array([BODY.joint(f"upperleg01.{side}") for side in "LR"]))
    ).T.astype(int)
    middle = int(columns.mean())
    apart[rows.max() :, middle - 3 : middle + 4] = False
    assert outline_hem(plain, figure_of(apart), BODY) is None


def test_a_long_dress_is_told_by_the_gap_that_it_closes() -> None:
    photo = photo_with()
    photo = replace(photo, pixels=np.full_like(photo.pixels, 180))
    mask = mask_of(dressed(BODY, 0.01)).astype(np.uint8)
    hips, ankles = (
        CAMERA.project(np.array([BODY.joint(f"{name}.{side}") for side in "LR"]))
        for name in ("upperleg01", "foot")
    )
    narrow = mask.copy()
    cv2.fillConvexPoly(narrow, np.rint([*hips, *ankles[::-1]]).astype(np.int32), 1)
    assert closed_gap_hem(photo, figure_of(narrow > 0), BODY) == pytest.approx(1.95, abs=0.1)
    assert closed_gap_hem(photo, figure_of(mask > 0), BODY) is None  # trousers
    # A dark crease in the middle is between two legs.
    creased = photo.pixels.copy()
    columns = np.rint(np.linspace(hips.mean(0), ankles.mean(0), 400)).astype(int)
    for x, y in columns:
        creased[y, x - 2 : x + 3] = 60
    assert closed_gap_hem(replace(photo, pixels=creased), figure_of(narrow > 0), BODY) is None


def test_two_legs_are_told_by_what_shows_between_them() -> None:
    photo = photo_with()
    photo = replace(photo, pixels=np.full_like(photo.pixels, 180))
    whole = in_a_skirt()
    hips, knees = (
        CAMERA.project(np.array([BODY.joint(f"{name}.{side}") for side in "LR"])).mean(0)
        for name in ("upperleg01", "lowerleg01")
    )
    assert not legs_apart(photo, figure_of(whole), BODY, 1.0)
    creased, parted = photo.pixels.copy(), whole.copy()
    for step, (x, y) in enumerate(np.rint(np.linspace(hips, knees, 200)).astype(int)):
        creased[y, x - 2 : x + 3] = 60
        if step > 160:
            parted[y, x - 2 : x + 3] = False
    assert legs_apart(replace(photo, pixels=creased), figure_of(whole), BODY, 1.0)
    # Below wide shorts' crotch shows what is behind; so it does below a coat's slit.
    assert legs_apart(photo, figure_of(parted), BODY, 1.0)
    assert not legs_apart(photo, figure_of(parted), BODY, 1.0, slit=True)


def test_columns_divide_flat_rings_evenly() -> None:
    angles = (np.arange(ANGLES) / ANGLES * 2 - 1) * np.pi
    flat = 1 / np.hypot(np.cos(angles) / 0.2, np.sin(angles) / 0.07)  # an ellipse
    distance = np.repeat(flat[None], 8, 0)
    around = even_around(angles, distance)
    away = at_angles(angles, distance, around)
    ring = away[..., None] * np.stack([np.cos(around), np.sin(around)], -1)
    parts = np.linalg.norm(np.roll(ring, -1, 1) - ring, axis=2)
    assert parts.max() < 1.15 * parts.min()
    np.testing.assert_allclose(around[:, ANGLES // 2], 0, atol=1e-6)  # still at the left


def test_it_ends_where_its_colour_does(sculpture: Mesh) -> None:
    figure = figure_of(mask_of(sculpture))
    short = find_skirt(BODY, sculpture, photo_of(0.75), figure)
    assert short is not None
    assert short.hem == pytest.approx(0.75, abs=0.1)
    # What goes on below as it is above, in one outline, are trousers.
    legs = figure_of(mask_of(dressed(BODY, 0.015)))
    assert find_skirt(BODY, sculpture, photo_of(3.0), legs) is None
    assert find_skirt(BODY, sculpture) is not None


def test_it_ends_where_the_cloth_does(skirt: Skirt) -> None:
    assert skirt.hem == pytest.approx(1.0, abs=0.15)
    assert is_closed_manifold(skirt.faces)
    np.testing.assert_allclose(skirt.skin_weights.sum(1), 1, atol=1e-5)


def test_trousers_are_none() -> None:
    clothes = dressed(BODY, 0.015)
    alpha = alpha_of(mask_of(clothes))
    trousers = clothed_mesh(body_model(), clothes, alpha, CAMERA, fitted=BODY.as_mesh())
    assert find_skirt(BODY, trousers) is None


def test_it_looks_like_the_photograph(sculpture: Mesh, avatar: Avatar) -> None:
    assert iou(mask_of(photographed(avatar.mesh, BODY, avatar.chains)), mask_of(sculpture)) > 0.94


def test_it_does_not_tear_and_legs_stay_inside(avatar: Avatar, skirt: Skirt) -> None:
    posed = [
        reposed(avatar.mesh, BODY, pose.rotations, avatar.chains)
        for pose in shown_poses(BODY.model)
    ]
    before = photographed(avatar.mesh, BODY, avatar.chains)
    shell = avatar.faces_of("skirt")
    assert len(shell) == len(skirt.faces)
    assert stretch(before.vertices, [pose.vertices for pose in posed], shell).torn < 0.01
    # At rest no leg is outside of the shell.
    own = np.unique(avatar.faces_of("body"))
    levels, angles, distances = Axis.of(BODY.model, BODY.rest()[1]).of_points(avatar.mesh.vertices)
    on_legs = own[(levels[own] > 0.2) & (levels[own] < skirt.hem - 0.1)]
    on_legs = on_legs[BODY.model.regions.part[on_legs] > 3]
    outer = np.unique(shell)[: len(skirt.vertices) // 2]
    for v in on_legs[::7]:
        turned = np.abs((angles[outer] - angles[v] + np.pi) % (2 * np.pi) - np.pi)
        near = outer[np.argsort(turned + np.abs(levels[outer] - levels[v]))[:3]]
        assert distances[v] < distances[near].max()


def test_legs_that_walk_draw_it_along_and_stay_inside(avatar: Avatar, skirt: Skirt) -> None:
    motion = next(one for one in fitted_motions(avatar.mesh, BODY.rest()[1]) if one.name == "walk")
    keys = range(0, len(motion.times_s) - 1, 8)
    shell = avatar.faces_of("skirt")
    before = photographed(avatar.mesh, BODY, avatar.chains)
    outside = []
    for posed in moved(avatar.mesh, BODY, motion, keys, avatar.chains):
        assert stretch(before.vertices, [posed.vertices], shell).torn < 0.02
        outside.append(poking(shell, posed, BODY, skirt.hem))
    assert np.mean(outside) < 0.05
    # Without its chains the mesh has no pose.
    with pytest.raises(ValueError, match="chains"):
        moved(avatar.mesh, BODY, motion, keys)


def test_what_is_deep_beneath_is_left_out(avatar: Avatar, skirt: Skirt) -> None:
    gone = out_of_sight(BODY.model, skirt.hem)
    assert 0.03 < gone.mean() < 0.3
    assert len(avatar.faces_of("body")) == len(gone) - gone.sum()
    short = out_of_sight(BODY.model, 0.6)
    assert not (short & ~gone).any()


def test_tube_coordinates_lead_there_and_back() -> None:
    axis = Axis.of(BODY.model, BODY.joints)
    rng = np.random.default_rng(0)
    level, angle = rng.uniform(-0.3, 2, 300), rng.uniform(-3, 3, 300)
    distance = rng.uniform(0.05, 0.15, 300)
    found = axis.of_points(axis.points(level, angle, distance))
    assert np.abs(found[0] - level).mean() < 0.02
    np.testing.assert_allclose(found[1], angle, atol=0.03)
    np.testing.assert_allclose(found[2], distance, atol=0.005)
    left = axis.points(np.array([0.5]), np.array([0.0]), np.array([0.1]))[0]
    hips = [BODY.joint(f"upperleg01.{side}") for side in "LR"]
    assert np.linalg.norm(left - hips[0]) < np.linalg.norm(left - hips[1])


def test_legs_below_the_hem_are_not_of_its_colour(sculpture: Mesh) -> None:
    figure = figure_of(mask_of(sculpture))
    avatar = layered_avatar(photo_of(1.0), figure, BODY, sculpture)
    skirt = find_skirt(BODY, sculpture, photo_of(1.0), figure)
    mesh = avatar.mesh
    assert skirt is not None
    assert mesh.texture is not None
    assert mesh.uvs is not None
    assert mesh.uv_faces is not None
    level = body_levels(BODY.model)
    below = (level > skirt.hem + 0.06) & (level < skirt.hem + 0.3)
    faces = avatar.layer == LAYERS.index("body")
    faces &= np.append(below, np.zeros(len(mesh.vertices) - len(below), bool))[mesh.faces].all(1)
    side = len(mesh.texture)
    corners = mesh.uvs[mesh.uv_faces[faces].ravel()]
    x, y = np.floor(corners * side).astype(int).clip(0, side - 1).T
    colors = mesh.texture[side - 1 - y, x].astype(int)
    assert len(colors) > 500
    assert (colors[:, 0] > colors[:, 2]).mean() > 0.97  # the skirt is blue


def test_legs_that_cross_do_not_twist_the_skirt() -> None:
    straight = Axis.of(BODY.model, BODY.joints)
    levels = np.linspace(0.2, 1.9, 18)
    assert (_beside_each_other(straight, levels) > 0.9).all()
    below = straight.levels > 1.2
    legs = np.where(below[:, None, None], straight.legs[:, ::-1], straight.legs)
    over = _beside_each_other(replace(straight, legs=legs), levels)
    assert (over[levels < 1.1] > 0.9).all()
    assert (over[levels > 1.3] == 0).all()
