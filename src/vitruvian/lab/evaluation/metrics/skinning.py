"""How far a skinned surface tears when the person is put into other poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.adjacency import directed_edges

_TORN = 2.5  # times the photographed length; cloth hardly stretches to half as much again


@dataclass(frozen=True)
class Stretch:
    """How far a surface is drawn out over a set of poses.

    Attributes:
        torn: share of the posed surface, 0..1, whose triangles are drawn out to more than 2.5
            times their length in the photograph; mean over the poses.
        edge_999: the 99.9th percentile over edges and poses of posed length / photographed length.
        longest_m: the most that any edge grows in any pose, metres.
    """

    torn: float
    edge_999: float
    longest_m: float


def stretch(photographed: np.ndarray, posed: Sequence[np.ndarray], faces: np.ndarray) -> Stretch:
    """Compare posed surfaces with the one that the photograph shows.

    Args:
        photographed: (V, 3) metres.
        posed: (V, 3) in each pose.
        faces: (F, 3).
    """
    edges = directed_edges(faces)
    before = _lengths(photographed, edges)
    # Below a tenth of a millimetre a ratio tells nothing.
    floor = np.maximum(before, 1e-4)
    torn, ratios, longest = [], [], 0.0
    for vertices in posed:
        growth = largest_stretch(photographed, vertices, faces)
        area = _areas(vertices, faces)
        torn.append(float(area[growth > _TORN].sum() / area.sum()))
        after = _lengths(vertices, edges)
        ratios.append(after / floor)
        longest = max(longest, float((after - before).max()))
    return Stretch(
        float(np.mean(torn)), float(np.percentile(np.concatenate(ratios), 99.9)), longest
    )


def largest_stretch(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) the largest singular value of the map from each triangle before to that after.

    Args:
        before, after: (V, 3).
        faces: (F, 3).
    """
    a, b, c = (_gram(before, faces)[..., i] for i in range(3))
    p, q, r = (_gram(after, faces)[..., i] for i in range(3))
    # The eigenvalues of G⁻¹H, where G and H are the Gram matrices of the triangle's two sides.
    determinant = np.maximum(a * c - b * b, 1e-16)
    trace = (c * p - 2 * b * q + a * r) / determinant
    product = np.maximum(p * r - q * q, 0) / determinant
    root = np.sqrt(np.maximum(trace * trace / 4 - product, 0))
    return np.sqrt(np.maximum(trace / 2 + root, 0))


def _gram(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3): the products u·u, u·v and v·v of two sides of each triangle."""
    corners = vertices[faces].astype(np.float64)
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.stack([(u * u).sum(1), (u * v).sum(1), (v * v).sum(1)], axis=1)


def _lengths(vertices: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)


def _areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = vertices[faces].astype(np.float64)
    sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.linalg.norm(sides, axis=1) / 2
