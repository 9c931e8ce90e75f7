"""How far a surface is drawn out in other poses, against plain code and known stretches."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.geometry.stretch import largest_stretch
from vitruvian.lab.evaluation.metrics.skinning import stretch
from vitruvian.lab.evaluation.reposing import drawn, repose

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_the_largest_singular_value_is_numpys() -> None:
    rng = np.random.default_rng(0)
    vertices, moved = rng.normal(size=(2, 90, 3))
    faces = np.arange(90).reshape(30, 3)
    found = largest_stretch(vertices, moved, faces)
    for face, value in zip(faces, found, strict=True):
        before = (vertices[face[1:]] - vertices[face[0]]).T
        after = (moved[face[1:]] - moved[face[0]]).T
        singular = np.linalg.svd(after @ np.linalg.pinv(before), compute_uv=False)
        assert value == pytest.approx(singular[0], rel=1e-4)


def test_moving_and_turning_stretch_nothing() -> None:
    turned = SQUARE @ matrix_from_axis_angle(np.array([0.3, -1.0, 0.5])).T + [3, 1, 2]
    result = stretch(SQUARE, [turned], FACES)
    assert result.torn == 0
    assert result.edge_999 == pytest.approx(1)
    assert result.longest_m == pytest.approx(0, abs=1e-9)


def test_half_of_the_poses_tear_half_of_the_surface() -> None:
    vertices = np.concatenate([SQUARE, SQUARE + [5, 0, 0]])
    faces = np.concatenate([FACES, FACES + 4])
    torn = vertices.copy()
    torn[:4, 0] *= 3
    torn[4:] = (torn[4:] - [5, 0, 0]) * [3**0.5, 3**0.5, 1] + [5, 0, 0]  # as large, evenly
    result = stretch(vertices, [vertices, torn], faces)
    assert result.torn == pytest.approx(0.25)
    assert result.longest_m == pytest.approx(2)
    assert result.edge_999 == pytest.approx(3, rel=0.05)


def test_the_naked_body_hardly_tears(standing) -> None:
    meshes, found = repose(standing.as_mesh(), standing)
    assert found.torn < 0.02
    assert len(meshes) == 4
    picture = drawn(meshes, height=60)
    assert picture.shape[0] == 60
    assert (picture < 250).any()


@pytest.fixture(name="standing")
def standing_body():
    from vitruvian.types.body import Body

    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    betas = np.zeros(10)
    posed = model.forward(betas, pose, np.array([0, 0, 3.0]))
    height = model.stature(betas)
    return Body(model, betas, pose, posed.joints[0], height, posed.vertices, posed.joints)
