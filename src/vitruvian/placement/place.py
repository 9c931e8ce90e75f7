"""From bodies fitted one by one to a scene: upright, on one ground, in depth order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.placement.depth_order import DepthCue, settle
from vitruvian.placement.ground import STATURE_SD, feet_seen, fit_ground, world_from_ground
from vitruvian.placement.order import find_occlusions, order_scales
from vitruvian.placement.upright import estimate_up, standing
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import ANKLES, HEELS, TOES

_FEET = np.concatenate([ANKLES, HEELS, TOES])
_KNOWN_SD = 0.002  # relative, of a stature that was given
_LEAST_SD = 0.03  # relative: nothing but a tape measure is surer of a stature
_WORTH_REFITTING = 0.01  # relative change of size below which a body is left as it is


@dataclass(frozen=True)
class Placement:
    """Bodies in their final sizes and places, and the world around them.

    Attributes:
        bodies: in the camera frame.
        world_from_camera: (4, 4) float64 rigid matrix.
    """

    bodies: tuple[Body, ...]
    world_from_camera: np.ndarray


def _lowest(body: Body, up: np.ndarray) -> np.ndarray:
    """The lowest point (3,) of a body."""
    return body.vertices[(body.vertices @ up).argmin()].astype(np.float64)


def place_people(
    figures: Sequence[Figure],
    bodies: Sequence[Body],
    camera: Camera,
    refit: Callable[[Figure, Body, float], Body],
    *,
    known_sizes: Collection[int] = (),
    depth: DepthCue | None = None,
) -> Placement:
    """Turn the world upright, find its ground and settle sizes and depth order.

    One picture does not tell a small person near by from a tall one far away. Three cues settle it
    where they are there: feet stand on one ground, whoever hides another is nearer, and a network
    reads distances and the horizon off the picture.

    Args:
        figures, bodies: one each per person.
        camera: of the photograph.
        refit: fits a figure's body to another stature, in metres.
        known_sizes: indices of the people whose stature was given; they keep it.
        depth: what the depth network says; without it the ground alone settles sizes.
    """
    up = estimate_up(bodies, [1.0 if f.complete else 0.3 for f in figures])
    placed = list(bodies)
    if len(bodies) > 1:
        known = np.isin(np.arange(len(bodies)), list(known_sizes))
        feet = np.array(
            [feet_seen(f.landmarks.visibility[_FEET], f.complete) for f in figures], dtype=float
        )
        if depth is None:
            up, scales, feet = _by_ground(figures, bodies, feet, known, up)
        else:
            told = np.array([np.nan if f.estimate is None else _stature_sd(f) for f in figures])
            depths = np.array([body.translation[2] for body in bodies])
            statures = np.array([body.height_m for body in bodies])
            vertices = [body.vertices for body in bodies]
            settled = settle(depth, vertices, depths, statures, feet, known, up, told)
            up, scales = settled.up, settled.scales
        occlusions = find_occlusions(
            [body.vertices for body in bodies],
            bodies[0].model.faces,
            [f.alpha for f in figures],
            camera,
        )
        depths = np.array([body.translation[2] for body in bodies]) * scales
        trust = np.where(known, 1e6, 0.1 + feet)
        scales = scales * order_scales(depths, occlusions, trust)
        for i, scale in enumerate(scales):
            if not known[i] and abs(np.log(scale)) > _WORTH_REFITTING:
                placed[i] = refit(figures[i], bodies[i], float(bodies[i].height_m * scale))
    return Placement(tuple(placed), _world(placed, figures, up))


def _by_ground(
    figures: Sequence[Figure],
    bodies: Sequence[Body],
    feet: np.ndarray,
    known: np.ndarray,
    up: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Up, factors (N,) on sizes, and how far (N,) feet count, from the shared ground alone."""
    seen = feet * np.array([max(standing(body)[0], 0.3) for body in bodies])
    lowest = np.stack([_lowest(body, up) for body in bodies])
    statures = np.array([body.height_m for body in bodies])
    stature_sd = np.array([_stature_sd(figure) for figure in figures])
    stature_sd[known] = _KNOWN_SD
    ground = fit_ground(lowest, statures, seen, up, stature_sd)
    if ground is None:
        return up, np.ones(len(bodies)), seen
    return ground.up, ground.scales, seen


def _stature_sd(figure: Figure) -> float:
    """Relative standard deviation of a stature that was not given.

    An estimate that takes somebody for a child or an adult for certain is not overruled by the
    ground; where it wavers, the ground decides.
    """
    return STATURE_SD if figure.estimate is None else max(figure.estimate.stature_sd, _LEAST_SD)


def _world(bodies: Sequence[Body], figures: Sequence[Figure], up: np.ndarray) -> np.ndarray:
    """``world_from_camera`` with the ground under the feet and the people around the origin."""
    if not bodies:
        return world_from_ground(up, -1.6 * up)
    heights = np.array([float((body.vertices @ up).min()) for body in bodies])
    trust = np.array([0.05 + feet_seen(f.landmarks.visibility[_FEET], f.complete) for f in figures])
    # The ground is where most feet are; those in the air or below the frame are outvoted.
    order = np.argsort(heights)
    cumulative = np.cumsum(trust[order])
    level = heights[order][np.searchsorted(cumulative, cumulative[-1] / 2)]
    centre = np.mean([body.translation for body in bodies], axis=0)
    origin = centre + (level - centre @ up) * up
    return world_from_ground(up, origin)
