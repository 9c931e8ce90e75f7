"""What the vertices of a surface are to the texture: part, slice, mirror image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import Neighbors, neighbors_of_closed, neighbors_of_edges
from vitruvian.types.body import ParametricModel

_BAND_M = 0.06


@dataclass(frozen=True)
class Places:
    """The vertices of a surface.

    Attributes:
        part: (V,) uint8, a part of ``types.regions``.
        face: (V,) float32, 1 on the face: never a colour for the back of the head.
        hair: (V,) float32, 1 where hair grows.
        mirror: (V,) int32, the vertex on the other side.
        band: (V,) int, slices of each part, some centimetres long.
        neighbors: of every vertex.
    """

    part: np.ndarray
    face: np.ndarray
    hair: np.ndarray
    mirror: np.ndarray
    band: np.ndarray
    neighbors: Neighbors


@lru_cache(maxsize=4)
def body_places(model: ParametricModel) -> Places:
    """The places of the body model's own vertices."""
    regions = model.regions
    along = np.einsum("vc,vc->v", model.template, regions.axis)
    slices = ((along - along.min()) / _BAND_M).astype(int)
    band = regions.part * (slices.max() + 1) + slices
    neighbors = neighbors_of_edges(regions.edges, len(regions.part))
    return Places(regions.part, regions.face, regions.hair, regions.mirror, band, neighbors)


def transferred_places(
    model: ParametricModel, body_vertices: np.ndarray, faces: np.ndarray
) -> Places:
    """The places of another closed surface, by the body's vertex (V,) beneath each of its own."""
    body = body_places(model)
    owner = _owners(body_vertices, body.neighbors)
    return Places(
        body.part[body_vertices],
        body.face[body_vertices],
        body.hair[body_vertices],
        owner[body.mirror[body_vertices]],
        body.band[body_vertices],
        neighbors_of_closed(faces, len(body_vertices)),
    )


def _owners(body_vertices: np.ndarray, around: Neighbors) -> np.ndarray:
    """(B,) int32: for each vertex of the body one of the surface over it, or over the nearest
    vertex along the body's edges where there is none."""
    owner = np.full(len(around.first) - 1, -1, np.int32)
    owner[body_vertices] = np.arange(len(body_vertices), dtype=np.int32)
    _spread_owners(owner, around.first, around.members, np.empty_like(owner))
    return np.maximum(owner, 0)


@kernel("void(int32[::1],int32[::1],int32[::1],int32[::1])")
def _spread_owners(
    owner: np.ndarray, first: np.ndarray, members: np.ndarray, queue: np.ndarray
) -> None:
    """Breadth first from the vertices that have an owner."""
    end = 0
    for v in range(len(owner)):
        if owner[v] >= 0:
            queue[end] = v
            end += 1
    start = 0
    while start < end:
        v = queue[start]
        start += 1
        for n in range(first[v], first[v + 1]):
            other = members[n]
            if owner[other] < 0:
                owner[other] = owner[v]
                queue[end] = other
                end += 1
