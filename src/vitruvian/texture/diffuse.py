"""Spreading known colours over a mesh."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import Neighbors

_CERTAIN = 0.999  # weight from which on a colour is not mixed with any other


@kernel(
    "void(float32[:,::1],float32[::1],int32[::1],int32[::1],int32[::1],float32[:,::1],"
    "float32[:,::1],float32[::1],float32[::1],int64)"
)
def _diffuse(
    known: np.ndarray,
    weights: np.ndarray,
    active: np.ndarray,
    first: np.ndarray,
    neighbors: np.ndarray,
    colors: np.ndarray,
    after: np.ndarray,
    colored: np.ndarray,
    colored_after: np.ndarray,
    iterations: int,
) -> None:
    """``iterations`` is even, so that the result ends in ``colors``."""
    for _ in range(iterations):
        for v in active:
            red = green = blue = mass = np.float32(0)
            for n in range(first[v], first[v + 1]):
                # A vertex without any colour yet gives none.
                other = neighbors[n]
                weight = colored[other]
                red += weight * colors[other, 0]
                green += weight * colors[other, 1]
                blue += weight * colors[other, 2]
                mass += weight
            if mass > 0:
                own, rest = weights[v], (1 - weights[v]) / mass
                after[v, 0] = own * known[v, 0] + rest * red
                after[v, 1] = own * known[v, 1] + rest * green
                after[v, 2] = own * known[v, 2] + rest * blue
                colored_after[v] = 1
        colors, after = after, colors
        colored, colored_after = colored_after, colored


def diffuse_colors(
    known: np.ndarray,
    weights: np.ndarray,
    around: Neighbors,
    *,
    bands: np.ndarray | None = None,
    within: np.ndarray | None = None,
    iterations: int = 60,
) -> np.ndarray:
    """Colours at every vertex from those that are known at some.

    Jacobi iterations towards the harmonic interpolation on the mesh's graph: a vertex takes its
    own colour by its weight and the mean of its neighbours' by the rest. Colours start out from
    where they are known at one edge an iteration, so the nearest come first; updating in place
    would let the order of the vertices decide.

    Args:
        known: (V, 3) colours.
        weights: (V,) 0..1, how surely each is known.
        around: the mesh's neighbours.
        bands: (V,) int labels; where nothing is known, colours start as the mean of their band.
        within: (V,) bool, vertices that pass colours on; the others keep what they begin with.
        iterations: how far colours travel, in edges; even.

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
    # What is known for certain stays as it is, and neither buffer needs it again.
    moving = weights < _CERTAIN
    if within is not None:
        moving &= within
    _diffuse(
        known,
        weights,
        np.flatnonzero(moving).astype(np.int32),
        around.first,
        around.members,
        colors,
        colors.copy(),
        colored,
        colored.copy(),
        iterations + iterations % 2,
    )
    return colors
