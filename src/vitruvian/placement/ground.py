"""The ground that people share, and what it says of their sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.rotations import matrix_from_axis_angle

# Relative standard deviation of a stature that nothing in the picture tells: that of adults.
STATURE_SD = 0.055
_GROUND_SD = 0.03  # relative, of a foot's height below the camera when all is well seen
_ANGLE_SD = 0.02  # radians, of the direction to a foot against the ground's
_PITCH_SD = np.deg2rad(3)
_SHORTEST, _TALLEST = 0.75, 2.05  # metres; beyond these the feet are not on this ground
_ROBUST = 1.3


@dataclass(frozen=True)
class Ground:
    """A ground plane.

    Attributes:
        up: (3,) unit normal in the camera frame.
        camera_height: of the camera above the ground, metres.
        scales: (N,) by which each person's size and distance should be multiplied so that their
            feet meet the ground, as far as statures can be believed to vary; 1 where unknown.
    """

    up: np.ndarray
    camera_height: float
    scales: np.ndarray


def fit_ground(
    feet: np.ndarray,
    statures: np.ndarray,
    seen: np.ndarray,
    up: np.ndarray,
    stature_sd: np.ndarray,
) -> Ground | None:
    """The plane on which most people stand if all were of ordinary stature.

    Scaling a person about the camera leaves their picture as it is, so the foot of person i lies
    ``scale_i * depth_i`` below the camera. Height and a small correction of the pitch are those
    that keep the scales nearest to 1, robustly: a child among adults stands out and is made
    smaller and nearer instead of being an adult far behind.

    Args:
        feet: (N, 3) lowest point of each person in the camera frame.
        statures: (N,) metres, as fitted.
        seen: (N,) 0..1, how surely the feet are seen and on the ground.
        up: (3,) first guess of the up direction in the camera frame.
        stature_sd: (N,) relative standard deviations of the statures: ``STATURE_SD`` where they
            are guessed, next to nothing where they are given.

    Returns:
        None when fewer than two people have their feet in view below the camera.
    """
    tilts = np.deg2rad(np.linspace(-10, 10, 41))
    best: tuple[float, np.ndarray, float, np.ndarray, np.ndarray] | None = None
    for tilt in tilts:
        turned = matrix_from_axis_angle(np.array([tilt, 0, 0])) @ up
        below = -feet @ turned
        usable = (below > 0.25) & (seen > 0.3)
        if usable.sum() < 2:
            continue
        distance = np.linalg.norm(feet, axis=1)
        safe = np.where(usable, below, 1.0)
        uncertainty = np.sqrt(_GROUND_SD**2 + (_ANGLE_SD * distance / safe) ** 2)
        sd = np.sqrt(stature_sd**2 + uncertainty**2)
        log_below = np.log(safe)
        height = _robust_mean(log_below[usable], sd[usable], seen[usable])
        residual = (log_below - height) / sd
        cost = float(
            (seen * np.log1p(residual**2 / _ROBUST**2) * _ROBUST**2)[usable].sum()
            + (tilt / _PITCH_SD) ** 2
        )
        # People without usable feet in this hypothesis must not make it look better.
        cost += 4.0 * float((seen[(seen > 0.3) & ~usable]).sum())
        if best is None or cost < best[0]:
            best = cost, turned, float(np.exp(height)), below, uncertainty
    if best is None:
        return None
    _, turned, height_m, below, uncertainty = best
    scales = np.ones(len(feet))
    for i in np.flatnonzero((below > 0.25) & (seen > 0.3)):
        scales[i] = _scale(height_m / below[i], uncertainty[i], statures[i], stature_sd[i])
    return Ground(turned, height_m, scales)


def _scale(wanted: float, uncertainty: float, stature: float, stature_sd: float) -> float:
    """What to multiply a person's size by when the ground asks for ``wanted``."""
    if not _SHORTEST < stature * wanted < _TALLEST:
        return 1.0
    if wanted < 0.85 and uncertainty < 0.1 and stature_sd >= STATURE_SD:
        return wanted  # far outside what adults vary by: a child
    trust = stature_sd**2 / (stature_sd**2 + uncertainty**2)
    return float(np.exp(np.log(wanted) * trust))


def _robust_mean(values: np.ndarray, sd: np.ndarray, weights: np.ndarray) -> float:
    """Cauchy-weighted mean (iteratively reweighted from the median)."""
    mean = float(np.median(values))
    for _ in range(20):
        residual = (values - mean) / sd
        weight = weights / sd**2 / (1 + (residual / _ROBUST) ** 2)
        mean = float((weight * values).sum() / weight.sum())
    return mean


def world_from_ground(up: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """The (4, 4) matrix ``world_from_camera`` of a world whose origin is ``origin``.

    y points along ``up``; z points horizontally from the people towards the camera, so that
    someone who faces the camera faces +z, as glTF models do.

    Args:
        up: (3,) unit vector in the camera frame.
        origin: (3,) point of the ground in the camera frame.
    """
    back = np.array([0.0, 0.0, -1.0])
    z = back - (back @ up) * up
    z = z / np.linalg.norm(z)
    rotation = np.stack([np.cross(up, z), up, z])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = -rotation @ origin
    return matrix


def feet_seen(visibilities: np.ndarray, complete: bool) -> float:
    """Trust 0..1 in a person's feet from the visibility (N,) of ankles, heels and toes."""
    return float(np.mean(visibilities)) * (1.0 if complete else 0.6)
