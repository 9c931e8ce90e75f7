"""How far a skinned surface tears when the person is put into other poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.adjacency import directed_edges
from vitruvian.geometry.stretch import TORN, face_areas, largest_stretch


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
        area = face_areas(vertices, faces)
        torn.append(float(area[growth > TORN].sum() / area.sum()))
        after = _lengths(vertices, edges)
        ratios.append(after / floor)
        longest = max(longest, float((after - before).max()))
    return Stretch(
        float(np.mean(torn)), float(np.percentile(np.concatenate(ratios), 99.9)), longest
    )


def _lengths(vertices: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
