"""One thing that somebody carries, cut out of the photograph's surface: closed, on one bone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.body.model.skeleton import ELBOWS, LOWER_SPINE, ROOT, UPPER_SPINE, WRISTS
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_ARM, RIGHT_ARM

_CELL_M = 0.012  # of the grid that a piece is made of
_SMOOTH_M = 0.03  # over which the front is evened: hands and folds of cloth before it
_LEAST_THICK_M, _MOST_THICK_M, _USUAL_THICK_M = 0.04, 0.16, 0.07
_BESIDE = 0.15  # share of it that must be beside the body for its thickness to be seen
_RIM = 0.1  # of its thickness, at its rim
_RIM_ROUNDS = 4  # by which the rim is smoothed
_TOUCHES_M = 0.035  # in the picture, between an arm and what it holds
_HANDLE_M = 0.12  # above a thing, where its handles are
_UPPER = 0.4  # of a piece's height, where what it hangs from is
_DEEP_M = 0.3  # along the view, beyond which an arm does not hold it


@dataclass(frozen=True)
class Piece:
    """One thing in the photograph's pose.

    Attributes:
        points: (N, 3) camera frame.
        faces: (F, 3), closed.
        carrier: name of the bone.
    """

    points: np.ndarray
    faces: np.ndarray
    carrier: str


def rigid_piece(
    mask: np.ndarray, camera: Camera, pixel_m: float, body: Body, sculpture: Mesh
) -> Piece | None:
    """The thing at (h, w) bool pixels of a small picture; None where none of it can be made."""
    step = max(1, round(_CELL_M / pixel_m))
    small = cv2.resize(
        mask.astype(np.float32),
        (-(-mask.shape[1] // step), -(-mask.shape[0] // step)),
        interpolation=cv2.INTER_AREA,
    )
    cells = np.pad(cv2.GaussianBlur(small, (0, 0), 0.8) > 0.5, 1)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        cells.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return None
    cells = labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    front, thick = _front(mask, camera, pixel_m, body, sculpture)
    if front is None:
        return None
    # A corner of the grid for each place where cells meet; ``number`` of those that are used.
    used = cv2.dilate(np.pad(cells, ((0, 1), (0, 1))).astype(np.uint8), np.ones((2, 2))) > 0
    number = np.full(used.shape, -1)
    number[used] = np.arange(used.sum())
    row, column = np.nonzero(cells)
    corners = [number[row + a, column + b] for a, b in ((0, 0), (0, 1), (1, 1), (1, 0))]
    quads = np.stack(corners, 1)
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    key = edges[:, 0] * used.sum() + edges[:, 1]
    back_key = edges[:, 1] * used.sum() + edges[:, 0]
    rim = edges[~np.isin(key, back_key)]
    places = (np.argwhere(used)[:, ::-1] - 1.0) * step  # pixels of the small picture
    places = _rounded(places, rim)
    inside = np.minimum(_into(cells, used) * step * pixel_m / (thick / 2), 1)
    inside[np.unique(rim)] = 0
    profile = np.maximum(np.sqrt(1 - (1 - inside) ** 2), _RIM)
    at = np.floor(places).astype(int)
    depth = front[at[:, 1].clip(0, len(front) - 1), at[:, 0].clip(0, front.shape[1] - 1)]
    middle = depth + thick / 2
    rays = camera.rays(places)
    sheets = [rays * (middle + way * profile * thick / 2)[:, None] for way in (-1, 1)]
    points = np.concatenate(sheets)
    triangles = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    total = len(places)
    a, b = rim.T
    wall = [np.stack([a, b, b + total], 1), np.stack([a, b + total, a + total], 1)]
    faces = np.concatenate([triangles, triangles[:, ::-1] + total, *wall])
    return Piece(points, faces, _carrier(mask, camera, pixel_m, body, float(np.median(depth))))


def _front(
    mask: np.ndarray, camera: Camera, pixel_m: float, body: Body, sculpture: Mesh
) -> tuple[np.ndarray | None, float]:
    """(h, w) metres to the thing's front, smooth, and how thick it is."""
    size = camera.width, camera.height
    vertices = sculpture.vertices
    seen = rasterize(camera.project(vertices), vertices[:, 2], sculpture.faces, *size)
    there = mask & seen.mask
    if not there.any():
        return None, 0.0
    middle = float(np.median(seen.depth[there]))
    there &= np.abs(np.where(there, seen.depth, middle) - middle) < _DEEP_M / 2
    weight = there.astype(np.float32) + 1e-5 * mask
    values = np.where(there, seen.depth, middle).astype(np.float32)
    sigma = max(1.0, _SMOOTH_M / pixel_m)
    smooth = cv2.GaussianBlur(weight, (0, 0), sigma) + 1e-9
    front = cv2.GaussianBlur(weight * values, (0, 0), sigma) / smooth
    front = np.where(smooth > 1e-6, front, middle)
    bare = rasterize(camera.project(body.vertices), body.vertices[:, 2], body.model.faces, *size)
    beside = there & ~bare.mask
    thick = _USUAL_THICK_M
    if beside.sum() > _BESIDE * mask.sum():
        turned = vertices.astype(np.float64) * [1, 1, -1]
        far = rasterize(camera.project(vertices), turned[:, 2] + 2 * middle, sculpture.faces, *size)
        thick = float(np.median((2 * middle - far.depth - seen.depth)[beside & far.mask]))
    narrow = 2 * pixel_m * float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5).max())
    return front, float(np.clip(min(thick, narrow), _LEAST_THICK_M, _MOST_THICK_M))


