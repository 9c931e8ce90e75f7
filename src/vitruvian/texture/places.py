"""What the vertices of a surface are to the texture: part, slice, mirror image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model import body_model
from vitruvian.body.regions import body_regions

_BAND_M = 0.06


@dataclass(frozen=True)
class Places:
    """The vertices of a surface.

    Attributes:
        part: (V,) uint8, a part of ``body.regions``.
        face: (V,) float32, 1 on the face: never a colour for the back of the head.
        hair: (V,) float32, 1 where hair grows.
        mirror: (V,) int32, the vertex on the other side.
        band: (V,) int, slices of each part, some centimetres long.
        edges: (E, 2) int32, every edge of the mesh once.
    """

    part: np.ndarray
    face: np.ndarray
    hair: np.ndarray
    mirror: np.ndarray
    band: np.ndarray
    edges: np.ndarray


@lru_cache(maxsize=1)
def body_places() -> Places:
    """The places of the body model's own vertices."""
    regions = body_regions()
    along = np.einsum("vc,vc->v", body_model().template, regions.axis)
    slices = ((along - along.min()) / _BAND_M).astype(int)
    band = regions.part * (slices.max() + 1) + slices
    return Places(regions.part, regions.face, regions.hair, regions.mirror, band, regions.edges)


def carried_places(body_vertices: np.ndarray, faces: np.ndarray) -> Places:
    """The places of another closed surface, by the body's vertex (V,) beneath each of its own."""
    body = body_places()
    owner = _owners(body_vertices, len(body.part), body.edges)
    # A closed surface runs through every edge once each way.
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.ascontiguousarray(pairs[pairs[:, 0] < pairs[:, 1]], np.int32)
    return Places(
        body.part[body_vertices],
        body.face[body_vertices],
        body.hair[body_vertices],
        owner[body.mirror[body_vertices]],
        body.band[body_vertices],
        edges,
    )


def _owners(body_vertices: np.ndarray, count: int, edges: np.ndarray) -> np.ndarray:
    """(count,) int32: for each vertex of the body one of the surface over it, or over its
    neighbours where there is none."""
    owner = np.full(count, -1, np.int32)
    owner[body_vertices] = np.arange(len(body_vertices), dtype=np.int32)
    for _ in range(60):
        a, b = edges[:, 0], edges[:, 1]
        into_a, into_b = (owner[a] < 0) & (owner[b] >= 0), (owner[b] < 0) & (owner[a] >= 0)
        if not (into_a.any() or into_b.any()):
            break
        owner[a[into_a]] = owner[b[into_a]]
        owner[b[into_b]] = owner[a[into_b]]
    return np.maximum(owner, 0)
