"""Finer triangles where edges are long."""

from __future__ import annotations

import numpy as np


def edge_lengths(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends (F, 3, 2) of every face's edges, from corner k to the next, and their length (F, 3),
    of vertices (V, 3)."""
    ends = np.stack([faces, faces[:, [1, 2, 0]]], axis=2)
    length = np.linalg.norm(vertices[ends[..., 0]] - vertices[ends[..., 1]], axis=2)
    return ends, length


def split_edges(
    faces: np.ndarray, halved: np.ndarray, vertices: int
) -> tuple[np.ndarray, np.ndarray]:
    """Faces (F', 3) int32 after halving some edges, and the ends (N, 2) of those edges.

    Their middles are the new vertices, numbered from ``vertices`` on in this order. Triangles with
    one, two or three halved edges become two, three or four, so that neighbours always fit.

    Args:
        faces: (F, 3).
        halved: (F, 3) bool, the edges from corner k to the next; alike in both faces of an edge.
        vertices: how many there are.
    """
    ends = np.stack([faces, faces[:, [1, 2, 0]]], axis=2)
    pairs = np.sort(ends[halved], axis=1).astype(np.int64)
    keys = pairs[:, 0] * vertices + pairs[:, 1]
    unique, number = np.unique(keys, return_inverse=True)
    middle = np.full(faces.shape, -1, np.int64)
    middle[halved] = vertices + number
    out = [faces[~halved.any(1)]]
    for turn in range(3):
        # Turned so that the only halved edge, or the only whole one, comes first.
        order = [turn, (turn + 1) % 3, (turn + 2) % 3]
        a, b, c = faces[:, order].T
        m, n, o = middle[:, order].T
        one = (m >= 0) & (n < 0) & (o < 0)
        two = (m < 0) & (n >= 0) & (o >= 0)
        out += [np.stack([a, m, c], 1)[one], np.stack([m, b, c], 1)[one]]
        out += [np.stack([n, c, o], 1)[two], np.stack([a, b, n], 1)[two]]
        out += [np.stack([a, n, o], 1)[two]]
    a, b, c = faces.T
    m, n, o = middle.T
    three = halved.all(1)
    for corners in ((a, m, o), (m, b, n), (o, n, c), (m, n, o)):
        out.append(np.stack(corners, 1)[three])
    return np.concatenate(out).astype(np.int32), np.stack(np.divmod(unique, vertices), 1)
