"""Texture coordinates for a free surface: its front and its back as the camera sees them.

Charts are parts of the surface that a parallel of the photograph shows without overlap: the front
that is seen, the back that would be seen from behind, and what either hides. The first two are
laid side by side over the atlas at one scale, so texels of the front are pixels of the photograph;
hidden pieces fill the rest, smaller. Seams run along the outline, where colours are guessed anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.rasterizer import rasterize_both
from vitruvian.types.camera import Camera

FRONT, BACK, HIDDEN_FRONT, HIDDEN_BACK = range(4)
_TOLERANCE_M = 0.012
_PADDING = 3.0  # texels of an atlas of 1024 around every chart
_VOTES = 6
_LEAST_FACES = 40  # smaller pieces join what surrounds them


@dataclass(frozen=True)
class Charts:
    """An atlas.

    Attributes:
        uvs: (T, 2) float32, origin at the lower left.
        uv_faces: (F, 3) int32 into ``uvs``.
        label: (F,) uint8, one of ``FRONT`` to ``HIDDEN_BACK``.
    """

    uvs: np.ndarray
    uv_faces: np.ndarray
    label: np.ndarray


@kernel("void(int32[:,::1],int32[:,::1],int64[::1],int64[::1],int64[::1])")
def _neighbor_faces(
    faces: np.ndarray, out: np.ndarray, first: np.ndarray, fill: np.ndarray, members: np.ndarray
) -> None:
    """The face across each edge (corner k to k + 1) of a closed manifold; ``fill`` comes as
    ``first``, where each vertex's list in ``members`` is to begin."""
    count = faces.shape[0]
    for t in range(count):
        for k in range(3):
            v = faces[t, k]
            members[fill[v]] = 3 * t + k
            fill[v] += 1
    for t in range(count):
        for k in range(3):
            a, b = faces[t, k], faces[t, (k + 1) % 3]
            out[t, k] = -1
            for at in range(first[b], first[b + 1]):
                other, corner = members[at] // 3, members[at] % 3
                if faces[other, (corner + 1) % 3] == a:
                    out[t, k] = other
                    break


def face_neighbors(faces: np.ndarray, vertices: int) -> np.ndarray:
    """(F, 3) int32: the face across the edge from corner k to the next, -1 where there is none."""
    first = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(faces.ravel(), minlength=vertices), out=first[1:])
    out = np.empty(faces.shape, np.int32)
    members = np.empty(faces.size, np.int64)
    _neighbor_faces(np.ascontiguousarray(faces, np.int32), out, first, first.copy(), members)
    return out


@kernel("int64(int32[:,::1],uint8[::1],int32[::1],int32[::1])")
def _label_pieces(
    neighbors: np.ndarray, label: np.ndarray, stack: np.ndarray, piece: np.ndarray
) -> int:
    """Number the connected faces of one label; ``piece`` comes as -1."""
    count = 0
    for start in range(len(label)):
        if piece[start] >= 0:
            continue
        piece[start] = count
        stack[0] = start
        size = 1
        while size > 0:
            size -= 1
            t = stack[size]
            for k in range(3):
                other = neighbors[t, k]
                if other >= 0 and piece[other] < 0 and label[other] == label[start]:
                    piece[other] = count
                    stack[size] = other
                    size += 1
        count += 1
    return count


@kernel("void(int32[:,::1],uint8[::1],uint8[::1])")
def _vote(neighbors: np.ndarray, label: np.ndarray, after: np.ndarray) -> None:
    for t in range(len(label)):
        after[t] = label[t]
        a, b, c = neighbors[t, 0], neighbors[t, 1], neighbors[t, 2]
        if a < 0 or b < 0 or c < 0:
            continue
        la, lb, lc = label[a], label[b], label[c]
        if la in (lb, lc):
            after[t] = la
        elif lb == lc:
            after[t] = lb


def face_labels(
    pixels: np.ndarray, depth: np.ndarray, faces: np.ndarray, normals_z: np.ndarray, camera: Camera
) -> np.ndarray:
    """Which side each face is on and whether it is hidden, (F,) uint8; borders evened out."""
    width, height = camera.width, camera.height
    # The worst of the pixels around: a face beside the drawn outline is on it, not behind it.
    around = np.ones((3, 3), np.uint8)
    near, far = rasterize_both(pixels, depth, faces, width, height)
    seen = cv2.dilate(near.depth, around)
    last = cv2.erode(np.where(far.mask, far.depth, np.float32(0)), around)
    middle = pixels[faces].mean(1)
    column = np.clip(middle[:, 0].astype(int), 0, width - 1)
    row = np.clip(middle[:, 1].astype(int), 0, height - 1)
    at = depth[faces].mean(1)
    facing = normals_z < 0
    nearest, farthest = seen[row, column], last[row, column]
    hidden = np.where(facing, at > nearest + _TOLERANCE_M, at < farthest - _TOLERANCE_M)
    return (np.where(facing, 0, 1) + 2 * hidden).astype(np.uint8)


def lay_out(
    vertices: np.ndarray, faces: np.ndarray, face_normals: np.ndarray, camera: Camera
) -> Charts:
    """Texture coordinates for a closed surface in the camera frame.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3).
        face_normals: (F, 3) unit.
        camera: a window around the figure; its pixels are the resolution of the hidden-face test.
    """
    pixels = camera.project(vertices).astype(np.float32)
    view = vertices[faces].mean(1)
    facing = np.einsum("fc,fc->f", face_normals, view)  # not the normal's z: rays diverge
    label = face_labels(pixels, vertices[:, 2], faces, facing, camera)
    neighbors = face_neighbors(faces, len(vertices))
    other = np.empty_like(label)
    for _ in range(_VOTES):
        _vote(neighbors, label, other)
        label, other = other, label
    for _ in range(3):
        piece, count = _pieces(neighbors, label)
        label = _without_small_pieces(label, piece, count, neighbors)
    piece, count = _pieces(neighbors, label)
    label_of_piece = np.zeros(count, np.uint8)
    label_of_piece[piece] = label
    uvs, uv_faces = _packed(pixels, faces, piece, label_of_piece)
    return Charts(uvs, uv_faces, label)


