"""Cloth around the legs as distances from the line between them, by level and angle."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.avatar.tube import Axis
from vitruvian.geometry.normals import vertex_normals
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG, TRUNK

ANGLES = 56
_ONE_SIDED_M = 0.07  # by which it may stand off more than on the other side: else a bag
_BEYOND_M, _WITHIN_M = 0.03, 0.05  # of what is usual there, outside of which nothing is cloth
_CURLED = 4  # rows at the hem
_FACING = 0.25  # least cosine between what is taken for cloth and the direction outwards
_SMOOTH_ROWS, _SMOOTH_ANGLES = 1.2, 1.5
_EVEN_ROWS = 2.0  # rows over which columns keep their way down
_WALK_LEVELS, _AROUND_M = (0.7, 1.7), 1.2  # hems from no room to this, around somebody of 1.7 m
_WALK_ROUNDS, _GROWS = 12, 5.0  # at most so much a ring grows with what is added
_LEAST_PER_ROW = 4  # points of cloth


def height_map(
    axis: Axis, model: ParametricModel, sculpture: Mesh, levels: np.ndarray, angles: np.ndarray
) -> np.ndarray | None:
    """(R, A) metres from the centre line to the cloth, smooth; None where too little is there."""
    if sculpture.body_vertices is None:
        return None
    part = model.regions.part[sculpture.body_vertices]
    chosen = np.isin(part, (TRUNK, LEFT_LEG, RIGHT_LEG))
    chosen &= np.bincount(sculpture.faces.ravel(), minlength=len(part)) > 0  # but left out
    points = sculpture.vertices[chosen].astype(np.float64)
    normals = vertex_normals(sculpture.vertices, sculpture.faces)[chosen]
    level, angle, distance = axis.of_points(points)
    outward = axis.points(level, angle, np.ones(len(level))) - axis.points(
        level, angle, np.zeros(len(level))
    )
    step = levels[1] - levels[0]
    good = ((outward * normals).sum(1) > _FACING) & (level > levels[0] - step)
    good &= level < levels[-1] + 0.5 * step
    row = np.clip((level[good] - levels[0]) / step, 0, len(levels) - 1)
    column = (angle[good] / np.pi + 1) / 2 * ANGLES
    values = distance[good]
    if good.sum() < _LEAST_PER_ROW * len(levels):
        return None
    first = splatted(row, column, values, np.ones(len(values)), len(levels))
    # What stands off on one side alone is a bag, and what is far within are the legs beneath.
    mirrored = first[:, (ANGLES // 2 - np.arange(ANGLES)) % ANGLES]
    at = np.rint(row).astype(int), np.rint(column).astype(int) % ANGLES
    usual = np.minimum(first[at], mirrored[at] + _ONE_SIDED_M)
    weight = (values < usual + _BEYOND_M) & (values > usual - _WITHIN_M)
    out = np.minimum(
        splatted(row, column, values, weight.astype(float), len(levels)), mirrored + _ONE_SIDED_M
    )
    for row_number in range(len(levels) - _CURLED, len(levels)):
        # The closed surface curls in at the hem.
        out[row_number] = np.maximum(out[row_number], out[row_number - 1])
    return out


def splatted(
    row: np.ndarray, column: np.ndarray, values: np.ndarray, weight: np.ndarray, rows: int
) -> np.ndarray:
    """Values averaged over a grid (rows, ANGLES) that closes around, and spread where none are."""
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    sums = np.zeros((rows + 1, ANGLES, 2))
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - down - (row - top)) * np.abs(1 - right - (column - left)) * weight
            place = np.minimum(top + down, rows), (left + right) % ANGLES
            np.add.at(sums, place, np.stack([share * values, share], 1))
    sums = sums[:rows]
    out = np.zeros((rows, ANGLES))
    mean = sums[..., 0].sum() / max(sums[..., 1].sum(), 1e-9)
    out[:] = mean
    for scale in (8, 4, 2, 1):  # from coarse to fine: gaps take what is around
        smooth = blurred(sums, scale)
        share = np.clip(smooth[..., 1] * 20 * scale, 0, 1)
        out += share * (smooth[..., 0] / np.maximum(smooth[..., 1], 1e-9) - out)
    return out


def with_room_to_walk(
    levels: np.ndarray, angles: np.ndarray, distance: np.ndarray, height_m: float
) -> np.ndarray:
    """(R, A) metres from the centre line, of cloth in which somebody can walk.

    How wide a long skirt is from side to side the photograph shows; from front to back it is a
    guess, which grows evenly down to the hem where that would be too narrow for a stride. Arguments
    as ``height_map`` has and returns them; ``height_m`` is the stature.
    """
    hem, deep = float(levels[-1]), np.square(np.sin(angles))
    least = np.interp(hem, _WALK_LEVELS, (0, 1)) * _AROUND_M * height_m / 1.7
    added = 0.0
    for _ in range(_WALK_ROUNDS):
        ring = distance[-1] + added * deep
        ring = ring[:, None] * np.stack([np.cos(angles), np.sin(angles)], -1)
        around = float(np.linalg.norm(np.roll(ring, -1, 0) - ring, axis=1).sum())
        added += max(least - around, 0.0) / _GROWS
    return np.asarray(distance + added * np.clip(levels / hem, 0, 1)[:, None] * deep)


def even_around(angles: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """(R, A) angles that divide the front and the back half of every ring into parts of one length.

    By angle, rings that are wide and shallow have short parts before and behind, which strides draw
    out first. Arguments as ``height_map`` has and returns them, angles (A,) from -pi on.
    """
    half = ANGLES // 2
    ring = distance[..., None] * np.stack([np.cos(angles), np.sin(angles)], -1)
    parts = np.linalg.norm(np.roll(ring, -1, 1) - ring, axis=2)
    along = np.cumsum(parts.reshape(-1, half), axis=1)  # of back and front of every ring
    along = np.pad(along / along[:, -1:], ((0, 0), (1, 0)))
    even = np.arange(half) / half
    place = np.array([np.interp(even, row, np.arange(half + 1)) for row in along])
    place = place.reshape(len(distance), ANGLES) + np.repeat([0, half], half)
    place = cv2.GaussianBlur(
        place, (1, 0), sigmaX=1e-6, sigmaY=_EVEN_ROWS, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(angles[0] + place * 2 * np.pi / ANGLES)


def at_angles(angles: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Values (R, A) at angles (A,) from -pi on, at other angles (R, B) of the same rings."""
    wide = np.append(angles, angles[0] + 2 * np.pi)
    around = (wanted + np.pi) % (2 * np.pi) - np.pi
    return np.array([
        np.interp(to, wide, np.append(row, row[0]))
        for to, row in zip(around, values, strict=True)
    ])  # fmt: skip


def blurred(values: np.ndarray, scale: float) -> np.ndarray:
    """Values (R, A, C) blurred, closed around."""
    wide = np.concatenate([values[:, -ANGLES // 2 :], values, values[:, : ANGLES // 2]], 1)
    wide = cv2.GaussianBlur(
        wide,
        (0, 0),
        sigmaX=_SMOOTH_ANGLES * scale,
        sigmaY=_SMOOTH_ROWS * scale,
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.asarray(wide[:, ANGLES // 2 : ANGLES // 2 + ANGLES])
