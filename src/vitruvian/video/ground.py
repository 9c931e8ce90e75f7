"""The floor among what is behind the people: how long the path of a travelling camera is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SEED = 1
_TRIES = 400  # planes through three points
# Of their normals from what seems to be up: seen from high above, people seem to lean by much.
_NEAR = np.deg2rad(60)
_FLAT = 0.012  # of the distance from the first camera, up to which points lie on a plane
_UNDER = 0.03  # of it, from which they lie under it
_ROUNDS = 5
_LEAST_SHARE = 0.12  # of the points, that lie on a floor that is believed
_LEAST_POINTS = 20
_MOST_SPREAD = 0.2  # of the logarithm of the unit between frames


def ground_unit(
    floor: tuple[np.ndarray, float],
    lowest: Sequence[np.ndarray],
    places: Sequence[np.ndarray],
) -> float | None:
    """The length in metres of a path's unit, by how far feet and floor are below the camera.

    Where somebody's lowest sole is on the floor, its height below the camera is known in metres, by
    their size, and in the path's unit, by what is seen of the floor. None where frames disagree.

    Args:
        floor: of ``floor_of``.
        lowest: for each motion (T, N, 3) where the floor is if a sole is on it, as seen from the
            camera, turned into the floor's axes, metres; it is the lowest of the N.
        places: of each (T, 3) the camera, in the path's unit and the floor's axes.
    """
    normal, level = floor
    units = []
    for own, path in zip(lowest, places, strict=True):
        below, above = -(own @ normal).min(1), path @ normal - level
        fit = (below > 0) & (above > 0)
        units.append(below[fit] / above[fit])
    logs = np.log(np.concatenate(units))
    if len(logs) < 1 or logs.std() > _MOST_SPREAD:
        return None
    return float(np.exp(np.median(logs)))


def floor_of(points: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Upward normal (3,) and level of the plane on which most of ``points`` (N, 3) lie.

    Of planes that are no walls and below the camera, which is at the origin; points under a plane
    speak against it. None where too few lie on the best.
    """
    if len(points) < _LEAST_POINTS:
        return None
    away = np.linalg.norm(points, axis=1)
    first, second, third = points[
        np.random.default_rng(_SEED).integers(len(points), size=(3, _TRIES))
    ]
    normals = np.cross(second - first, third - first)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals *= np.sign(normals @ up)[:, None]
    levels = (normals * first).sum(1)
    fit = (normals @ up > np.cos(_NEAR)) & (levels < 0)
    if not fit.any():
        return None
    normals, levels = normals[fit], levels[fit]
    heights = (normals @ points.T - levels[:, None]) / away
    under = (heights < -_UNDER).mean(1)
    best = int(((np.abs(heights) < _FLAT).sum(1) * (1 - 3 * under)).argmax())
    normal, level = normals[best], float(levels[best])
    for _ in range(_ROUNDS):
        on = np.abs(points @ normal - level) < _FLAT * away
        if on.sum() < max(_LEAST_POINTS, _LEAST_SHARE * len(points)):
            return None
        middle = points[on].mean(0)
        normal = np.linalg.svd(points[on] - middle, full_matrices=False)[2][2]
        normal = normal * np.sign(normal @ up)
        level = float(normal @ middle)
    return normal, level
