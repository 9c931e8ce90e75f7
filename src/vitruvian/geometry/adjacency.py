"""Which vertices of a mesh are joined by an edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel


@dataclass(frozen=True)
class Neighbors:
    """The neighbours of V vertices, one list after the other.

    Attributes:
        first: (V + 1,) int32, where each vertex's list begins, and where the last one ends.
        members: (P,) int32, the lists.
    """

    first: np.ndarray
    members: np.ndarray


@kernel("void(int32[:,::1],int32[::1],int32[::1])")
def _fill(pairs: np.ndarray, first: np.ndarray, members: np.ndarray) -> None:
    """Lists of the second of each pair by the first; ``first`` holds zeros when it comes."""
    for e in range(pairs.shape[0]):
        first[pairs[e, 0] + 1] += 1
    for v in range(1, len(first)):
        first[v] += first[v - 1]
    at = first[:-1].copy()
    for e in range(pairs.shape[0]):
        v = pairs[e, 0]
        members[at[v]] = pairs[e, 1]
        at[v] += 1


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """The edges (3 F, 2) of faces (F, 3) as each runs through them: first to second corners of all
    faces, second to third, third to first."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def neighbors_of_pairs(pairs: np.ndarray, count: int) -> Neighbors:
    """The neighbours of ``count`` vertices from (P, 2) vertex and neighbour."""
    first = np.zeros(count + 1, np.int32)
    members = np.empty(len(pairs), np.int32)
    _fill(np.ascontiguousarray(pairs, np.int32), first, members)
    return Neighbors(first, members)


def neighbors_of_edges(edges: np.ndarray, count: int) -> Neighbors:
    """The neighbours of ``count`` vertices from the edges (E, 2), each once."""
    return neighbors_of_pairs(np.concatenate([edges, edges[:, ::-1]]), count)


def neighbors_of_closed(faces: np.ndarray, count: int) -> Neighbors:
    """The neighbours of ``count`` vertices of a closed, consistently turned mesh, faces (F, 3).

    Every edge of such a mesh is run through once each way.
    """
    pairs = np.stack([faces, faces[:, [1, 2, 0]]], axis=2)  # face by face, for the cache's sake
    return neighbors_of_pairs(pairs.reshape(-1, 2), count)


def nearest_members(
    points: np.ndarray, members: np.ndarray, place: np.ndarray, count: int
) -> np.ndarray:
    """The ``count`` of some points, ``members`` (N,) of ``points`` (V, 3), nearest to a place (3,).

    On a body, the middle of those around a joint stands for it on meshes that have no joints.
    """
    distance = np.linalg.norm(points[members] - place, axis=1)
    return np.asarray(members[np.argsort(distance)[:count]])
