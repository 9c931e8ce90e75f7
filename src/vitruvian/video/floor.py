"""The floor that everybody in a clip walks on: which way is up, and how far below the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.placement.upright import estimate_up
from vitruvian.types.body import Body
from vitruvian.types.motion import Motion
from vitruvian.video.contacts import SOLES
from vitruvian.video.verticals import Edges

_TELLING = 60  # bodies that tell which way is up
_TILT_SD = np.deg2rad(5)  # of that direction
_NEAR_AXIS = np.deg2rad(15)  # from a calibration's axis, within which that is up
_AXIS_TILT_SD = np.deg2rad(0.5)
_HEIGHT_SD = 0.03  # metres, of a sole's height
_REACH = 0.10  # metres above the floor up to which a still foot stands on it
_ROUNDS = 12


def bodies_of(model: BodyModel, motion: Motion, times: Sequence[int]) -> list[Body]:
    """Bodies of a motion at some of its times, in its frame."""
    out = []
    height = float(model.stature(motion.betas))
    for time in times:
        posed = model.forward(motion.betas, motion.pose[time], motion.translation[time])
        out.append(
            Body(
                model,
                motion.betas,
                motion.pose[time],
                motion.translation[time],
                height,
                posed.vertices,
                posed.joints,
            )
        )
    return out


def sole_heights(model: BodyModel, betas: np.ndarray) -> np.ndarray:
    """(2,) heights of heel and tip landmarks of a standing foot above the floor, metres."""
    at_rest = np.tile(np.eye(3), (len(model.parents), 1, 1))
    vertices, joints = model.rest(betas)
    points, _ = model.evaluate(
        model.keypoints(), betas, at_rest, joints[0], model.active, jacobian=False
    )
    return np.asarray(points[SOLES][..., 1].mean(0) - float(vertices[:, 1].min()))


def landmarks_of(model: BodyModel, motion: Motion) -> np.ndarray:
    """(T, 33, 3) BlazePose's landmarks on the body, in the motion's frame, metres."""
    points = model.keypoints()
    pairs = zip(matrix_from_axis_angle(motion.pose), motion.translation, strict=True)
    return np.stack(
        [
            model.evaluate(points, motion.betas, turns, where, model.active, jacobian=False)[0]
            for turns, where in pairs
        ]
    )


def upright_of(model: BodyModel, motions: Sequence[Motion]) -> np.ndarray:
    """(3,) unit vector: the mean axis of those who stand straight in motions of one frame."""
    bodies = []
    for motion in motions:
        count = max(1, _TELLING // len(motions))
        times = np.unique(np.linspace(0, len(motion.times_s) - 1, count).round().astype(int))
        bodies += bodies_of(model, motion, times.tolist())
    return estimate_up(bodies, [1.0] * len(bodies))


def find_floor(
    model: BodyModel,
    motions: Sequence[Motion],
    stands: Sequence[np.ndarray],
    up: np.ndarray,
    *,
    axes: np.ndarray | None = None,
    edges: Edges | None = None,
) -> tuple[Floor, list[np.ndarray]]:
    """The floor in the frame of the motions, and for each motion which soles (T, 2, 2) are on it.

    Soles that stand, less those that are held up, settle height and a small tilt, robustly.

    Args:
        model: of the body.
        motions: in one frame, the cameras' reference; at least one.
        stands: for each (T, 2, 2) bool, as of ``contacts.standing``.
        up: (3,) of ``upright_of``.
        axes: (N, 3) directions one of which may be up, such as those of a calibration; the one
            near the people's is believed.
        edges: behind the people, of which those that are upright tell what is up; None where
            nothing is known of them.
    """
    tilt_sd = _TILT_SD
    if axes is not None and float((axes @ up).max()) > np.cos(_NEAR_AXIS):
        up, tilt_sd, edges = axes[int((axes @ up).argmax())], _AXIS_TILT_SD, None
    if edges is not None:
        up = edges.upright(up)
    soles = sole_heights(model, motions[0].betas)
    # The ground below heel and tip, were the foot flat.
    lowest = [
        landmarks_of(model, motion)[:, SOLES]
        - sole_heights(model, motion.betas)[None, None, :, None] * up
        for motion in motions
    ]
    chosen = np.concatenate([feet[held] for feet, held in zip(lowest, stands, strict=True)])
    if len(chosen) < 4:  # nobody stands: under the lowest of all
        flat = np.concatenate([feet.reshape(-1, 3) for feet in lowest])
        level = float(np.percentile(flat @ up, 5))
        return Floor(up, level, soles), [np.zeros_like(held) for held in stands]
    up, level = _plane(chosen, up, tilt_sd)
    if edges is not None:
        # Feet of somebody who hardly leaves their place tilt the floor: edges have the last word.
        upright = edges.upright(up)
        if not np.array_equal(upright, up):
            up, level = _plane(chosen, upright, _AXIS_TILT_SD)
    touching = [
        held & (np.abs(feet @ up - level) < _REACH)
        for feet, held in zip(lowest, stands, strict=True)
    ]
    return Floor(up, level, soles), touching


def floor_for(model: BodyModel, floor: Floor, betas: np.ndarray) -> Floor:
    """The floor for the soles of somebody of another shape."""
    return replace(floor, soles=sole_heights(model, betas))


def _plane(
    points: np.ndarray, up: np.ndarray, tilt_sd: float = _TILT_SD
) -> tuple[np.ndarray, float]:
    """Normal and level of the floor under points (N, 3), near ``up`` (3,).

    Iteratively reweighted; points above count less than those below, for feet are held up but
    never under the floor.
    """
    side = np.cross(up, [0.0, 0, 1])
    side = side / np.linalg.norm(side)
    across = np.stack([side, np.cross(side, up)])
    centre = points.mean(0)
    level = float(np.percentile(points @ up, 25))
    # As many residuals as there are independent stands, not frames.
    worth = min(1.0, 40 / len(points))
    normal = up
    for _ in range(_ROUNDS):
        residual = (points @ normal - level) / _HEIGHT_SD
        limit = np.where(residual > 0, 1.0, 2.0)
        weight = worth / (1 + (residual / limit) ** 2)
        flat = (points - centre) @ across.T
        rows = np.concatenate([flat, -np.ones((len(points), 1))], axis=1) / _HEIGHT_SD
        values = -(points @ up) / _HEIGHT_SD
        system = rows.T @ (rows * weight[:, None]) + np.diag([1 / tilt_sd**2] * 2 + [0])
        tilt_x, tilt_z, _ = np.linalg.solve(system, rows.T @ (values * weight))
        normal = up + tilt_x * across[0] + tilt_z * across[1]
        normal = normal / np.linalg.norm(normal)
        level = float(np.average(points @ normal, weights=weight))
    return normal, level