def _rounded(places: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Places (N, 2) with those on the rim, edges (E, 2), between their neighbours."""
    places = places.copy()
    own = np.unique(rim)
    for _ in range(_RIM_ROUNDS):
        sums = np.zeros((len(places), 3))
        for a, b in (rim.T, rim.T[::-1]):
            np.add.at(sums, a, np.column_stack([places[b], np.ones(len(b))]))
        places[own] = (places[own] + sums[own, :2] / sums[own, 2:]) / 2
    return places


def _into(cells: np.ndarray, used: np.ndarray) -> np.ndarray:
    """(N,) cells from the rim, of the corners that are ``used``."""
    wide = np.pad(cells, 1).astype(np.uint8)
    away = cv2.distanceTransform(wide, cv2.DIST_L2, 5)
    corner = (away[:-1, :-1] + away[1:, :-1] + away[:-1, 1:] + away[1:, 1:]) / 4
    return np.asarray(corner[: used.shape[0], : used.shape[1]][used], np.float64)


def _carrier(mask: np.ndarray, camera: Camera, pixel_m: float, body: Body, depth: float) -> str:
    """The bone that a thing goes with: a hand or a forearm that touches its upper part, else the
    chest or the hips, whichever is at its height."""
    model = body.model
    rows = np.flatnonzero(mask.any(1))
    upper = mask.copy()
    upper[int(rows[0] + _UPPER * (rows[-1] - rows[0])) + 1 :] = False
    # Handles and straps are thin and not always told: above a thing, too, a hand may hold it.
    above = np.zeros_like(upper)
    columns = np.flatnonzero(upper.any(0))
    high = max(0, int(rows[0] - _HANDLE_M / pixel_m))
    above[high : rows[0] + 1, columns[0] : columns[-1] + 1] = True
    near = cv2.distanceTransform((~(upper | above)).astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
    best, found = _TOUCHES_M, None
    index = model.joint_index
    for wrist, elbow, part in zip(WRISTS, ELBOWS, (LEFT_ARM, RIGHT_ARM), strict=True):
        hand = (model.regions.part == part) & (model.regions.hand > 0.5)
        start, end = body.joints[index[elbow]], body.joints[index[wrist]]
        forearm = start + np.linspace(0.3, 0.9, 7)[:, None] * (end - start)
        for points, name, handicap in (
            (body.vertices[hand], wrist, 0.0),
            (forearm, elbow, 0.01),
        ):
            points = points[np.abs(points[:, 2] - depth) < _DEEP_M]
            columns, down = np.floor(camera.project(points)).astype(int).T
            inside = (columns >= 0) & (columns < camera.width)
            inside &= (down >= 0) & (down < camera.height)
            if not inside.any():
                continue
            # Of the hand, most must be there, for a hand that hangs beside a bag touches it, too.
            away = float(np.percentile(near[down[inside], columns[inside]], 25)) + handicap
            if away < best:
                best, found = away, name
    if found is not None:
        return found
    level = camera.project(body.joints[[index[UPPER_SPINE], index[LOWER_SPINE]]])[:, 1].mean()
    return UPPER_SPINE if rows.mean() < level else ROOT
