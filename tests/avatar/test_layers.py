"""Somebody in clothes whose arms touch the trunk: the avatar wears them and comes apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surface_people import (
    CAMERA,
    alpha_of,
    arms_down_body,
    dressed,
    figure_of,
    iou,
    mask_of,
    photo_with,
)
from vitruvian.avatar import layered_avatar, photographed, surface_avatar
from vitruvian.avatar.skin import folds, soft_skin
from vitruvian.body.model.model import body_model
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.lab.evaluation.metrics.skinning import stretch
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.types.avatar import LAYERS, Avatar
from vitruvian.types.mesh import Mesh


@pytest.fixture(scope="module")
def sculpture() -> Mesh:
    clothes = dressed(arms_down_body(), 0.025)
    alpha = alpha_of(mask_of(clothes))
    return clothed_mesh(body_model(), clothes, alpha, CAMERA, fitted=arms_down_body().as_mesh())


@pytest.fixture(scope="module")
def avatar(sculpture: Mesh) -> Avatar:
    figure = figure_of(mask_of(sculpture))
    return layered_avatar(photo_with(), figure, arms_down_body(), sculpture, texture=False)


def test_it_is_in_its_owners_clothes(sculpture: Mesh, avatar: Avatar) -> None:
    posed = photographed(avatar.mesh, arms_down_body())
    truth = dressed(arms_down_body(), 0.025)
    regions = body_model().regions
    trunk = (regions.part == 0) & (truth.vertices[:, 2] < arms_down_body().vertices[:, 2] - 0.015)
    bare = np.linalg.norm(arms_down_body().vertices - truth.vertices, axis=1)[trunk].mean()
    off = np.linalg.norm(posed.vertices - truth.vertices, axis=1)[trunk]
    assert bare > 0.018
    assert off.mean() < 0.5 * bare
    assert iou(mask_of(posed), mask_of(sculpture)) > 0.94


def test_arms_come_off_the_trunk(sculpture: Mesh, avatar: Avatar) -> None:
    body = arms_down_body()

    def torn(rest: Mesh, before: Mesh) -> float:
        poses = [reposed(rest, body, pose.rotations) for pose in shown_poses(body.model)]
        return stretch(before.vertices, [pose.vertices for pose in poses], rest.faces).torn

    as_it_is = torn(surface_avatar(body, sculpture).mesh, sculpture)
    layered = torn(avatar.mesh, photographed(avatar.mesh, body))
    assert layered < 0.006
    assert layered < 0.25 * as_it_is


def test_hands_and_face_keep_the_bodys_shape(avatar: Avatar) -> None:
    body, regions = arms_down_body(), body_model().regions
    moved = avatar.mesh.vertices - body.rest()[0]
    for chosen in (regions.hand * (regions.part == 2) > 0.99, regions.face > 0.99):
        assert np.linalg.norm(moved[chosen] - moved[chosen].mean(0), axis=1).max() < 0.01


def test_the_soft_skin_adds_up_and_leaves_hands_alone() -> None:
    model = body_model()
    joints, weights = soft_skin(model)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    fingers = model.regions.hand > 0.999
    for v in np.flatnonzero(fingers)[::97]:
        found = np.bincount(joints[v], weights[v], len(model.parents))
        own = np.bincount(model.skin_joints[v], model.skin_weights[v], len(model.parents))
        np.testing.assert_allclose(found, own, atol=1e-4)


def test_folds_are_small_and_the_same_on_both_sides() -> None:
    model = body_model()
    found = folds(model)
    assert 0.01 < (found > 0.5).mean() < 0.1
    np.testing.assert_allclose(found[model.regions.mirror], found, atol=0.01)
    armpit = model.joint_template[model.joint_index["upperarm01.L"]] - [0.01, 0.1, 0]
    near = np.linalg.norm(model.template - armpit, axis=1) < 0.04
    assert found[near].mean() > 0.5
    assert found[model.regions.hand > 0.5].max(initial=0) == 0


def test_every_face_is_of_a_layer(sculpture: Mesh, avatar: Avatar) -> None:
    assert len(avatar.faces_of("body")) == len(body_model().faces)
    cut = surface_avatar(arms_down_body(), sculpture)
    assert len(cut.faces_of("surface")) == len(sculpture.faces)
    with pytest.raises(ValueError, match="layer must have shape"):
        replace(cut, layer=np.full(3, LAYERS.index("body"), np.uint8))
    with pytest.raises(ValueError, match="at rest"):
        Avatar(sculpture, cut.layer)
