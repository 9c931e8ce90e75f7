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
from vitruvian.placement.order import Occlusion, settle_order
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
_SMALLEST, _LARGEST = 0.42, 1.3  # factors that are considered
_STEP = 0.013  # of their logarithms
_CHILD_M = (0.75, 1.6)  # statures of those who are no adults
_ADULT_M, _ADULT_SD = 1.68, 0.07  # of those who are, and the relative standard deviation
_LEAST_DOUBT = 0.02  # that nothing leaves out, of somebody being a child, or not
# Of people whose legs are surely hidden, those whose body was fitted into what is seen of them, too
# small and too far away, and the least logarithm of the factor that is meant by that.
_SQUEEZED, _SQUEEZED_POWER, _LEAST_SQUEEZE = 0.35, 2, 0.15
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
        squeezed: (N,) bool, whose factor is rather one on distance alone: they are as tall as
            fitted, but their hidden limbs were fitted into what is seen of them.
    """

    up: np.ndarray
    camera_height: float
    scales: np.ndarray
    squeezed: np.ndarray


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
    children: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
    occlusions: Sequence[Occlusion] = (),
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
            them, so that nobody's age is in question but by ``children``; NaN where none does.
        children: (N,) probabilities of children, as the bodies were fitted by, where something
            tells them, else NaN.
        hidden: (N,) probabilities that something hides the legs, by default 0.
        occlusions: who stands before whom.
    """
    told = cue.up if up is None else cue.up + np.asarray(up) / np.linalg.norm(up)
    told = told / np.linalg.norm(told)
    far = np.asarray(depths) > FARTHEST
    feet = np.where(far, 0.0, feet)
    cue = replace(cue, log_distances=np.where(far, np.nan, cue.log_distances))
    logs = _STEP * np.arange(round(np.log(_SMALLEST) / _STEP), round(np.log(_LARGEST) / _STEP) + 1)
    sds = np.full(len(vertices), np.nan) if stature_sds is None else np.asarray(stature_sds)
    young = np.full(len(vertices), np.nan) if children is None else np.asarray(children)
    covered = np.zeros(len(vertices)) if hidden is None else np.asarray(hidden)
    tall = _of_stature(logs, np.asarray(statures), sds, young)
    near = _of_squeeze(logs, covered)
    alone = np.logaddexp(tall, near) + _of_reading(cue, logs, np.asarray(depths))
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
        score = likelihood.max(axis=2).sum(axis=1) + prior - 0.5 * (tilt / UP_SD) ** 2
        k = int(score.argmax())
        if best is None or score[k] > best[0]:
            best = float(score[k]), turned, float(np.exp(heights[k])), likelihood[k]
    assert best is not None
    distances = np.asarray(depths)[:, None] * np.exp(logs)
    choice = settle_order(best[3], distances, occlusions)
    people = np.arange(len(choice))
    squeezed = near[people, choice] > tall[people, choice]
    return Settled(best[1], best[2], np.exp(logs[choice]), squeezed)


def _of_stature(
    logs: np.ndarray, statures: np.ndarray, sds: np.ndarray, children: np.ndarray
) -> np.ndarray:
    """Log likelihood (N, S) of each factor from the statures that it makes."""
    tall = statures[:, None] * np.exp(logs)
    sd = np.where(np.isfinite(sds), sds, STATURE_SD)[:, None]
    fitted = np.exp(-0.5 * (logs / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    unknown = np.where(np.isfinite(sds), 0.0, CHILD_SHARE)
    told = np.clip(children, _LEAST_DOUBT, 1 - _LEAST_DOUBT)
    child = np.where(np.isfinite(children), told, unknown)[:, None]
    small = (tall > _CHILD_M[0]) & (tall < _CHILD_M[1])
    away = np.log(tall / _ADULT_M) / _ADULT_SD
    grown = np.exp(-0.5 * away**2) / (_ADULT_SD * np.sqrt(2 * np.pi))
    # A fit makes of somebody a child or a grown person: the other is what else they may be.
    as_adult = (1 - child) * fitted + child * small / np.log(_CHILD_M[1] / _CHILD_M[0])
    as_child = child * fitted + (1 - child) * grown
    return np.log(np.where(child < 0.5, as_adult, as_child) + 1e-5)


def _of_squeeze(logs: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Log likelihood (N, S) of each factor if a body was fitted into the seen part of a person."""
    share = _SQUEEZED * hidden[:, None] ** _SQUEEZED_POWER
    nearer = logs < -_LEAST_SQUEEZE
    return np.log(share * nearer / (-np.log(_SMALLEST) - _LEAST_SQUEEZE) + 1e-9)


def _of_reading(cue: DepthCue, logs: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """Log likelihood (N, S) of each factor from what the network reads."""
    away = np.log(depths)[:, None] + logs - cue.log_distances[:, None]
    error = away / cue.distance_sds[:, None]
    return np.nan_to_num(-1.5 * np.log1p(error**2 / 3))


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
