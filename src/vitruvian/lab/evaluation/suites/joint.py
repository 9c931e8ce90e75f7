"""One person's figures in many frames and views, solved over time, for suites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import HEELS, TOES
from vitruvian.types.record import Record
from vitruvian.video.eyes import Eyes
from vitruvian.video.floor import landmarks_of
from vitruvian.video.observed import observe
from vitruvian.video.sources import open_sources
from vitruvian.video.together import SolvedTrack, solve_tracks
from vitruvian.video.tracking import Sighting, Track

_SOLES = np.stack([HEELS, TOES], axis=1)


@dataclass(frozen=True, eq=False, repr=False)
class Solution(Record):
    """A motion as landmarks, in the first camera's frame.

    Attributes:
        numbers: (T,) of the frames.
        points: (T, 33, 3) BlazePose's landmarks on the body, metres.
        stature: of the body, metres.
        slide_mm: mean movement from frame to frame of feet that are taken for standing; NaN
            without any.
        up: (3,) the unit vector that is taken for up.
        level: of the floor along it, metres.
    """

    numbers: np.ndarray
    points: np.ndarray
    stature: float
    slide_mm: float
    up: np.ndarray
    level: float


def solve_figures(
    figures: Sequence[Mapping[int, Figure]],
    times_s: Sequence[float],
    cameras: Sequence[Camera],
    places: Sequence[np.ndarray | None],
    axes: np.ndarray | None = None,
) -> Solution | None:
    """Solve as ``vitruvian video`` does; None where too few frames show them.

    Args:
        figures: of each camera by the number of the frame.
        times_s: seconds of all frames.
        cameras, places, axes: as of ``Eyes``.
    """
    tracks = [Track(1, [Sighting(n, times_s[n], own[n]) for n in sorted(own)]) for own in figures]
    if sum(len(track.sightings) for track in tracks) < 4:
        return None
    model = body_model()
    frames = list(enumerate(times_s))
    eyes = Eyes(tuple(cameras), tuple(places), axes)
    solved = solve_tracks(model, [tracks], frames, eyes, {}, _silent)
    return _solution(model, solved.tracks[0], solved.floor)


def solve_clip(clip: Path, fov_deg: float) -> list[Solution]:
    """Everyone in a clip, solved as by ``vitruvian video``, in the first frame's camera frame.

    Args:
        clip: of one camera, which may move.
        fov_deg: of the lens, across the longer side.

    Raises:
        InputError: the clip cannot be used.
    """
    sources = open_sources([clip], fov_deg=fov_deg)
    observed = observe(sources, _silent)
    if not observed.people:
        return []
    model = body_model()
    eyes = replace(sources.eyes, turning=observed.turning, edges=observed.edges)
    solved = solve_tracks(model, observed.people, observed.frames, eyes, {}, _silent)
    return [_solution(model, one, solved.floor) for one in solved.tracks]


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody waits for a suite's stages."""


def _solution(model: BodyModel, solved: SolvedTrack, floor: Floor) -> Solution:
    points = landmarks_of(model, solved.motion)
    moved = np.linalg.norm(np.diff(points[:, _SOLES].mean(2), axis=0), axis=2)
    still = moved[solved.still[:-1]]
    return Solution(
        numbers=solved.numbers,
        points=points,
        stature=float(model.stature(solved.motion.betas)),
        slide_mm=1000 * float(still.mean()) if len(still) else float("nan"),
        up=floor.up,
        level=floor.level,
    )
