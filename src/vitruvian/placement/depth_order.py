"""What the depth network adds to the placing of people: which way is up, and how far everybody is.

One picture leaves open whether somebody is a child near by or an adult farther away. Four things
speak to it, none of them alone: how tall people are, that they stand on one ground, how the network
says the camera stands above that ground, and what it makes of each person. ``settle`` weighs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.networks.depth import DepthMap, DepthNet
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

# Metres from the surface that is seen to the root joint inside of the body.
ROOT_BEHIND_SURFACE = 0.08
# Standard deviations, wider than those of synthetic groups (4 degrees, .11, .12): with these, of 61
# people in real photographs two are made smaller by more than 18 %; with those, 18 people.
UP_SD = np.deg2rad(6.0)
HEIGHT_SD = 0.3  # of the logarithm of the camera's height
READING_SD = 0.19  # of the logarithm of a person's distance, beside the network's own doubt
STATURE_SD = 0.1  # relative, of the fitted stature of an adult
CHILD_SHARE = 0.05  # of people who are no adults, however tall the fit makes them
FARTHEST = 20.0  # metres of fitted distance from which on the network has seen nobody
_FOOT_SD = 0.02  # relative, of how far below the camera feet are
_FOOT_ANGLE_SD = 0.005  # radians, of the direction to them
_SMALLEST, _LARGEST = 0.5, 1.3  # factors that are considered
_CHILD_M = (0.75, 1.6)  # statures of those who are no adults
_FEET_FLOOR = -6.0  # of the logarithm of likelihood: some stand on something else
_LEAST_BELOW = 0.15  # metres; nearer to the horizon, feet tell nothing
_LEAST_CELLS = 3


@dataclass(frozen=True)
class DepthCue:
    """What the network says of the camera and of each person.

    Attributes:
        up: (3,) up direction in the camera frame.
        camera_height: metres above the ground.
        log_distances: (N,) logarithm of the depth of each root joint in metres, NaN where the
            person is too small.
        distance_sds: (N,) their standard deviations.
    """

    up: np.ndarray
    camera_height: float
    log_distances: np.ndarray
    distance_sds: np.ndarray

    def of(self, people: np.ndarray) -> DepthCue:
        """The same of some of the people, by their indices."""
        return replace(
            self,
            log_distances=self.log_distances[people],
            distance_sds=self.distance_sds[people],
        )


@dataclass(frozen=True)
class Settled:
    """Sizes that agree best with everything.

    Attributes:
        up: (3,) up direction in the camera frame.
        camera_height: of the camera above the ground, metres.
        scales: (N,) factors on size and distance of the bodies as fitted.
    """

    up: np.ndarray
    camera_height: float
    scales: np.ndarray


def read_depth(pixels: np.ndarray, camera: Camera, alphas: Sequence[Alpha]) -> DepthCue | None:
    """Run the network on a photograph; None where its weights are not shipped.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        camera: that took it.
        alphas: the matte of each person.
    """
    if not DepthNet.available():
        return None
    return cue_from_map(DepthNet()(pixels, camera), alphas)


def cue_from_map(found: DepthMap, alphas: Sequence[Alpha]) -> DepthCue:
    """Read everybody's distance off a depth map."""
    readings = [_reading(found, alpha) for alpha in alphas]
    table = np.array(readings, dtype=float).reshape(-1, 2)
    return DepthCue(found.up, found.camera_height, table[:, 0], table[:, 1])


def _reading(found: DepthMap, alpha: Alpha) -> tuple[float, float]:
    """Logarithm of the root's depth and its standard deviation: a median over the matte."""
    height, width = found.log_depth.shape
    share = cv2.resize(alpha.full(), (width, height), interpolation=cv2.INTER_AREA) / 255.0
    inside = share > 0.6
    if np.count_nonzero(inside) < _LEAST_CELLS:
        inside = share > 0.2
    if np.count_nonzero(inside) < _LEAST_CELLS:
        return float("nan"), 1.0
    values, spread = found.log_depth[inside], found.log_spread[inside]
    weights = share[inside] * np.exp(-spread)
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    surface = float(values[order][np.searchsorted(total, total[-1] / 2)])
    doubt = float(np.exp((weights * spread).sum() / weights.sum()))
    return float(np.log(np.exp(surface) + ROOT_BEHIND_SURFACE)), float(np.hypot(READING_SD, doubt))


