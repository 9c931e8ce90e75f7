"""Sizes of the people in a picture that agree with their ground and with who hides whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vitruvian.body.model.skeleton import NECK
from vitruvian.placement.depth_order import DepthCue, settle
from vitruvian.placement.ground import STATURE_SD, fit_ground
from vitruvian.placement.order import find_occlusions, order_scales
from vitruvian.placement.upright import estimate_up, standing
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure

_KNOWN_SD = 0.002  # relative, of a stature that was given
_LEAST_SD = 0.03  # relative: nothing but a tape measure is surer of a stature
# Somebody hidden may be nearer by such a factor if less of their body than this would be bare.
_MUCH_NEARER, _BARE = 0.7, 0.25
_WORTH_REFITTING = 0.01  # relative change of size below which a body is left as it is


def settle_sizes(
    figures: Sequence[Figure],
    bodies: Sequence[Body],
    camera: Camera,
    refit: Callable[[Figure, Body, float], Body],
    known: np.ndarray,
    feet: np.ndarray,
    depth: DepthCue | None,
    children: np.ndarray,
) -> tuple[list[Body], np.ndarray]:
    """People of one picture in sizes that agree, and the up direction (3,) there.

    Args:
        figures, bodies: one each per person.
        camera: of the photograph.
        refit: fits a figure's body to another stature, in metres.
        known: (N,) bool, whose stature was given.
        feet: (N,) 0..1, how surely the feet are seen and on the ground.
        depth: what the depth network says; None lets the ground alone settle sizes.
        children: (N,) probabilities of being a child; NaN where nothing tells.
    """
    up = estimate_up(bodies, [1.0 if f.complete else 0.3 for f in figures])
    if len(bodies) < 2:
        return list(bodies), up
    vertices = [body.vertices for body in bodies]
    depths = np.array([body.translation[2] for body in bodies])
    occlusions = find_occlusions(
        vertices, bodies[0].model.faces, [f.alpha for f in figures], camera
    )
    squeezed = np.zeros(len(bodies), bool)
    if depth is None:
        up, scales, feet = _by_ground(figures, bodies, feet, known, up)
        scales = scales * order_scales(
            depths * scales, occlusions, np.where(known, 1e6, 0.1 + feet)
        )
    else:
        told = np.array([np.nan if f.estimate is None else _stature_sd(f) for f in figures])
        settled = settle(
            depth,
            vertices,
            depths,
            np.array([body.height_m for body in bodies]),
            feet,
            known,
            up,
            told,
            children,
            _hidden(figures, bodies, camera),
            occlusions,
        )
        up, scales, squeezed = settled.up, settled.scales, settled.squeezed
    placed = list(bodies)
    for i, scale in enumerate(scales):
        if known[i] or abs(np.log(scale)) <= _WORTH_REFITTING:
            continue
        if squeezed[i]:
            placed[i] = _nearer(bodies[i], float(scale))
        else:
            placed[i] = refit(figures[i], bodies[i], float(bodies[i].height_m * scale))
    return placed, up


def _hidden(figures: Sequence[Figure], bodies: Sequence[Body], camera: Camera) -> np.ndarray:
    """How likely (N,) others hide the legs of each, so that the body may be larger than fitted.

    Were it much nearer, it would still have to lie under what is seen of people, or beyond the
    frame.
    """
    union = np.zeros((camera.height, camera.width), bool)
    for figure in figures:
        alpha = figure.alpha
        high, wide = alpha.values.shape
        union[alpha.y : alpha.y + high, alpha.x : alpha.x + wide] |= alpha.values > 127
    out = np.zeros(len(bodies))
    for i, (figure, body) in enumerate(zip(figures, bodies, strict=True)):
        if figure.estimate is None:
            continue
        cells = np.floor(camera.project(_nearer(body, _MUCH_NEARER).vertices)).astype(int)
        inside = ((cells >= 0) & (cells < [camera.width, camera.height])).all(axis=1)
        columns, rows = cells[inside].T
        if (~union[rows, columns]).sum() < _BARE * len(cells):
            out[i] = figure.estimate.part("legs")["hidden"]
    return out


def _nearer(body: Body, factor: float) -> Body:
    """A body as it is at another distance, with the neck where the picture shows it."""
    moved = (factor - 1) * body.joint(NECK)
    return replace(
        body,
        translation=body.translation + moved,
        vertices=body.vertices + moved.astype(np.float32),
        joints=body.joints + moved,
    )


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


def _lowest(body: Body, up: np.ndarray) -> np.ndarray:
    """The lowest point (3,) of a body."""
    return body.vertices[(body.vertices @ up).argmin()].astype(np.float64)
