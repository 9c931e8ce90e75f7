"""What a free surface takes over from the body beneath."""

from __future__ import annotations

import numpy as np
import pytest

from surface_people import dressed, sphere, standing_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.surface.finish.skin_transfer import nearest_vertices, transferred_skin


@pytest.mark.parametrize("turned_m", [0.0, 0.06])
def test_the_search_finds_what_trying_all_finds(turned_m: float):
    rng = np.random.default_rng(0)
    body = rng.uniform(-0.3, 0.3, (400, 3)).astype(np.float32)
    points = rng.uniform(-0.5, 0.5, (300, 3)).astype(np.float32)
    groups, body_groups = rng.integers(1, 4, 300), rng.integers(1, 4, 400)
    normals, body_normals = (
        v / np.linalg.norm(v, axis=1, keepdims=True)
        for v in (rng.normal(size=(300, 3)), rng.normal(size=(400, 3)))
    )
    found = nearest_vertices(
        points, normals, body, body_normals,
        groups=groups, body_groups=body_groups, turned_m=turned_m,
    )  # fmt: skip
    cost = ((points[:, None] - body[None]) ** 2).sum(-1)
    cost = cost + turned_m**2 * (1 - normals @ body_normals.T)
    cost[(groups[:, None] & body_groups[None]) == 0] = np.inf
    best = np.take_along_axis(cost, found[:, None], 1)[:, 0]
    np.testing.assert_allclose(best, cost.min(1), rtol=1e-4)


def test_clothes_take_the_skin_beneath():
    """In the body's own topology: every vertex nearly finds itself."""
    body = standing_body().as_mesh()
    clothes = dressed(standing_body())
    beneath = nearest_vertices(
        clothes.vertices,
        vertex_normals(clothes.vertices, clothes.faces),
        body.vertices,
        vertex_normals(body.vertices, body.faces),
    )
    off = np.linalg.norm(body.vertices[beneath] - body.vertices, axis=1)
    assert np.median(off) < 0.01
    assert np.quantile(off, 0.95) < 0.05


def sleeve_skin(distance: float) -> np.ndarray:
    """Weights (V,) of the right one of two joints over a ball whose halves belong to one each."""
    ball = sphere(0.2, (0, 0, 3), rings=24)
    right = ball.vertices[:, 0] > 0
    body_joints = np.array([[3, 0, 0, 0], [8, 0, 0, 0]])
    body_weights = np.array([[1, 0, 0, 0], [1, 0, 0, 0]], np.float32)
    away = np.full(len(right), distance, np.float32)
    joints, weights = transferred_skin(
        right.astype(np.int32), away, ball.faces, body_joints, body_weights
    )
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    assert (weights >= 0).all()
    assert set(np.unique(joints[weights > 0])) == {3, 8}
    return (weights * (joints == 8)).sum(1)


def test_loose_cloth_passes_softly_from_one_joint_to_the_other():
    x = sphere(0.2, (0, 0, 3), rings=24).vertices[:, 0]
    tight, loose = sleeve_skin(0.0), sleeve_skin(0.1)
    for weights in (tight, loose):
        assert weights[x > 0.17].min() > 0.85
        assert weights[x < -0.17].max() < 0.15
    between = lambda w: ((w > 0.1) & (w < 0.9)).mean()  # noqa: E731
    assert between(loose) > 1.5 * between(tight) > 0


def test_every_vertex_of_the_body_keeps_its_own_weights_nearly():
    model = body_model()
    skin = model.components == 0
    count = len(model.template)
    joints, weights = transferred_skin(
        np.arange(count, dtype=np.int32), np.zeros(count, np.float32), model.faces,
        model.skin_joints, model.skin_weights,
    )  # fmt: skip
    dense = np.zeros((2, count, len(model.joint_names)), np.float32)
    for side, (j, w) in enumerate([(model.skin_joints, model.skin_weights), (joints, weights)]):
        np.add.at(dense[side], (np.arange(count)[:, None], j.astype(int)), w)
    moved = np.abs(dense[0] - dense[1]).sum(1)[skin] / 2
    assert np.median(moved) < 0.04
    assert np.quantile(moved, 0.99) < 0.3