def settle(
    cue: DepthCue,
    vertices: Sequence[np.ndarray],
    depths: np.ndarray,
    statures: np.ndarray,
    feet: np.ndarray,
    known: np.ndarray,
    up: np.ndarray | None = None,
    stature_sds: np.ndarray | None = None,
) -> Settled:
    """The sizes, camera height and small correction of pitch that are likeliest together.

    Scaling a person about the camera leaves their picture as it is, so a factor on each is what
    remains unknown. Feet, statures and readings count robustly (Cauchy, and for statures a share
    of people of any size), so that somebody on a chair or a child does not bend the rest. For a
    given pitch and height of the camera people are independent of each other: both are searched on
    a grid, and each person's factor is the best one there.

    Args:
        cue: what the network says.
        vertices: (V, 3) of each fitted body, camera frame.
        depths: (N,) z of their root joints, metres.
        statures: (N,) metres.
        feet: (N,) 0..1, how surely the lowest point is seen and on the ground.
        known: (N,) bool, people whose stature was given; their factor stays 1.
        up: (3,) up direction as standing people tell it; it counts as much as the network's.
        stature_sds: (N,) relative standard deviations of the statures where something else tells
            them, so that nobody's age is in question any more; NaN where nothing does.
    """
    told = cue.up if up is None else cue.up + np.asarray(up) / np.linalg.norm(up)
    told = told / np.linalg.norm(told)
    far = np.asarray(depths) > FARTHEST
    feet = np.where(far, 0.0, feet)
    cue = replace(cue, log_distances=np.where(far, np.nan, cue.log_distances))
    logs = np.linspace(np.log(_SMALLEST), np.log(_LARGEST), 73)
    sds = np.full(len(vertices), np.nan) if stature_sds is None else np.asarray(stature_sds)
    alone = _of_person(cue, logs, np.asarray(depths), np.asarray(statures), sds)
    pinned = np.where(np.abs(logs) == np.abs(logs).min(), 0.0, -1e6)
    alone = np.where(np.asarray(known, bool)[:, None], pinned, alone)
    heights = np.log(cue.camera_height) + np.linspace(-3, 3, 49) * HEIGHT_SD
    prior = -0.5 * ((heights - np.log(cue.camera_height)) / HEIGHT_SD) ** 2
    best: tuple[float, np.ndarray, float, np.ndarray] | None = None
    for tilt in np.linspace(-2.5, 2.5, 17) * UP_SD:
        turned = matrix_from_axis_angle(np.array([tilt, 0.0, 0.0])) @ told
        likelihood = alone[None] + _of_feet(
            turned, vertices, feet, heights, logs
        )  # (heights, N, logs)
        choice = likelihood.argmax(axis=2)
        score = likelihood.max(axis=2).sum(axis=1) + prior - 0.5 * (tilt / UP_SD) ** 2
        k = int(score.argmax())
        if best is None or score[k] > best[0]:
            best = float(score[k]), turned, float(np.exp(heights[k])), np.exp(logs[choice[k]])
    assert best is not None
    return Settled(best[1], best[2], best[3])


def _of_person(
    cue: DepthCue, logs: np.ndarray, depths: np.ndarray, statures: np.ndarray, sds: np.ndarray
) -> np.ndarray:
    """Log likelihood (N, S) of each factor from stature and reading alone."""
    tall = statures[:, None] * np.exp(logs)
    told = np.isfinite(sds)
    sd = np.where(told, sds, STATURE_SD)[:, None]
    fitted = np.exp(-0.5 * (logs / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    children = np.where(told, 0.0, CHILD_SHARE)[:, None]
    child = (tall > _CHILD_M[0]) & (tall < _CHILD_M[1])
    width = np.log(_CHILD_M[1] / _CHILD_M[0])
    out = np.log((1 - children) * fitted + children * child / width + 1e-5)
    error = (np.log(depths)[:, None] + logs - cue.log_distances[:, None]) / cue.distance_sds[
        :, None
    ]
    return np.asarray(out + np.nan_to_num(-1.5 * np.log1p(error**2 / 3)))


def _of_feet(
    up: np.ndarray,
    vertices: Sequence[np.ndarray],
    feet: np.ndarray,
    heights: np.ndarray,
    logs: np.ndarray,
) -> np.ndarray:
    """Log likelihood (H, N, S) of each factor under each camera height, from where feet are."""
    out = np.zeros((len(heights), len(vertices), len(logs)))
    for i, points in enumerate(vertices):
        along = points @ up
        lowest = int(along.argmin())
        below = -float(along[lowest])
        if below < _LEAST_BELOW or feet[i] <= 0:
            continue
        far = float(np.linalg.norm(points[lowest]))
        sd = float(np.hypot(_FOOT_SD, _FOOT_ANGLE_SD * far / below))
        error = (np.log(below) + logs[None] - heights[:, None]) / sd
        likelihood = np.maximum(-1.5 * np.log1p(error**2 / 3), _FEET_FLOOR)
        out[:, i] = feet[i] * (likelihood - np.log(sd))
    return out
