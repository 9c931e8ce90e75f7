"""The motion of one person: windows of frames, each solved at once, and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vitruvian.body.fit.clothes import Clothes
from vitruvian.body.fit.dynamics import Dynamics, Floor, MotionOptions, quickness_of
from vitruvian.body.fit.motion import fit_motion
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.views import View
from vitruvian.body.model.model import body_model
from vitruvian.compute.processes import Tick
from vitruvian.compute.threads import one_blas_thread
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle, transformed
from vitruvian.types.motion import Motion
from vitruvian.video.borne_out import borne_out
from vitruvian.video.contacts import staying
from vitruvian.video.eyes import Eyes
from vitruvian.video.floor import landmarks_of
from vitruvian.video.stretches import Stretch

WINDOW, OVERLAP = 48, 10  # frames
_FIRST = FitOptions(iterations=25, contour_rounds=0, tolerance=1e-3)
_SECOND = FitOptions(contour_rounds=1, contour_iterations=5)


@dataclass(frozen=True, eq=False)
class Window:
    """Successive frames of somebody whose motion is solved at once, in any process.

    Attributes:
        betas: (K,) of the person, which stay.
        eyes: the cameras.
        motion: how people move.
        stretch: the frames.
        first: of them, in the stretch that they are of.
        stands: (T, 2, 2) bool, soles that stand, as of ``contacts.standing``.
        touching: (T, 2, 2) bool, which of them are on the floor.
        floor: None where it is not known.
        quick: (T,) as of ``quickness_of``; None where it is not known.
        begin: the motion as it was found before; None where it is solved from the landmarks alone.
        clothes: of the person, whose outline mattes show; None where they are not known.
    """

    betas: np.ndarray
    eyes: Eyes
    motion: MotionOptions
    stretch: Stretch
    first: int
    stands: np.ndarray
    touching: np.ndarray
    floor: Floor | None = None
    quick: np.ndarray | None = None
    begin: Motion | None = None
    clothes: Clothes | None = None


def solve_window(window: Window, tick: Tick | None = None) -> Motion:
    """The motion in a window, in the frame of the cameras' reference."""
    part, begin = window.stretch, window.begin
    views = [
        window.eyes.view(which, figure, int(number), time=time)
        for time, (number, figures) in enumerate(zip(part.numbers, part.figures, strict=True))
        for which, figure in enumerate(figures)
        if figure is not None
    ]
    if begin is not None:
        points = landmarks_of(body_model(), begin)
        views = [_with_sure(view, points[view.time]) for view in views]
    dynamics = Dynamics(
        part.times_s,
        window.motion,
        staying(window.stands),
        window.touching,
        window.floor,
        window.quick,
    )
    with one_blas_thread():
        return fit_motion(
            body_model(),
            views,
            part.times_s,
            silhouette=begin is not None,
            options=_FIRST if begin is None else _SECOND,
            betas=window.betas,
            dynamics=dynamics,
            begin=begin,
            clothes=window.clothes,
        )


def _with_sure(view: View, points: np.ndarray) -> View:
    """The view with the landmarks that its matte bears out; ``points`` (33, 3) as they are yet."""
    seen = transformed(points, view.camera_from_reference)
    sure = borne_out(view.figure, view.camera, seen)
    return replace(view, sure=sure) if sure.any() else view


@dataclass(frozen=True)
class Solver:
    """Cuts one person's stretches into windows to solve.

    Attributes:
        betas: (K,) of the person, which stay.
        eyes: the cameras.
        motion: how people move.
    """

    betas: np.ndarray
    eyes: Eyes
    motion: MotionOptions = field(default_factory=MotionOptions)

    def roughly(self, stretch: Stretch) -> list[Window]:
        """To solve from the landmarks alone."""
        nowhere = np.zeros((len(stretch.numbers), 2, 2), bool)
        return [
            self._window(stretch, place, nowhere[place], nowhere[place])
            for place in _places(stretch)
        ]

    def finely(
        self,
        stretch: Stretch,
        rough: Motion,
        stands: np.ndarray,
        touching: np.ndarray,
        floor: Floor | None,
        *,
        clothes: Clothes | None = None,
    ) -> list[Window]:
        """To solve from the mattes, too, with feet on the floor.

        Args:
            stretch: to solve.
            rough: its motion, from the windows of ``roughly``.
            stands: (T, 2, 2) bool, soles that stand, as of ``contacts.standing``.
            touching: (T, 2, 2) bool, which of them are on the floor.
            floor: None where it is not known.
            clothes: whose outline the mattes show; None where they are not known.
        """
        quick = quickness_of(landmarks_of(body_model(), rough), rough.times_s, self.motion)
        return [
            replace(
                self._window(stretch, place, stands[place], touching[place]),
                floor=floor,
                quick=quick[place],
                begin=cut(rough, place),
                clothes=clothes,
            )
            for place in _places(stretch)
        ]

    def _window(
        self, stretch: Stretch, place: slice, stands: np.ndarray, touching: np.ndarray
    ) -> Window:
        part = stretch.part(place.start, place.stop)
        return Window(self.betas, self.eyes, self.motion, part, place.start, stands, touching)


def windows(count: int) -> list[tuple[int, int]]:
    """First and end of windows over ``count`` frames; neighbours overlap by ``OVERLAP``.

    They are of about one length, ``WINDOW`` at most, and even in number where one does not do, so
    that two processes are busy alike.
    """
    pieces = max(1, -(-(count - OVERLAP) // (WINDOW - OVERLAP)))
    if pieces > 1:
        pieces += pieces % 2
    firsts = np.linspace(0, count - OVERLAP, pieces + 1).round().astype(int).tolist()
    ends = [first + OVERLAP for first in firsts[1:-1]] + [count]
    return [(max(first, 0), end) for first, end in zip(firsts[:-1], ends, strict=True)]


def _places(stretch: Stretch) -> list[slice]:
    """Where the windows of a stretch are, which begin and end where somebody is seen."""
    places = []
    for first, end in windows(len(stretch.numbers)):
        while stretch.lost[first]:
            first -= 1
        while stretch.lost[end - 1]:
            end += 1
        places.append(slice(first, end))
    return places


def in_one(stretch: Stretch, parts: Sequence[tuple[Window, Motion]]) -> Motion:
    """The motion over all of a stretch; each window's is faded into the next."""
    whole: Motion | None = None
    for window, part in parts:
        whole = part if whole is None else _joined(whole, part, window.first)
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


def cut(motion: Motion, place: slice) -> Motion:
    """The part of a motion at some of its times."""
    return replace(
        motion,
        times_s=motion.times_s[place],
        pose=motion.pose[place],
        translation=motion.translation[place],
    )
