"""From a sampled field to a closed manifold surface: surface nets on a well-composed volume.

Surface nets (Gibson, "Constrained elastic surface nets", 1998) put one vertex into every cell that
the surface crosses and one quadrilateral across every grid edge that it crosses. Where two solid
voxels of a cell touch only along an edge or at a corner, the result is not a manifold; Latecki,
Eckhardt and Rosenfeld ("Well-composed sets", 1995) call volumes without such places well-composed.
Here they are filled before the surface is taken, so that it is a manifold always.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel

FILM = -0.03  # value of emptied voxels between two surfaces, which pass close by on either side
_FILLED = 0.02  # value of a voxel that was filled, likewise


def _critical_cells() -> np.ndarray:
    """(256,) uint8 by the bits of a cell's inside corners (bit 4 y + 2 x + z): 1 where two of them
    touch along an edge or at a corner only, or two outside ones do."""
    table = np.zeros(256, np.uint8)
    for mask in range(256):
        for first in range(8):
            for second in range(first + 1, 8):
                both = (mask >> first & 1) and (mask >> second & 1)
                neither = not (mask >> first & 1) and not (mask >> second & 1)
                differ = first ^ second
                bits = bin(differ).count("1")
                if bits == 2:
                    # The other diagonal of the face that they span.
                    low = differ & -differ
                    others = (first ^ low, second ^ low)
                    if both and not any(mask >> k & 1 for k in others):
                        table[mask] = 1
                elif bits == 3 and (both or neither):
                    rest = [k for k in range(8) if k not in (first, second)]
                    alike = sum(mask >> k & 1 for k in rest)
                    if (both and alike == 0) or (neither and alike == 6):
                        table[mask] = 1
    return table


_CRITICAL = _critical_cells()


@kernel("int64(float32[:,:,::1],uint8[:,:,::1],uint8[:,:,::1],uint8[::1])")
def _repair(field: np.ndarray, film: np.ndarray, owner: np.ndarray, critical: np.ndarray) -> int:
    """One pass over the cells; fills one voxel in each that is not well-composed.

    Where that would close a film, a voxel is emptied instead, and becomes part of it. A film is
    never filled, so every voxel changes twice at most.
    """
    height, width, depth = field.shape
    filled = 0
    for y in range(height - 1):
        for x in range(width - 1):
            low = 0  # bits of the corners before z
            for z in range(depth):
                high = 0
                for turn in range(2):
                    high = 0
                    for k in range(4):
                        if field[y + (k >> 1), x + (k & 1), z] > 0:
                            high |= 2 << 2 * k
                    if turn > 0 or z == 0 or critical[low | high] == 0:
                        break
                    best, least = -np.inf, np.inf
                    fill = empty = whose = parting = 0
                    for k in range(8):
                        v, u, w = y + (k >> 2), x + (k >> 1 & 1), z - 1 + (k & 1)
                        value = field[v, u, w]
                        parting |= film[v, u, w]
                        touching = 0  # inside neighbours within the cell
                        if field[2 * y + 1 - v, u, w] > 0:
                            touching += 1
                        if field[v, 2 * x + 1 - u, w] > 0:
                            touching += 1
                        if field[v, u, 2 * z - 1 - w] > 0:
                            touching += 1
                        if value > 0:
                            whose = max(whose, owner[v, u, w])
                            if touching + value < least:
                                least, empty = touching + value, k
                        elif (
                            touching > 0
                            and value > best
                            and 0 < v < height - 1
                            and 0 < u < width - 1
                            and 0 < w < depth - 1
                        ):
                            best, fill = value, k
                    k = empty if parting else fill
                    v, u, w = y + (k >> 2), x + (k >> 1 & 1), z - 1 + (k & 1)
                    if parting:
                        field[v, u, w] = FILM
                        film[v, u, w] = 1
                    else:
                        field[v, u, w] = _FILLED
                        owner[v, u, w] = whose
                    filled += 1
                low = high >> 1
    return filled


# A cell's edges as their two corners (bits as above), in the order in which crossings are added up.
_EDGES = np.array(
    [
        (low, low + along)
        for a in range(2)
        for b in range(2)
        for low, along in ((4 * a + 2 * b, 1), (4 * a + b, 2), (2 * a + b, 4))
    ],
    np.int64,
)


@kernel(
    "int64(float32[:,:,::1],int32[:,:,::1],float32[:,::1],int64[:,::1],float32[::1])",
)
def _place_vertices(
    field: np.ndarray,
    index: np.ndarray,
    vertices: np.ndarray,
    ends: np.ndarray,
    corners: np.ndarray,
) -> int:
    """A vertex in each crossed cell, in grid coordinates (y, x, z): where edges are crossed, on
    average; returns how many, -1 when there is no room for them."""
    height, width, depth = field.shape
    count = 0
    for y in range(height - 1):
        for x in range(width - 1):
            for z in range(depth - 1):
                inside = 0
                for a in range(2):
                    for b in range(2):
                        for c in range(2):
                            if field[y + a, x + b, z + c] > 0:
                                inside += 1
                if inside == 0 or inside == 8:
                    continue
                if count >= len(vertices):
                    return -1
                for k in range(8):
                    corners[k] = field[y + (k >> 2), x + (k >> 1 & 1), z + (k & 1)]
                sy = sx = sz = 0.0
                n = 0
                for e in range(len(ends)):
                    low, high = ends[e, 0], ends[e, 1]
                    p, q = corners[low], corners[high]
                    if (p > 0) != (q > 0):
                        share = p / (p - q)
                        across = low ^ high
                        sy += (low >> 2) + (across >> 2) * share
                        sx += (low >> 1 & 1) + (across >> 1 & 1) * share
                        sz += (low & 1) + (across & 1) * share
                        n += 1
                vertices[count, 0] = y + sy / n
                vertices[count, 1] = x + sx / n
                vertices[count, 2] = z + sz / n
                index[y, x, z] = count
                count += 1
    return count


@kernel("int64(float32[::1],int32[::1],int64[:,::1],float32[:,::1],int32[:,::1])")
def _connect(
    field: np.ndarray, index: np.ndarray, axes: np.ndarray, vertices: np.ndarray, faces: np.ndarray
) -> int:
    """Two faces across each crossed grid edge, looking out; returns how many.

    Field and cells are flat; rows of ``axes`` say how far in them an edge leads, and the two
    directions across it, so that its four cells come in a circle.
    """
    count = 0
    # On the border nothing is inside: what steps beyond a row's end is outside, like the end, and
    # no cell before the first is asked for.
    for at in range(len(field) - axes[2, 0]):
        here = field[at] > 0
        for axis in range(3):
            if here == (field[at + axes[axis, 0]] > 0):
                continue
            u, v = axes[axis, 1], axes[axis, 2]
            p, q, r, s = index[at - u - v], index[at - u], index[at], index[at - v]
            if here:
                q, s = s, q
            one = two = 0.0
            for c in range(3):
                one += (vertices[p, c] - vertices[r, c]) ** 2
                two += (vertices[q, c] - vertices[s, c]) ** 2
            if one > two:
                p, q, r, s = q, r, s, p
            faces[count, 0], faces[count, 1], faces[count, 2] = p, q, r
            faces[count + 1, 0], faces[count + 1, 1], faces[count + 1, 2] = p, r, s
            count += 2
    return count


@kernel("void(int32[:,::1],int32[::1])")
def _join(faces: np.ndarray, parent: np.ndarray) -> None:
    """Union-find over the faces' corners: ``parent`` ends as each vertex's root."""
    for t in range(faces.shape[0]):
        for k in range(1, 3):
            a, b = faces[t, 0], faces[t, k]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a < b:
                parent[b] = a
            elif b < a:
                parent[a] = b
    for v in range(len(parent)):
        a = v
        while parent[a] != a:
            a = parent[a]
        parent[v] = a


def surface_net(
    field: np.ndarray, film: np.ndarray | None = None, owner: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The surface where a field passes through 0.

    Args:
        field: (H, W, D) float32, positive inside; not positive on the border of the volume.
            Filled where it is not well-composed.
        film: (H, W, D) uint8, 1 at voxels outside that must not be filled; grows.
        owner: (H, W, D) uint8, any labels of the voxels inside; filled ones take a neighbour's.

    Returns:
        Vertices (V, 3) float32 as (row, column, slice), whole numbers at the voxels, and faces
        (F, 3) int32: closed, manifold, outward where (column, row, slice) is a right-handed frame
        (x, y, z). Empty where nothing is inside.
    """
    if field.dtype != np.float32 or field.ndim != 3:
        raise ValueError(f"field must be (H, W, D) float32, got {field.shape} {field.dtype}")
    if film is None:
        film = np.zeros(field.shape, np.uint8)
    if owner is None:
        owner = np.zeros(field.shape, np.uint8)
    while _repair(field, film, owner, _CRITICAL):
        pass
    index = np.empty(field.shape, np.int32)
    most = 1 << 18
    while True:
        vertices = np.empty((most, 3), np.float32)
        count = _place_vertices(field, index, vertices, _EDGES, np.empty(8, np.float32))
        if count >= 0:
            break
        most *= 2
    # Every crossed edge begins at the corner of a crossed cell, three of them at most.
    faces = np.empty((6 * count, 3), np.int32)
    _, width, depth = field.shape
    row = width * depth
    axes = np.array([(1, depth, row), (depth, row, 1), (row, 1, depth)])
    count_faces = _connect(field.ravel(), index.ravel(), axes, vertices, faces)
    return vertices[:count].copy(), faces[:count_faces].copy()


def largest_components(
    vertices: np.ndarray, faces: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """The connected parts with at least ``share`` of the faces of the largest, compacted."""
    parent = np.arange(len(vertices), dtype=np.int32)
    _join(faces, parent)
    sizes = np.bincount(parent[faces[:, 0]], minlength=len(vertices))
    kept_vertices = sizes[parent] >= share * sizes.max(initial=1)
    number = np.cumsum(kept_vertices, dtype=np.int32) - 1
    kept = kept_vertices[faces[:, 0]]
    return vertices[kept_vertices], number[faces[kept]].astype(np.int32)
