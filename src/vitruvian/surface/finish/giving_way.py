"""Cloth gives way to a hand that lies on it.

A mitten lies against what it was cut from; the hand that takes its place has another form. Where it
would be inside the thigh or the trunk, that is pressed in: behind the hand, nobody sees it.
"""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.clearance import clearance
from vitruvian.geometry.normals import vertex_normals
from vitruvian.surface.finish.skin_transfer import nearest_vertices

_ROUNDS = 3
_OF_THICKNESS = 0.6
_MARGIN_M = 0.001  # that is left between
_DEEPEST_M = 0.02  # what is deeper inside came through from the other side
_ACROSS_M = 0.016  # from a vertex: farther, another one is meant


def given_way(
    vertices: np.ndarray, faces: np.ndarray, movable: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """The vertices (V, 3) float32 with those that are ``movable`` (V,) bool pressed in behind
    points.

    Args:
        vertices: (V, 3) metres; faces: (F, 3), all that meet at vertices near the points.
        points: (N, 3), the hand's.
    """
    out = np.array(vertices, np.float32)
    low, high = points.min(0) - _DEEPEST_M, points.max(0) + _DEEPEST_M
    near = np.flatnonzero(movable & ((out > low) & (out < high)).all(1))
    if not len(near):
        return out
    normals = vertex_normals(out, faces)
    # Never through what is behind. What is pressed in is near, or shares a face with it.
    beside = np.zeros(len(out), bool)
    beside[near] = True
    beside[faces[beside[faces].any(1)]] = True
    room = clearance(out, normals, _DEEPEST_M / _OF_THICKNESS, behind=True, asked=beside)
    most = _OF_THICKNESS * room * movable
    nowhere = np.zeros_like(points), np.zeros((len(near), 3), np.float32)
    pressed_in = np.zeros(len(out), np.float32)
    for _ in range(_ROUNDS):
        at = near[nearest_vertices(points, nowhere[0], out[near], nowhere[1], turned_m=0.0)]
        offset = points - out[at]
        side = np.einsum("nc,nc->n", offset, normals[at])
        across = np.sqrt(np.maximum(np.einsum("nc,nc->n", offset, offset) - side**2, 0))
        pressed = (side < _MARGIN_M) & (side > -_DEEPEST_M) & (across < _ACROSS_M)
        if not pressed.any():
            break
        depth = np.zeros(len(out), np.float32)
        np.maximum.at(depth, at[pressed], (_MARGIN_M - side[pressed]).astype(np.float32))
        # A point may be behind a face, whose other corners are nearer to nothing.
        around = np.zeros_like(depth)
        np.maximum.at(around, faces, np.broadcast_to(depth[faces].max(1)[:, None], faces.shape))
        pressed_in = np.minimum(pressed_in + around, most)
        out = (vertices - pressed_in[:, None] * normals).astype(np.float32)
    return out