def _pieces(neighbors: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, int]:
    """The number (F,) int32 of the connected piece of one label that each face is of, and how many
    there are."""
    piece = np.full(len(label), -1, np.int32)
    return piece, _label_pieces(neighbors, label, np.empty_like(piece), piece)


def _without_small_pieces(
    label: np.ndarray, piece: np.ndarray, count: int, neighbors: np.ndarray
) -> np.ndarray:
    """The labels with every small piece given the one that most of its border touches."""
    small = np.bincount(piece, minlength=count) < _LEAST_FACES
    face, corner = np.nonzero(small[piece][:, None] & (neighbors >= 0))
    other = neighbors[face, corner]
    outside = piece[other] != piece[face]
    votes = np.zeros((count, 4), np.int64)
    np.add.at(votes, (piece[face[outside]], label[other[outside]]), 1)
    joins = small & (votes.sum(1) > 0)
    return np.where(joins[piece], votes.argmax(1)[piece], label).astype(np.uint8)


@kernel("int64(int32[:,::1],int32[::1],int32[::1],int32[::1],int32[:,::1],int32[::1],int32[::1])")
def _corners(
    faces: np.ndarray,
    piece: np.ndarray,
    newest: np.ndarray,
    earlier: np.ndarray,
    corners: np.ndarray,
    vertex: np.ndarray,
    owner: np.ndarray,
) -> int:
    """One corner per (piece, vertex) in the order of the faces; returns how many.

    A vertex on a seam belongs to two pieces, seldom to more: its corners are a linked list, from
    ``newest``, which comes as -1, along ``earlier``.
    """
    count = 0
    for t in range(faces.shape[0]):
        for k in range(3):
            v = faces[t, k]
            at = newest[v]
            while at >= 0 and owner[at] != piece[t]:
                at = earlier[at]
            if at < 0:
                at = count
                vertex[at], owner[at] = v, piece[t]
                earlier[at], newest[v] = newest[v], at
                count += 1
            corners[t, k] = at
    return count


def _packed(
    pixels: np.ndarray, faces: np.ndarray, piece: np.ndarray, label: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One corner per (piece, vertex); pieces in their places in the unit square."""
    corners = np.empty(faces.shape, np.int32)
    vertex = np.empty(faces.size, np.int32)
    owner = np.empty(faces.size, np.int32)
    newest, earlier = np.full(len(pixels), -1, np.int32), np.empty(faces.size, np.int32)
    used = _corners(faces, piece, newest, earlier, corners, vertex, owner)
    vertex, owner = vertex[:used], owner[:used]
    points = pixels[vertex]
    count = len(label)
    low = np.full((count, 2), np.inf, np.float32)
    high = np.full((count, 2), -np.inf, np.float32)
    np.minimum.at(low, owner, points)
    np.maximum.at(high, owner, points)
    # The whole front and the whole back each keep their picture; only hidden pieces are loose.
    group = np.where(label <= BACK, label, np.arange(count) + 2)
    order, slot = np.unique(group, return_inverse=True)
    group_low = np.full((len(order), 2), np.inf, np.float32)
    group_high = np.full((len(order), 2), -np.inf, np.float32)
    np.minimum.at(group_low, slot, low)
    np.maximum.at(group_high, slot, high)
    size = np.maximum(group_high - group_low, 1)
    scale, place, shrink = _fit(size, order >= 2)
    corner_slot = slot[owner]
    at = (points - group_low[corner_slot]) * (scale * shrink[corner_slot])[:, None]
    at = at + place[corner_slot]
    uvs = np.stack([at[:, 0], 1 - at[:, 1]], axis=1)
    return np.clip(uvs, 0, 1).astype(np.float32), corners


def _fit(size: np.ndarray, loose: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The largest scale at which the boxes (N, 2) find room in the unit square, by shelves."""
    padding = _PADDING / 1024
    low, high = 0.0, 1.0 / float(size.max())
    best = None
    for _ in range(14):
        scale = 0.5 * (low + high)
        shrink = np.where(loose, 0.5, 1.0)
        place = _shelves(size * scale * shrink[:, None], padding)
        if place is None:
            high = scale
        else:
            low, best = scale, (scale, place, shrink)
    if best is None:  # too many tiny pieces for any padding: let them lie upon each other
        scale = 0.45 / float(size.max())
        best = (scale, np.zeros_like(size), np.full(len(size), 1.0))
    return best


def _shelves(boxes: np.ndarray, padding: float) -> np.ndarray | None:
    """Places (N, 2) of the boxes' left tops, the tallest first, or None."""
    place = np.zeros_like(boxes)
    x = y = padding
    shelf = 0.0
    for index in np.argsort(-boxes[:, 1], kind="stable"):
        width, height = boxes[index]
        if x + width + padding > 1:
            x, y = padding, y + shelf + padding
            shelf = 0.0
        if x + width + padding > 1 or y + height + padding > 1:
            return None
        place[index] = x, y
        x += width + padding
        shelf = max(shelf, height)
    return place
