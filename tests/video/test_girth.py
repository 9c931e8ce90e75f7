"""An avatar's girth from outlines, on a body in thick clothes that are known."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.fit.clothes import clothes_of
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.avatar import Avatar
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh
from vitruvian.types.motion import Motion
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG, TRUNK
from vitruvian.video.girth import Look, with_girth

CAMERA = Camera.from_fov(50, 360, 480)
THICK_M = 0.02
TIMES = 12


@pytest.fixture(scope="module")
def model():
    return body_model()


@pytest.fixture(scope="module")
def motion(model):
    """Somebody before the camera who lifts their arms a little."""
    pose = np.zeros((TIMES, len(model.parents), 3))
    pose[:, 0] = [np.pi, 0, 0]
    for time in range(TIMES):
        pose[time, model.joint_index["upperarm01.L"], 2] = 0.05 * time
    where = np.tile([0.0, 0.1, 2.8], (TIMES, 1))
    return Motion(
        times_s=np.arange(TIMES) / 10,
        pose=pose,
        translation=where,
        betas=np.zeros(10),
        joint_names=model.joint_names,
        frame="camera",
    )


@pytest.fixture(scope="module")
def cloth(model):
    """(V,) metres by which clothes stand off: on trunk and legs alone."""
    regions = model.regions
    return np.where(np.isin(regions.part, (TRUNK, LEFT_LEG, RIGHT_LEG)), THICK_M, 0.0)


def avatar_in(model, thickness) -> Avatar:
    vertices, _ = model.rest(np.zeros(10))
    normals = vertex_normals(vertices, model.faces)
    mesh = Mesh(
        vertices=(vertices + thickness[:, None] * normals).astype(np.float32),
        faces=model.faces,
        frame="body",
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    return Avatar(mesh, np.zeros(len(model.faces), np.uint8))


def clothes_in(model, avatar):
    clothes = clothes_of(model, model.rest(np.zeros(10))[1], avatar)
    assert clothes is not None
    return clothes


def matte_of(vertices, faces) -> np.ndarray:
    pixels = CAMERA.project(vertices)
    drawn = rasterize(pixels, vertices[:, 2], faces, CAMERA.width, CAMERA.height)
    return 255 * drawn.mask.astype(np.uint8)


def looks_at(model, motion, thickness, *, spoilt=()) -> list[Look]:
    """What a camera shows of clothes; in frames that are ``spoilt``, a box is beside them."""
    clothes = clothes_in(model, avatar_in(model, thickness))
    looks = []
    for time in range(TIMES):
        turns = matrix_from_axis_angle(motion.pose[time])
        matte = matte_of(clothes.posed(turns, motion.translation[time]), clothes.faces)
        if time in spoilt:
            columns = np.flatnonzero(matte.any(0))
            matte[240:300, columns.mean().astype(int) : columns.max() + 6] = 255
        looks.append(Look(time, Alpha(matte, 0, 0, *matte.shape[::-1]), CAMERA, None))
    return looks


def moved_out(model, before, after) -> np.ndarray:
    """(V,) metres along the normals."""
    normals = vertex_normals(before.mesh.vertices, model.faces)
    return ((after.mesh.vertices - before.mesh.vertices) * normals).sum(1)


@pytest.mark.parametrize("spoilt", [(), (1, 5, 9)])
def test_the_girth_is_that_of_most_outlines(model, motion, cloth, spoilt):
    before = avatar_in(model, np.zeros(len(cloth)))
    looks = looks_at(model, motion, cloth, spoilt=spoilt)
    after = with_girth(model, before, clothes_in(model, before), motion, looks)
    out = moved_out(model, before, after)
    rest = before.mesh.vertices
    shank = np.isin(model.regions.part, (LEFT_LEG, RIGHT_LEG)) & (abs(rest[:, 1] - 0.35) < 0.1)
    assert np.median(out[shank]) == pytest.approx(THICK_M, abs=0.006)
    hips = (model.regions.part == TRUNK) & (abs(rest[:, 1] - 0.95) < 0.06)
    assert np.median(out[hips & (abs(rest[:, 0]) > 0.12)]) > 0.4 * THICK_M
    assert np.abs(out[model.regions.hand > 0.9]).max() < 0.003
    assert np.abs(out[model.regions.face > 0.9]).max() < 0.003


def test_an_avatar_that_agrees_keeps_its_girth(model, motion, cloth):
    before = avatar_in(model, cloth)
    looks = looks_at(model, motion, cloth)
    after = with_girth(model, before, clothes_in(model, before), motion, looks)
    assert np.abs(moved_out(model, before, after)).mean() < 0.002


def test_without_an_outline_nothing_moves(model, motion, cloth):
    before = avatar_in(model, cloth)
    empty = Alpha(np.zeros((480, 360), np.uint8), 0, 0, 360, 480)
    after = with_girth(
        model, before, clothes_in(model, before), motion, [Look(0, empty, CAMERA, None)]
    )
    assert after is before
