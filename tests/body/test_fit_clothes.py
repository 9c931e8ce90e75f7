"""Outlines of clothes that are known tell where the body in them is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.fit.clothes import clothes_of
from vitruvian.body.fit.motion import fit_motion
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.views import View
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.avatar import Avatar
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

THICK_M = 0.08


@pytest.fixture(scope="module")
def worn():
    """Somebody all of whose left side, trunk and legs, is in thick clothes: what a camera sees of
    them, its landmarks too far to that side, and the clothes."""
    model = body_model()
    betas, rotations, translation = random_body(5)
    figure, _ = photograph(betas, rotations, translation)
    vertices, joints = model.rest(betas)
    left = (vertices[:, 0] > 0.05) & ~np.isin(model.regions.part, (2, 3))
    cloth = np.where(left, THICK_M, 0.0)[:, None] * [1.0, 0, 0]
    mesh = Mesh(
        vertices=(vertices + cloth).astype(np.float32),
        faces=model.faces,
        frame="body",
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    clothes = clothes_of(model, joints, Avatar(mesh, np.zeros(len(mesh.faces), np.uint8)))
    assert clothes is not None
    seen = clothes.posed(rotations, translation)
    size = CAMERA.width, CAMERA.height
    drawn = rasterize(CAMERA.project(seen), seen[:, 2], clothes.faces, *size)
    alpha = Alpha(255 * drawn.mask.astype(np.uint8), 0, 0, *size)
    marks = figure.landmarks
    marks = replace(marks, points=marks.points + [15.0, 0])  # 4 cm
    return betas, translation, replace(figure, alpha=alpha, landmarks=marks), clothes


def test_known_clothes_tell_where_the_body_is(worn):
    betas, truth, figure, clothes = worn
    options = FitOptions(contour_rounds=4, contour_iterations=6)
    off = {}
    for name, known in (("bare", None), ("clothed", clothes)):
        motion = fit_motion(
            body_model(), [View(figure, CAMERA)], [0.0], options=options, betas=betas, clothes=known
        )
        off[name] = abs(motion.translation[0, 0] - truth[0])
    assert off["bare"] > 0.03
    assert off["clothed"] < 0.6 * off["bare"]


def test_a_surface_of_its_own_topology_is_no_clothes():
    model = body_model()
    vertices, joints = model.rest(np.zeros(10))
    mesh = Mesh(
        vertices=vertices,
        faces=model.faces,
        frame="body",
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    surface = Avatar(mesh, np.full(len(mesh.faces), 2, np.uint8))
    assert surface.layers == ("surface",)
    assert clothes_of(model, joints, surface) is None
