"""Cloth behind a hand is pressed in as far as the hand needs, and no farther than it is thick."""

from __future__ import annotations

import numpy as np

from vitruvian.surface.finish.giving_way import given_way

STEP = 0.008


def slab(thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """A flat sheet that looks up, at height 0, and its other side below."""
    count = 30
    y, x = np.mgrid[:count, :count] * STEP
    top = np.stack([x.ravel(), y.ravel(), np.zeros(count**2)], 1)
    number = np.arange(count**2).reshape(count, count)
    a, b, c, d = (
        number[r, s].ravel() for r in (np.s_[:-1], np.s_[1:]) for s in (np.s_[:-1], np.s_[1:])
    )
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    bottom = top - [0, 0, thickness]
    points = np.concatenate([top, bottom]).astype(np.float32)
    return points, np.concatenate([faces, faces[:, ::-1] + len(top)]).astype(np.int32)


def finger(deep: float) -> np.ndarray:
    """Points of a rod along x, 8 mm thick, that is so far below height 0."""
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    x = np.linspace(0.08, 0.16, 20)
    ring = np.stack([np.zeros(16), np.cos(angle) * 0.004, np.sin(angle) * 0.004 + 0.004 - deep], 1)
    return (ring[None] + np.stack([x, np.full(20, 0.12), np.zeros(20)], 1)[:, None]).reshape(-1, 3)


def test_it_gives_way_to_a_finger():
    vertices, faces = slab(0.06)
    out = given_way(vertices, faces, np.ones(len(vertices), bool), finger(0.006))
    beneath = (np.abs(vertices[:, 0] - 0.12) < 0.035) & (np.abs(vertices[:, 1] - 0.12) < 0.003)
    beneath &= vertices[:, 2] == 0
    assert beneath.sum() >= 5
    assert (out[beneath, 2] < -0.006).all()
    away = np.abs(vertices[:, 1] - 0.12) > 0.03
    np.testing.assert_array_equal(out[away], vertices[away])


def test_what_must_not_move_stays():
    vertices, faces = slab(0.06)
    movable = vertices[:, 0] > 0.12
    out = given_way(vertices, faces, movable, finger(0.006))
    np.testing.assert_array_equal(out[~movable], vertices[~movable])
    assert (out[movable, 2] < vertices[movable, 2]).any()


def test_a_thin_sheet_is_not_pushed_through():
    vertices, faces = slab(0.01)
    top = np.arange(len(vertices)) < len(vertices) // 2
    out = given_way(vertices, faces, top, finger(0.012))
    assert out[top, 2].min() > -0.01
    assert out[top, 2].min() < -0.003
