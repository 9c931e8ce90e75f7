"""Cutting the end off a closed surface along a plane, and sewing another one on.

The cut runs exactly in the plane and leaves one closed loop of edges; two such loops are joined by
the strip of triangles with the shortest diagonals (dynamic programming as in Fuchs, Kedem and
Uselton, "Optimal surface reconstruction from planar contours", 1977). What was closed and manifold
stays so, whatever the places of the vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import directed_edges

_SNAP = 0.3  # share of an edge within which its end is moved onto the plane, instead of a sliver
_LONGEST = 400  # edges of a loop; more is no wrist


@dataclass(frozen=True)
class Stump:
    """A closed surface with one end cut off.

    Attributes:
        vertices: (V', 3) float32; the first V are those of the surface, of which those beside the
            plane may have moved onto it.
        faces: (F', 3) int32 of what is kept; some of the V vertices are left without any.
        loop: (L,) int32, the border in the order of the kept faces' edges.
        source: (V',) int64, for each vertex one of the surface's, itself or the kept end of the
            edge that it lies on.
        gone: (F,) bool, the surface's faces that were cut off wholly or in part.
    """

    vertices: np.ndarray
    faces: np.ndarray
    loop: np.ndarray
    source: np.ndarray
    gone: np.ndarray


def beyond_plane(
    faces: np.ndarray, height: np.ndarray, allowed: np.ndarray, start: int
) -> np.ndarray:
    """(V,) bool: vertices above a plane that a path over the surface joins to ``start``.

    Args:
        faces: (F, 3).
        height: (V,) above the plane.
        allowed: (V,) bool, vertices that may be looked at.
        start: one of them, above the plane.
    """
    open_ = allowed & (height > 0)
    reached = np.zeros(len(height), bool)
    reached[start] = open_[start]
    _flood(np.ascontiguousarray(faces, np.int32), open_, reached)
    return reached


@kernel("void(int32[:,::1],boolean[::1],boolean[::1])")
def _flood(faces: np.ndarray, open_: np.ndarray, reached: np.ndarray) -> None:
    growing = True
    while growing:
        growing = False
        for t in range(faces.shape[0]):
            if reached[faces[t, 0]] or reached[faces[t, 1]] or reached[faces[t, 2]]:
                for k in range(3):
                    v = faces[t, k]
                    if open_[v] and not reached[v]:
                        reached[v] = True
                        growing = True


def any_corner(of_vertex: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) bool, whether any corner of a face is chosen (V,): faster than ``any(1)`` by far."""
    a, b, c = faces.T
    return np.asarray(of_vertex[a] | of_vertex[b] | of_vertex[c])


def cut_off(
    vertices: np.ndarray, faces: np.ndarray, height: np.ndarray, end: np.ndarray
) -> Stump | None:
    """A closed surface without the end of it that rises above a plane.

    Args:
        vertices: (V, 3).
        faces: (F, 3) int32, closed and manifold.
        height: (V,) above the plane.
        end: (V,) bool, a connected part of the vertices above it, as from ``beyond_plane``.

    Returns:
        What is left, or None where its border is not one simple loop.
    """
    for snap in (_SNAP, 0.0):
        stump = _clipped(vertices, faces, height, end, snap)
        if stump is not None:
            return stump
    return None


def _clipped(
    vertices: np.ndarray, faces: np.ndarray, height: np.ndarray, end: np.ndarray, snap: float
) -> Stump | None:
    side = np.where(end, 1, -1)  # 0 on the plane
    points = vertices.astype(np.float64)
    touching = any_corner(end, faces)
    crossing = faces[touching]
    crossing = crossing[any_corner(~end, crossing)]
    ends = directed_edges(crossing)
    ends = ends[end[ends[:, 0]] != end[ends[:, 1]]]
    ends = np.where(end[ends[:, :1]], ends[:, ::-1], ends)  # kept, cut off
    # Every edge is in two faces.
    _, first = np.unique(
        ends[:, 0].astype(np.int64) * len(vertices) + ends[:, 1], return_index=True
    )
    ends = ends[first]
    below, above = -height[ends[:, 0]], height[ends[:, 1]]
    if len(ends) == 0 or (below < 0).any():
        return None
    share = below / np.maximum(below + above, 1e-12)  # of the way from the kept end
    for column, way in ((0, share), (1, 1 - share)):
        order = np.argsort(way)
        for at in order[way[order] < max(snap, 1e-6)].tolist():
            mover, other = int(ends[at, column]), int(ends[at, 1 - column])
            if side[mover] != 0 and side[other] != 0:
                points[mover] += way[at] * (points[other] - points[mover])
                side[mover] = 0
    place_of: dict[tuple[int, int], int] = {}
    added: list[np.ndarray] = []
    source: list[int] = []
    for (kept, cut), t in zip(ends.tolist(), share.tolist(), strict=True):
        if side[kept] < 0 < side[cut]:
            place_of[kept, cut] = len(vertices) + len(added)
            added.append(vertices[kept] + t * (vertices[cut] - vertices[kept]))
            source.append(kept)
    gone = any_corner(side > 0, faces)
    split = faces[gone]
    pieces = _split_faces(split[any_corner(side < 0, split)], side, place_of)
    kept_faces = np.concatenate([faces[~gone], pieces])
    on_plane = np.concatenate([side == 0, np.ones(len(added), bool)])
    loop = _border(kept_faces[any_corner(on_plane, kept_faces)], on_plane)
    if loop is None:
        return None
    return Stump(
        np.concatenate([points, np.array(added).reshape(-1, 3)]).astype(np.float32),
        kept_faces.astype(np.int32),
        loop,
        np.concatenate([np.arange(len(vertices)), np.array(source, np.int64)]),
        gone,
    )


def _split_faces(
    faces: np.ndarray, side: np.ndarray, place_of: dict[tuple[int, int], int]
) -> np.ndarray:
    """The parts (N, 3) of faces that lie below the plane, which runs through each."""
    out: list[tuple[int, int, int]] = []
    for face in faces.tolist():
        corners = []
        for k in range(3):
            here, there = face[k], face[(k + 1) % 3]
            if side[here] <= 0:
                corners.append(here)
            if side[here] * side[there] < 0:
                corners.append(place_of[(here, there) if side[here] < 0 else (there, here)])
        out.append((corners[0], corners[1], corners[2]))
        if len(corners) == 4:
            out.append((corners[0], corners[2], corners[3]))
    return np.array(out, np.int64).reshape(-1, 3)


def _border(faces: np.ndarray, on_plane: np.ndarray) -> np.ndarray | None:
    """The edges between vertices on the plane that one face only has, if they are one loop."""
    edges = directed_edges(faces)
    edges = edges[on_plane[edges].all(1)]
    return simple_loop(edges)


def simple_loop(edges: np.ndarray) -> np.ndarray | None:
    """The directed edges (E, 2) without an opposite, as one closed loop (L,) int32, or None."""
    there = set(map(tuple, edges.tolist()))
    after = {a: b for a, b in there if (b, a) not in there}
    single = sum((b, a) not in there for a, b in there)
    if len(after) < 3 or single != len(after) or single > _LONGEST:
        return None
    at = next(iter(after))
    loop = [at]
    while after[at] != loop[0]:
        at = after[at]
        if at not in after or len(loop) > len(after):
            return None
        loop.append(at)
    return np.array(loop, np.int32) if len(loop) == len(after) else None


def strip(vertices: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray | None:
    """Faces (L + U, 3) int32 that join two borders, closed and turned as both sides are.

    None where the shortest is a fan around one vertex, which would have an edge twice.

    Args:
        vertices: (V, 3).
        lower, upper: (L,) and (U,) loops into them, each in the order of its own faces' edges: so
            they run round opposite ways.
    """
    upper = upper[::-1]
    a = vertices[lower].astype(np.float64)
    b = vertices[upper].astype(np.float64)
    # Both begin where they are nearest, seen from their own middles: one may lie off the other's.
    gap = (a - a.mean(0))[:, None] - (b - b.mean(0))[None]
    i, j = np.unravel_index(np.argmin((gap**2).sum(2)), (len(a), len(b)))
    lower, upper = np.roll(lower, -i), np.roll(upper, -j)
    steps = np.empty(len(a) + len(b), np.uint8)
    cost = np.empty((len(a) + 1, len(b) + 1))
    _shortest(np.roll(a, -i, 0), np.roll(b, -j, 0), cost, steps)
    faces = np.empty((len(steps), 3), np.int32)
    at = on = 0
    rungs = set()
    for number, step in enumerate(steps):
        here, there = lower[at % len(lower)], upper[on % len(upper)]
        rungs.add((int(here), int(there)))
        if step == 0:
            at += 1
            faces[number] = lower[at % len(lower)], here, there
        else:
            on += 1
            faces[number] = there, upper[on % len(upper)], here
    return faces if len(rungs) == len(steps) else None


@kernel("void(float64[:,::1],float64[:,::1],float64[:,::1],uint8[::1])")
def _shortest(a: np.ndarray, b: np.ndarray, cost: np.ndarray, steps: np.ndarray) -> None:
    """Steps along ``a`` (0) or ``b`` (1) around both with the least sum of squared diagonals."""
    rows, columns = len(a), len(b)
    cost[0, 0] = 0
    for i in range(rows + 1):
        for j in range(columns + 1):
            if i + j == 0:
                continue
            before = np.inf
            if i > 0:
                before = cost[i - 1, j]
            if j > 0:
                before = min(before, cost[i, j - 1])
            length = 0.0
            for c in range(3):
                length += (a[i % rows, c] - b[j % columns, c]) ** 2
            cost[i, j] = before + length
    i, j = rows, columns
    for at in range(rows + columns - 1, -1, -1):
        if j == 0 or (i > 0 and cost[i - 1, j] <= cost[i, j - 1]):
            i -= 1
            steps[at] = 0
        else:
            j -= 1
            steps[at] = 1
