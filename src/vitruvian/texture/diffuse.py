"""Spreading known colours over a mesh."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(
    "void(float32[:,::1],float32[::1],int32[:,::1],float32[:,::1],float32[::1],float32[::1],int64)",
    cache=True,
    nogil=True,
)
def _diffuse(
    known: np.ndarray,
    weights: np.ndarray,
    edges: np.ndarray,
    colors: np.ndarray,
    colored: np.ndarray,
    mass: np.ndarray,
    iterations: int,
) -> None:
    count = known.shape[0]
    total = np.zeros((count, 3), np.float32)
    for _ in range(iterations):
        for v in range(count):
            total[v, 0] = 0
            total[v, 1] = 0
            total[v, 2] = 0
            mass[v] = 0
        for e in range(edges.shape[0]):
            a, b = edges[e, 0], edges[e, 1]
            # A vertex without any colour yet gives none.
            wa, wb = colored[a], colored[b]
            for c in range(3):
                total[a, c] += wb * colors[b, c]
                total[b, c] += wa * colors[a, c]
            mass[a] += wb
            mass[b] += wa
        for v in range(count):
            if mass[v] > 0:
                w = weights[v]
                for c in range(3):
                    colors[v, c] = w * known[v, c] + (1 - w) * total[v, c] / mass[v]
                colored[v] = 1.0


def diffuse_colors(
    known: np.ndarray,
    weights: np.ndarray,
    edges: np.ndarray,
    *,
    bands: np.ndarray | None = None,
    iterations: int = 60,
) -> np.ndarray:
    """Colours at every vertex from those that are known at some.

    Jacobi iterations towards the harmonic interpolation on the mesh's graph: a vertex takes its
    own colour by its weight and the mean of its neighbours' by the rest.

    Args:
        known: (V, 3) colours.
        weights: (V,) 0..1, how surely each is known.
        edges: (E, 2) edges of the mesh.
        bands: (V,) int labels; where nothing is known, colours start as the mean of their band.
        iterations: how far colours travel, in edges.

    Returns:
        (V, 3) float32. Vertices out of reach get the weighted mean of all known colours.
    """
    known = np.ascontiguousarray(known, np.float32)
    weights = np.ascontiguousarray(weights, np.float32)
    total = float(weights.sum())
    mean = (weights @ known / total) if total > 1e-6 else np.full(3, 128, np.float32)
    start = np.broadcast_to(mean, known.shape)
    if bands is not None and total > 1e-6:
        # Each band's mean, drawn towards that of all by one vertex's worth of weight.
        mass = np.bincount(bands, weights)[:, None] + 1.0
        sums = np.stack([np.bincount(bands, weights * known[:, c]) for c in range(3)], axis=1)
        start = ((sums + mean) / mass)[bands]
    colors = np.where(weights[:, None] > 0.02, known, start)
    colored = (weights > 0.02).astype(np.float32)
    colors = np.ascontiguousarray(colors, np.float32)
    reached = np.zeros(len(known), np.float32)
    _diffuse(
        known, weights, np.ascontiguousarray(edges, np.int32), colors, colored, reached, iterations
    )
    return colors
