"""The suite of avatars, on a photograph, and its metrics on shapes whose answers are known."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surface_people import arms_down_body
from vitruvian.body.model.clips import fitted_motions
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.lab.evaluation.metrics.avatar import (
    face_color,
    moved,
    on_ground,
    overlap,
    poking,
    skin_behind,
)
from vitruvian.lab.evaluation.suites.avatars import AvatarSuite
from vitruvian.pipeline.photo import reconstruct
from vitruvian.types.mesh import Mesh

_CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
_SIDES = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ],
    np.int32,
)  # fmt: skip


@pytest.mark.parametrize(("apart", "share"), [(0.75, 0.25 / 1.75), (0.0, 1.0), (1.5, 0.0)])
def test_boxes_inside_each_other_overlap(apart: float, share: float) -> None:
    both = np.concatenate([_CUBE, _CUBE + np.float32([0, 0, apart])])
    mesh = Mesh(both, np.concatenate([_SIDES, _SIDES + 8]), "body")
    assert overlap(mesh) == pytest.approx(share, abs=0.02)


def bare() -> Mesh:
    body = arms_down_body()
    rest = body.as_mesh().with_vertices(body.rest()[0], "body")
    model = body.model
    return replace(rest, skin_joints=model.skin_joints, skin_weights=model.skin_weights)


def test_clips_stand_on_the_ground() -> None:
    body, rest = arms_down_body(), bare()
    walk = next(m for m in fitted_motions(rest, body.rest()[1]) if m.name == "walk")
    sink, above, slide = on_ground(rest, body, walk)
    assert max(sink, above, slide) < 5
    low = [mesh.vertices[:, 1].min() for mesh in moved(rest, body, walk, range(3))]
    assert np.abs(low).max() < 0.02
    raised = replace(walk, roots=walk.roots + [0, 0.03, 0])
    assert on_ground(rest, body, raised)[1] == pytest.approx(above + 30, abs=5)
    # Whoever moves ahead on the spot slides.
    assert on_ground(rest, body, replace(walk, speed=0.0))[2] > 10


def test_legs_outside_a_skirt_are_counted() -> None:
    body = arms_down_body()
    model, rest = body.model, bare()
    legs = np.isin(model.regions.part, (4, 5))
    skirt = rest.faces[legs[rest.faces].all(1)]
    shell = rest.vertices + np.float32(0.02) * vertex_normals(rest.vertices, rest.faces)
    count = len(rest.vertices)
    both = np.concatenate([rest.vertices, shell, shell])  # the outer and the inner side
    faces = np.concatenate([rest.faces, skirt + count, skirt + 2 * count]).astype(np.int32)
    over = faces[len(rest.faces) :]
    assert poking(over, Mesh(both, faces, "body"), body, 1.0) < 0.05
    inside = np.concatenate([rest.vertices, *2 * [2 * rest.vertices - shell]])
    assert poking(over, Mesh(inside, faces, "body"), body, 1.0) > 0.5


def test_skin_behind_is_of_the_face_and_its_colour() -> None:
    model = body_model()
    own = np.arange(len(model.template))
    texture = np.full((256, 256, 3), (200, 150, 130), np.uint8)
    mesh = Mesh(
        model.template, model.faces, "body", uvs=model.uvs, uv_faces=model.uv_faces, texture=texture
    )
    skin = face_color(mesh, model, own)
    assert skin is not None
    np.testing.assert_array_equal(skin, (200, 150, 130))
    assert np.isnan(skin_behind(mesh, model, own, skin))  # bald, in front too
    hair = model.regions.hair[model.faces].min(1) > 0.6
    front = hair & (model.template[model.faces][:, :, 2].mean(1) > 0.05)
    shares = []
    for painted in (front, hair):
        dark = texture.copy()
        corners = model.uvs[model.uv_faces[painted].ravel()]
        rows, columns = ((1 - corners[:, 1]) * 256).astype(int), (corners[:, 0] * 256).astype(int)
        dark[rows.clip(0, 255), columns.clip(0, 255)] = 20
        shares.append(skin_behind(replace(mesh, texture=dark), model, own, skin))
    assert shares[0] > 0.5
    assert shares[1] < 0.1
    assert np.isnan(skin_behind(replace(mesh, texture=None), model, own, skin))


def test_an_avatar_is_measured(tmp_path: Path, shared_data) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(shared_data("ccp") / "photos" / "0131.jpg", tmp_path / "photos" / "long.jpg")
    suite = AvatarSuite(AvatarSuite.open(tmp_path).folders, reconstruct)
    (case,) = suite.cases()
    outcome = suite.run(case)
    assert set(outcome.numbers) == {metric.key for metric in suite.metrics}
    assert outcome.numbers["found"] == outcome.numbers["skirts"] == 1
    assert outcome.numbers["severed"] == 0
    assert outcome.numbers["torn"] < 0.01
    assert outcome.numbers["iou"] > 0.93
    assert outcome.numbers["skin_behind"] < 0.1
    assert len(outcome.pictures) == 9
