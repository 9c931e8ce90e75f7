"""What is believed of how people move: their joints' accelerations, and feet that stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.body.fit.coupling import Coupling
from vitruvian.body.fit.terms import Moment
from vitruvian.geometry.rotations import axis_angle_from_matrix
from vitruvian.types.keypoints import (
    ANKLES,
    EARS,
    ELBOWS,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    NOSE,
    SHOULDERS,
    TOES,
    WRISTS,
)

_TRUNK = np.array([*HIPS, *SHOULDERS, NOSE, *EARS])
_MIDDLE = np.array([*ELBOWS, *KNEES])
_ENDS = np.array([*WRISTS, *INDEX_FINGERS, *ANKLES, *HEELS, *TOES])
_POINTS = np.concatenate([_TRUNK, _MIDDLE, _ENDS])
_GROUPS = np.repeat([0, 1, 2], [len(_TRUNK), len(_MIDDLE), len(_ENDS)])
_ABOUT_S = 0.2  # before and after, over which quickness is taken
_GROWTH = 1.5  # solved with them, accelerations come out smaller than they are
# More for what is quick lets the landmarks' noise in: the jitter of the truth, but not its motion.
_QUICKNESS = 0.25, 1.0  # least and most
_SOLES = np.stack([HEELS, TOES], axis=1)  # landmarks of either foot, left and right


@dataclass(frozen=True)
class MotionOptions:
    """How much the solve over time believes in what.

    Accelerations are those of everyday movement; the robust cost lets quick ones pass.

    Attributes:
        trunk_sd, middle_sd, end_sd: of the accelerations of trunk and head, of elbows and knees,
            and of hands and feet, m/s².
        turn_sd: of the joints' angular accelerations, rad/s².
        robust: residuals beyond this many standard deviations stop counting (Cauchy).
        still_sd: of the movement of a foot that stands, from one frame to the next, metres.
        floor_sd: of the height of a sole that stands on the floor, metres.
    """

    trunk_sd: float = 3.0
    middle_sd: float = 6.0
    end_sd: float = 12.0
    turn_sd: float = 40.0
    robust: float = 3.0
    still_sd: float = 0.002
    floor_sd: float = 0.005


def second_differences(times_s: np.ndarray) -> np.ndarray:
    """(T - 2, 3) factors of the times before, at and after that make an acceleration."""
    before, after = np.diff(times_s)[:-1], np.diff(times_s)[1:]
    half = (before + after) / 2
    first, last = 1 / (before * half), 1 / (after * half)
    return np.stack([first, -first - last, last], axis=1)


def quickness_of(points: np.ndarray, times_s: np.ndarray, options: MotionOptions) -> np.ndarray:
    """Factors (T, 3) on the standard deviations of accelerations: how quick a first motion is.

    Of trunk, middle and ends by themselves: what is quiet is held more firmly than everyday
    movement.

    Args:
        points: (T, 33, 3) landmarks, metres.
        times_s: (T,) seconds, ascending.
        options: whose standard deviations they are factors on.
    """
    out = np.ones((len(points), 3))
    if len(points) < 3:
        return out
    factors = second_differences(times_s)
    three = np.stack([points[:-2], points[1:-1], points[2:]])
    size = np.linalg.norm(np.einsum("tk,ktpc->tpc", factors, three), axis=2)  # (T - 2, 33)
    near = np.abs(times_s[1:-1, None] - times_s[None, 1:-1]) <= _ABOUT_S
    sds = (options.trunk_sd, options.middle_sd, options.end_sd)
    for column, (group, sd) in enumerate(zip((_TRUNK, _MIDDLE, _ENDS), sds, strict=True)):
        squared = (size[:, group] ** 2).mean(1)
        local = np.sqrt(near @ squared / near.sum(1))
        out[1:-1, column] = np.clip(_GROWTH * local / sd, *_QUICKNESS)
    out[0], out[-1] = out[1], out[-2]
    return out


@dataclass(frozen=True)
class Floor:
    """A floor in the frame of the result.

    Attributes:
        up: (3,) unit normal.
        level: height along ``up`` of the floor, metres.
        soles: (2,) heights of heel and tip of a standing foot above the floor, metres.
    """

    up: np.ndarray
    level: float
    soles: np.ndarray


@dataclass(frozen=True)
class Dynamics:
    """The residuals that tie the times of one motion together.

    Attributes:
        times_s: (T,) seconds, ascending.
        options: standard deviations.
        still: (T - 1, 2, 2) bool, whether heel and tip of the left and the right foot stay where
            they are from one time to the next.
        touching: (T, 2, 2) bool, whether they are on the floor.
        floor: None where it is not known.
        quickness: (T, 3) factors on the standard deviations of trunk, middle and ends about each
            time, as of ``quickness_of``; None for those of everyday movement.
    """

    times_s: np.ndarray
    options: MotionOptions
    still: np.ndarray
    touching: np.ndarray
    floor: Floor | None = None
    quickness: np.ndarray | None = None

    def couple(self, moments: Sequence[Moment]) -> Coupling:
        """Cost and normal equations of all times' unknowns together.

        The shape moves all times alike, so its derivatives are left out.
        """
        turns = 3 * len(moments[0].model.active)
        out = Coupling(len(moments), turns + 3)
        points = np.stack([moment.points for moment in moments])
        columns = np.r_[:turns, -3:0]
        slopes = np.stack([moment.derivative[:, :, columns] for moment in moments])
        if len(moments) > 2:
            self._accelerations(out, points, slopes)
            self._turns(out, moments)
        self._feet(out, points, slopes)
        return out

    def _accelerations(self, out: Coupling, points: np.ndarray, slopes: np.ndarray) -> None:
        options = self.options
        sds = np.concatenate(
            [
                np.full(len(group), sd)
                for group, sd in (
                    (_TRUNK, options.trunk_sd),
                    (_MIDDLE, options.middle_sd),
                    (_ENDS, options.end_sd),
                )
            ]
        )
        factors = second_differences(self.times_s)
        chosen = points[:, _POINTS]
        three = np.stack([chosen[:-2], chosen[1:-1], chosen[2:]])
        if self.quickness is None:
            each = np.tile(sds, (len(factors), 1))
        else:
            each = sds * self.quickness[1:-1][:, _GROUPS]
        residual = np.einsum("tk,ktpc->tpc", factors, three) / each[:, :, None]
        rows = slopes[:, _POINTS]
        out.add_differences(residual, rows, each, factors, self._shares(), options.robust)

    def _shares(self) -> np.ndarray:
        """Weights (T - 2,) of residuals about each time but the first and the last: as of 30
        frames per second.

        Second differences of more frames per second are more numerous, not more telling.
        """
        spans = (self.times_s[2:] - self.times_s[:-2]) / 2
        return np.sqrt(np.minimum(30 * spans, 3.0))

    def _turns(self, out: Coupling, moments: Sequence[Moment]) -> None:
        active = moments[0].model.active
        rotations = np.stack([moment.rotations[active] for moment in moments])
        steps = axis_angle_from_matrix(rotations[1:] @ rotations[:-1].transpose(0, 1, 3, 2))
        seconds = np.diff(self.times_s)
        speeds = steps / seconds[:, None, None]  # (T - 1, A, 3)
        half = (seconds[1:] + seconds[:-1])[:, None, None] / 2
        sds = np.full(len(half), self.options.turn_sd)
        if self.quickness is not None:
            sds = sds * self.quickness[1:-1].mean(1)
        residual = np.diff(speeds, axis=0) / half / sds[:, None, None]
        factors = second_differences(self.times_s)
        out.add_turns(residual, sds, factors, self._shares(), self.options.robust)

    def _feet(self, out: Coupling, points: np.ndarray, slopes: np.ndarray) -> None:
        options, soles = self.options, _SOLES.ravel()
        still = self.still.reshape(-1, len(soles))
        for time in np.flatnonzero(still.any(1)).tolist():
            held = soles[still[time]]
            pair = slice(time, time + 2)
            moved = (points[time + 1, held] - points[time, held]) / options.still_sd
            rows = slopes[pair][:, held] / options.still_sd
            factors = np.array([-1.0, 1.0])
            out.add_robust(time, moved, rows, factors, 1.0, options.robust)
        if self.floor is None:
            return
        heights = points[:, _SOLES] @ self.floor.up - self.floor.level - self.floor.soles
        heights = heights.reshape(-1, len(soles))
        touching = self.touching.reshape(-1, len(soles))
        wrong = (heights < 0) | touching  # nobody is under the floor
        for time in np.flatnonzero(wrong.any(1)).tolist():
            held = wrong[time]
            value = heights[time, held][:, None] / options.floor_sd
            rows = np.einsum("c,pcu->pu", self.floor.up, slopes[time, soles[held]])
            rows = rows[None, :, None] / options.floor_sd
            out.add_robust(time, value, rows, np.array([1.0]), 1.0, options.robust)
