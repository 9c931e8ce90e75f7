"""The motion of one person: windows of frames solved at once, and joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from vitruvian.body.fit.dynamics import Dynamics, Floor, MotionOptions, quickness_of
from vitruvian.body.fit.motion import fit_motion
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.motion import Motion
from vitruvian.video.contacts import staying
from vitruvian.video.eyes import Eyes
from vitruvian.video.floor import landmarks_of
from vitruvian.video.stretches import Stretch

WINDOW, OVERLAP = 48, 10  # frames
_FIRST = FitOptions(iterations=25, contour_rounds=0)
_SECOND = FitOptions(contour_rounds=1, contour_iterations=5)


@dataclass(frozen=True)
class Solver:
    """Solves stretches for one person's motion, in the frame of the cameras' reference.

    Attributes:
        model: of the body.
        betas: (K,) of the person, which stay.
        eyes: the cameras.
        motion: how people move.
    """

    model: BodyModel
    betas: np.ndarray
    eyes: Eyes
    motion: MotionOptions = field(default_factory=MotionOptions)

    def roughly(self, stretch: Stretch) -> Motion:
        """From the landmarks alone."""
        nowhere = np.zeros((len(stretch.numbers), 2, 2), bool)

        def solve(part: Stretch, place: slice) -> Motion:
            return self._fit(part, nowhere[place], nowhere[place], None, None, None)

        return _in_windows(stretch, solve)

    def finely(
        self,
        stretch: Stretch,
        rough: Motion,
        stands: np.ndarray,
        touching: np.ndarray,
        floor: Floor | None,
    ) -> Motion:
        """From the mattes, too, with feet on the floor.

        Args:
            stretch: to solve.
            rough: of ``roughly``.
            stands: (T, 2, 2) bool, soles that stand, as of ``contacts.standing``.
            touching: (T, 2, 2) bool, which of them are on the floor.
            floor: None where it is not known.
        """

        quick = quickness_of(landmarks_of(self.model, rough), rough.times_s, self.motion)

        def solve(part: Stretch, place: slice) -> Motion:
            begin = _cut(rough, place)
            return self._fit(part, stands[place], touching[place], floor, quick[place], begin)

        return _in_windows(stretch, solve)

    def _fit(
        self,
        part: Stretch,
        stands: np.ndarray,
        touching: np.ndarray,
        floor: Floor | None,
        quick: np.ndarray | None,
        begin: Motion | None,
    ) -> Motion:
        views = [
            self.eyes.view(which, figure, int(number), time=time)
            for time, (number, figures) in enumerate(zip(part.numbers, part.figures, strict=True))
            for which, figure in enumerate(figures)
            if figure is not None
        ]
        return fit_motion(
            self.model,
            views,
            part.times_s,
            silhouette=begin is not None,
            options=_FIRST if begin is None else _SECOND,
            betas=self.betas,
            dynamics=Dynamics(part.times_s, self.motion, staying(stands), touching, floor, quick),
            begin=begin,
        )


def windows(count: int) -> list[tuple[int, int]]:
    """First and end of windows over ``count`` frames; neighbours overlap by ``OVERLAP``."""
    step = WINDOW - OVERLAP
    firsts = list(range(0, max(count - OVERLAP, 1), step))
    return [(first, min(first + WINDOW, count)) for first in firsts]


def _in_windows(stretch: Stretch, solve: Callable[[Stretch, slice], Motion]) -> Motion:
    """The motion over all of a stretch; each window is solved by itself and faded into the next."""
    count = len(stretch.numbers)
    whole: Motion | None = None
    for first, end in windows(count):
        while stretch.lost[first]:
            first -= 1
        while stretch.lost[end - 1]:
            end += 1
        part = solve(stretch.part(first, end), slice(first, end))
        whole = part if whole is None else _joined(whole, part, first)
    assert whole is not None
    return replace(whole, times_s=stretch.times_s)


def _joined(before: Motion, after: Motion, first: int) -> Motion:
    """``after``, which begins at time ``first`` of ``before``, put behind it, faded where both
    are."""
    common = len(before.times_s) - first
    share = (np.arange(common) + 1) / (common + 1)
    old, new = before.pose[first:], after.pose[:common]
    start = matrix_from_axis_angle(old)
    turn = axis_angle_from_matrix(matrix_from_axis_angle(new) @ np.swapaxes(start, -1, -2))
    faded = matrix_from_axis_angle(turn * share[:, None, None]) @ start
    where = before.translation[first:]
    where = where + share[:, None] * (after.translation[:common] - where)
    return replace(
        before,
        times_s=np.concatenate([before.times_s, after.times_s[common:]]),
        pose=np.concatenate(
            [before.pose[:first], axis_angle_from_matrix(faded), after.pose[common:]]
        ),
        translation=np.concatenate([before.translation[:first], where, after.translation[common:]]),
    )


def _cut(motion: Motion, place: slice) -> Motion:
    return replace(
        motion,
        times_s=motion.times_s[place],
        pose=motion.pose[place],
        translation=motion.translation[place],
    )
