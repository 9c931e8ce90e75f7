"""Fewer faces where the surface is flat, and still a closed manifold.

Edges are collapsed in the order of the quadric error of Garland and Heckbert ("Surface
simplification using quadric error metrics", 1997), in passes: within one pass no collapse touches
a face that another has changed, so a pass needs one sorting and no queue. An edge is collapsed only
where its ends have two neighbours in common (the link condition of Dey et al., 1999), which keeps
the surface a manifold of the same topology, and only where no face turns over.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel, kernel_part
from vitruvian.surface.finish.quadrics import add_quadrics, rate_edges

_CONSIDERED = 0.35  # of the edges, the cheapest, in each pass
_STAY = 0.02  # weight of staying in place, beside that of the planes: keeps flat triangles round
_LEAST_COSINE = 0.35  # between a face's normals before and after
_MOST_RING = 64
_MOST_PASSES = 30


@kernel_part
def _turns_over(
    vertices: np.ndarray,
    faces: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    moved: int,
    other: int,
    place: np.ndarray,
) -> bool:
    """Whether moving a vertex to ``place`` turns one of its faces that lack ``other`` over."""
    for at in range(first[moved], first[moved + 1]):
        t = members[at]
        k = 0
        if faces[t, 1] == moved:
            k = 1
        elif faces[t, 2] == moved:
            k = 2
        p, q = faces[t, (k + 1) % 3], faces[t, (k + 2) % 3]
        if p == other or q == other:
            continue
        ex = vertices[q, 0] - vertices[p, 0]
        ey = vertices[q, 1] - vertices[p, 1]
        ez = vertices[q, 2] - vertices[p, 2]
        ax = vertices[moved, 0] - vertices[p, 0]
        ay = vertices[moved, 1] - vertices[p, 1]
        az = vertices[moved, 2] - vertices[p, 2]
        bx, by, bz = place[0] - vertices[p, 0], place[1] - vertices[p, 1], place[2] - vertices[p, 2]
        ox, oy, oz = ey * az - ez * ay, ez * ax - ex * az, ex * ay - ey * ax
        nx, ny, nz = ey * bz - ez * by, ez * bx - ex * bz, ex * by - ey * bx
        dot = ox * nx + oy * ny + oz * nz
        old = np.sqrt(ox * ox + oy * oy + oz * oz)
        new = np.sqrt(nx * nx + ny * ny + nz * nz)
        edge2 = ex * ex + ey * ey + ez * ez
        # Slivers are refused as well: less than a twentieth as high as the edge is long.
        if dot < _LEAST_COSINE * old * new or new < 0.05 * edge2:
            return True
    return False


@kernel(
    "int64(float64[:,::1],int32[:,::1],float64[:,::1],int32[:,::1],float64[:,::1],int64[::1],"
    "int32[::1],int32[::1],int64,int32[::1],boolean[::1],int32[::1])"
)
def _collapse(
    vertices: np.ndarray,
    faces: np.ndarray,
    quadrics: np.ndarray,
    edges: np.ndarray,
    rated: np.ndarray,
    order: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    wanted: int,
    goes_to: np.ndarray,
    locked: np.ndarray,
    seen: np.ndarray,
) -> int:
    """Collapse up to ``wanted`` edges in order; returns how many. ``locked`` and ``seen`` come
    with zeros."""
    stamp = 0
    done = 0
    for e in order:
        if done >= wanted:
            break
        a, b = edges[e, 0], edges[e, 1]
        if locked[a] or locked[b]:
            continue
        stamp += 2
        ring = 0
        for at in range(first[a], first[a + 1]):
            for k in range(3):
                v = faces[members[at], k]
                if v != a and seen[v] != stamp:
                    seen[v] = stamp
                    ring += 1
        common = 0
        for at in range(first[b], first[b + 1]):
            for k in range(3):
                v = faces[members[at], k]
                if v in (a, b):
                    continue
                if seen[v] == stamp:
                    common += 1
                    seen[v] = stamp + 1
                elif seen[v] != stamp + 1:
                    seen[v] = stamp + 1
                    ring += 1
        # ``ring`` counts b too: the joined vertex keeps ring - 1 neighbours, at least three.
        if common != 2 or ring < 5 or ring > _MOST_RING:
            continue
        place = rated[e, :3]
        if _turns_over(vertices, faces, first, members, a, b, place):
            continue
        if _turns_over(vertices, faces, first, members, b, a, place):
            continue
        for c in range(3):
            vertices[a, c] = place[c]
        for k in range(10):
            quadrics[a, k] += quadrics[b, k]
        goes_to[b] = a
        for v in (a, b):
            for at in range(first[v], first[v + 1]):
                for k in range(3):
                    locked[faces[members[at], k]] = True
        done += 1
    return done


@kernel("void(int32[:,::1],int32[::1],int32[::1])")
def _faces_of_vertices(faces: np.ndarray, first: np.ndarray, members: np.ndarray) -> None:
    """Lists of the faces around vertices, vertex v's from ``first[v]`` on.

    ``first`` has two more entries than there are vertices, and comes with zeros.
    """
    for t in range(len(faces)):
        for k in range(3):
            first[faces[t, k] + 2] += 1
    for v in range(1, len(first)):
        first[v] += first[v - 1]
    for t in range(len(faces)):
        for k in range(3):
            v = faces[t, k] + 1
            members[first[v]] = t
            first[v] += 1


@kernel("int64(int32[:,::1],int32[:,::1])")
def _edges(faces: np.ndarray, out: np.ndarray) -> int:
    """Every edge of a closed mesh once, the smaller vertex first; returns how many."""
    count = 0
    for t in range(faces.shape[0]):
        for k in range(3):
            a, b = faces[t, k], faces[t, (k + 1) % 3]
            if a < b:
                out[count, 0], out[count, 1] = a, b
                count += 1
    return count


@kernel(
    "UniTuple(int64,2)(int32[::1],int32[:,::1],float64[:,::1],float64[:,::1],int64[::1],int32[::1])"
)
def _close_ranks(
    goes_to: np.ndarray,
    faces: np.ndarray,
    vertices: np.ndarray,
    quadrics: np.ndarray,
    source: np.ndarray,
    number: np.ndarray,
) -> tuple[int, int]:
    """Number vertices and faces anew after collapses, in place; returns how many of either."""
    kept = 0
    for v in range(len(goes_to)):
        if goes_to[v] != v:
            continue
        number[v] = kept
        for c in range(3):
            vertices[kept, c] = vertices[v, c]
        for k in range(10):
            quadrics[kept, k] = quadrics[v, k]
        source[kept] = source[v]
        kept += 1
    whole = 0
    for t in range(faces.shape[0]):
        a, b, c = goes_to[faces[t, 0]], goes_to[faces[t, 1]], goes_to[faces[t, 2]]
        if a in (b, c) or b == c:
            continue
        faces[whole, 0], faces[whole, 1], faces[whole, 2] = number[a], number[b], number[c]
        whole += 1
    return kept, whole


def simplify(
    vertices: np.ndarray, faces: np.ndarray, target: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A closed manifold mesh with about ``target`` faces.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) closed, manifold.
        target: faces wanted; a mesh that has no more comes back as it is. It may end with more
            where further collapses would turn faces over.

    Returns:
        Vertices (V', 3) float32, faces (F', 3) int32, and for every vertex one of those that went
        into it (V',) int64.
    """
    source = np.arange(len(vertices))
    if len(faces) <= target:
        return vertices.astype(np.float32), faces.astype(np.int32), source
    center = vertices.mean(0, dtype=np.float64)
    points = np.ascontiguousarray(vertices.astype(np.float64) - center)
    faces = np.array(faces, np.int32, order="C")
    quadrics = np.zeros((len(points), 10))
    add_quadrics(points, faces, _STAY, quadrics)
    for _ in range(_MOST_PASSES):
        first = np.zeros(len(points) + 2, np.int32)
        members = np.empty(faces.size, np.int32)
        _faces_of_vertices(faces, first, members)
        edges = np.empty((faces.size, 2), np.int32)
        edges = edges[: _edges(faces, edges)]
        rated = np.empty((len(edges), 4))
        rate_edges(quadrics, edges, points, np.empty(10), rated)
        error = np.ascontiguousarray(rated[:, 3])
        considered = max(1, int(_CONSIDERED * len(edges)))
        cheapest = np.argpartition(error, considered - 1)[:considered]
        order = cheapest[np.argsort(error[cheapest])]
        goes_to = np.arange(len(points), dtype=np.int32)
        wanted = (len(faces) - target + 1) // 2
        locked, number = np.zeros(len(points), bool), np.zeros(len(points), np.int32)
        done = _collapse(
            points, faces, quadrics, edges, rated, order, first, members, wanted, goes_to,
            locked, number,
        )  # fmt: skip
        kept, whole = _close_ranks(goes_to, faces, points, quadrics, source, number)
        faces, points = faces[:whole], points[:kept]
        quadrics, source = quadrics[:kept], source[:kept]
        if done == 0 or len(faces) <= target:
            break
    return (points + center).astype(np.float32), faces.copy(), source.copy()
