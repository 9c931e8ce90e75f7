"""Matching the outline of the posed body with the outline of a matte."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

WORKING_HEIGHT = 320  # pixels; finer outlines do not move the fit
MAX_VERTICES = 350
_NORMAL_WEIGHT = 0.12  # of the figure's height: how far a wrong direction counts as a distance
_MIN_NORMAL_AGREEMENT = 0.6
_MAX_DISTANCE = 0.06  # of the figure's height
_SQUARE = 4  # working pixels of which one vertex of a clothed body is enough
_INSIDE_WEIGHT = 0.35  # clothes stand off the body, so a body inside its outline is no error


@dataclass(frozen=True)
class Outline:
    """The outline of a matte, at working resolution.

    Attributes:
        points: (N, 2) float64 working pixels on the outline.
        normals: (N, 2) outward unit normals.
        usable: (N,) bool, false along the border of the photograph.
        mask: (h, w) uint8 of 0 and 1.
        camera: the camera of the working window.
        height: height of the figure in working pixels.
    """

    points: np.ndarray
    normals: np.ndarray
    usable: np.ndarray
    mask: np.ndarray
    camera: Camera
    height: float


@dataclass(frozen=True)
class ContourTargets:
    """Body vertices on the body's outline and where they should project.

    Attributes:
        vertices: (N,) int indices.
        rays: (N, 2) x / z, y / z of the matched outline points in the camera frame.
        normals: (N, 2) of the outline there, in the image.
        weights: (N,).
    """

    vertices: np.ndarray
    rays: np.ndarray
    normals: np.ndarray
    weights: np.ndarray


def _smoothed_normals(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Outward normals (N, 2) of a 0/1 mask at integer pixels (N, 2)."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)
    x, y = points[:, 0], points[:, 1]
    gradient = np.stack(
        [
            cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[y, x],
            cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[y, x],
        ],
        axis=1,
    )
    return -gradient / (np.linalg.norm(gradient, axis=1, keepdims=True) + 1e-9)


def extract_outline(alpha: Alpha, camera: Camera) -> Outline | None:
    """The outline of a matte, or None when there is hardly any figure in it."""
    mask = alpha.values > 127
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) < 16 or len(columns) < 8:
        return None
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    scale = min(1.0, WORKING_HEIGHT / extent)
    pad = int(0.15 * extent)
    x0, y0 = alpha.x + columns[0] - pad, alpha.y + rows[0] - pad
    width = columns[-1] - columns[0] + 1 + 2 * pad
    height = rows[-1] - rows[0] + 1 + 2 * pad
    window = np.zeros((height, width), np.uint8)
    inner = alpha.values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    window[pad : pad + inner.shape[0], pad : pad + inner.shape[1]] = inner
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    small_mask = (cv2.GaussianBlur(small, (0, 0), 1.0) > 127).astype(np.uint8)

    contours, _ = cv2.findContours(small_mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours = [c[:, 0] for c in contours if len(c) > 20]
    if not contours or sum(map(len, contours)) < 50:
        return None
    points = np.concatenate(contours)
    in_photo = points / scale + [x0, y0]
    margin = 3.0
    usable = (
        (in_photo > margin) & (in_photo < [alpha.width - 1 - margin, alpha.height - 1 - margin])
    ).all(1)
    working_camera = camera.window(x0, y0, scale, *size)
    return Outline(
        points + 0.5,
        _smoothed_normals(small_mask, points),
        usable,
        small_mask,
        working_camera,
        extent * scale,
    )


def mesh_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (E, 2) of a closed triangle mesh and the two faces (E, 2) at each."""
    edges = np.sort(directed_edges(faces), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges, owner = edges[order], owner[order]
    shared = np.flatnonzero((edges[1:] == edges[:-1]).all(1))
    return edges[shared], np.stack([owner[shared], owner[shared + 1]], axis=1)


@lru_cache(maxsize=4)
def model_edges(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """``mesh_edges`` of a body model."""
    return mesh_edges(model.faces)


@kernel("void(float64[:,::1],int32[:,::1],int32[:,::1],int64[:,::1],boolean[::1])")
def _mark_rim(
    pixels: np.ndarray,
    faces: np.ndarray,
    edges: np.ndarray,
    edge_faces: np.ndarray,
    on_rim: np.ndarray,
) -> None:
    """Mark the ends of edges of which one face looks to the camera and the other away."""
    facing = np.empty(len(faces), np.bool_)
    for f in range(len(faces)):
        a, b, c = pixels[faces[f, 0]], pixels[faces[f, 1]], pixels[faces[f, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        facing[f] = area < 0  # y points down
    for e in range(len(edges)):
        if facing[edge_faces[e, 0]] != facing[edge_faces[e, 1]]:
            on_rim[edges[e, 0]] = True
            on_rim[edges[e, 1]] = True


@kernel("void(float32[:,::1],float32[:,::1],int64[::1])")
def _nearest(queries: np.ndarray, points: np.ndarray, nearest: np.ndarray) -> None:
    """Fill in the index (Q,) of the nearest of ``points`` (P, 4) to each of ``queries`` (Q, 4).

    All pairs: with a few hundred by a thousand this takes less than building a tree.
    """
    for q in range(len(queries)):
        best = np.inf
        for p in range(len(points)):
            distance = (queries[q, 0] - points[p, 0]) ** 2 + (queries[q, 1] - points[p, 1]) ** 2
            distance += (queries[q, 2] - points[p, 2]) ** 2 + (queries[q, 3] - points[p, 3]) ** 2
            if distance < best:
                best = distance
                nearest[q] = p


def _evenly(cells: np.ndarray) -> np.ndarray:
    """(M,) int, one of the pixels (N, 2) of every square: fingers and toes have half of the
    vertices, and a shank few."""
    squares = cells // _SQUARE
    return np.unique(squares[:, 0] + 10_000 * squares[:, 1], return_index=True)[1]


def match_outline(
    outline: Outline,
    vertices: np.ndarray,
    faces: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray],
    *,
    first_round: bool,
    shown: np.ndarray | None = None,
) -> ContourTargets | None:
    """Pair the body's outline vertices with points of the matte's outline.

    Nearest neighbours in position and direction of the normal (x, y and .12 heights times the
    normal); pairs too far apart or of different direction are dropped. A vertex inside
    the matte counts less: clothes, not the body, make that outline.

    Args:
        outline: of the matte.
        vertices: (V, 3) posed body in the camera frame; where it is clothed, further ones may
            follow.
        faces: (F, 3); edges: from ``mesh_edges``.
        first_round: allow twice the distance.
        shown: (G, 3) faces of all that can be seen of the clothed body; None where it is bare.
            With clothes what is inside the matte counts as much as what is outside.
    """
    camera = outline.camera
    pixels = camera.project(vertices)
    seen = faces if shown is None else shown
    fragments = rasterize(pixels, vertices[:, 2], seen, camera.width, camera.height)
    body = fragments.mask.astype(np.uint8)
    on_rim = np.zeros(len(vertices), np.bool_)
    _mark_rim(np.ascontiguousarray(pixels, np.float64), faces, *edges, on_rim)
    candidates = np.flatnonzero(on_rim)
    positions = pixels[candidates]
    inside = (positions >= 1).all(1) & (positions < [camera.width - 1, camera.height - 1]).all(1)
    candidates, positions = candidates[inside], positions[inside]
    kernel = np.ones((3, 3), np.uint8)
    border = cv2.dilate(body, np.ones((5, 5), np.uint8)) - cv2.erode(body, kernel)
    cells = positions.astype(int)
    on_border = border[cells[:, 1], cells[:, 0]] > 0
    candidates, positions, cells = candidates[on_border], positions[on_border], cells[on_border]
    if shown is not None:
        chosen = _evenly(cells)
        candidates, positions, cells = candidates[chosen], positions[chosen], cells[chosen]
    elif len(candidates) > MAX_VERTICES:
        chosen = np.random.default_rng(0).permutation(len(candidates))[:MAX_VERTICES]
        candidates, positions, cells = candidates[chosen], positions[chosen], cells[chosen]
    if len(candidates) < 30:
        return None

    normals = _smoothed_normals(body, cells)
    reach = _NORMAL_WEIGHT * outline.height
    nearest = np.zeros(len(positions), np.int64)
    _nearest(
        np.concatenate([positions, normals * reach], axis=1).astype(np.float32),
        np.concatenate([outline.points, outline.normals * reach], axis=1).astype(np.float32),
        nearest,
    )
    distance = np.linalg.norm(outline.points[nearest] - positions, axis=1)
    limit = _MAX_DISTANCE * outline.height * (2 if first_round else 1)
    agreement = np.einsum("nc,nc->n", outline.normals[nearest], normals)
    keep = (distance < limit) & (agreement > _MIN_NORMAL_AGREEMENT) & outline.usable[nearest]
    if keep.sum() < 30:
        return None
    candidates, nearest, cells = candidates[keep], nearest[keep], cells[keep]
    inside_matte = outline.mask[cells[:, 1], cells[:, 0]] > 0
    inside_weight = _INSIDE_WEIGHT if shown is None else 1.0
    weights = np.where(inside_matte, inside_weight, 1.0) * np.sqrt(120 / len(candidates))
    rays = camera.rays(outline.points[nearest])[:, :2]
    return ContourTargets(candidates, rays, outline.normals[nearest], weights)
