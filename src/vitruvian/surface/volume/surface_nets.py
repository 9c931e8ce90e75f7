"""From a sampled field to its surface: surface nets.

Surface nets (Gibson, "Constrained elastic surface nets", 1998) put one vertex into every cell that
the surface crosses and one quadrilateral across every grid edge that it crosses. Of a well-composed
volume the result is a closed manifold.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.pieces import pieces_of
from vitruvian.surface.volume.volume import Volume

# A cell's edges as their two corners (bits 4 y + 2 x + z), in the order in which their crossings
# are added up.
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


def surface_net(field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The surface where a field passes through 0.

    Args:
        field: (H, W, D) float32, positive inside; not positive on the border; well-composed
            (``well_composed``) where the surface is to be a manifold.

    Returns:
        Vertices (V, 3) float32 as (row, column, slice), whole numbers at the voxels, and faces
        (F, 3) int32: closed, outward where (column, row, slice) is a right-handed frame (x, y, z).
        Empty where nothing is inside.
    """
    if field.dtype != np.float32 or field.ndim != 3:
        raise ValueError(f"field must be (H, W, D) float32, got {field.shape} {field.dtype}")
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
    piece = pieces_of(faces, len(vertices))
    sizes = np.bincount(piece[faces[:, 0]], minlength=len(vertices))
    kept_vertices = sizes[piece] >= share * sizes.max(initial=1)
    number = np.cumsum(kept_vertices, dtype=np.int32) - 1
    kept = kept_vertices[faces[:, 0]]
    return vertices[kept_vertices], number[faces[kept]].astype(np.int32)


@kernel("void(float32[:,::1],float32[:,:,::1],uint8[:,:,::1],uint8[::1])")
def _ask_cells(vertices: np.ndarray, field: np.ndarray, owner: np.ndarray, out: np.ndarray) -> None:
    # A vertex on the border of two cells (where the field is exactly 0) is in both.
    for v in range(len(vertices)):
        y0, y1 = int(np.ceil(vertices[v, 0])) - 1, int(vertices[v, 0]) + 1
        x0, x1 = int(np.ceil(vertices[v, 1])) - 1, int(vertices[v, 1]) + 1
        z0, z1 = int(np.ceil(vertices[v, 2])) - 1, int(vertices[v, 2]) + 1
        for y in range(max(y0, 0), y1 + 1):
            for x in range(max(x0, 0), x1 + 1):
                for z in range(max(z0, 0), z1 + 1):
                    if field[y, x, z] > 0:
                        out[v] = max(out[v], owner[y, x, z])


def owners(vertices: np.ndarray, volume: Volume) -> np.ndarray:
    """Whose (V,) uint8 the vertices of a surface net are, by the inside voxels of their cells.

    Args:
        vertices: (V, 3) in grid coordinates.
        volume: that they were taken from.
    """
    out = np.zeros(len(vertices), np.uint8)
    _ask_cells(vertices, volume.field, volume.owner, out)
    return out
