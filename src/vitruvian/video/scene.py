"""The result of a video: people who move in one metric world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.motion import Motion
from vitruvian.types.record import Record
from vitruvian.video.clip import Clip
from vitruvian.video.tracking import Sighting
from vitruvian.video.turning import Turning


@dataclass(frozen=True, eq=False, repr=False)
class Mover(Record):
    """One person in motion.

    Attributes:
        id: from 1, in the order of appearance.
        motion: in the camera frame, at the times at which they are in the clip; they may be away
            between.
        numbers: (T,) of the clip's frames at those times.
        seen: (T,) bool; where not, the pose is filled in from neighbouring frames.
        still: (T, 2) bool, whether the left and the right foot stay where they are up to the
            next time.
        sightings: what the people stage found in the first clip.
        body: at the time of the frame that the avatar was made from, its camera's frame.
        avatar: the person made to move.
        avatar_frame: number of the frame that it was made from.
        avatar_clip: number of the clip that it is in, from 0.
        warnings: sentences for the user.
    """

    id: int
    motion: Motion
    numbers: np.ndarray
    seen: np.ndarray
    still: np.ndarray
    sightings: tuple[Sighting, ...]
    body: Body
    avatar: Avatar
    avatar_frame: int
    avatar_clip: int = 0
    warnings: tuple[str, ...] = ()

    @cached_property
    def rest_joints(self) -> np.ndarray:
        """(J, 3) float64 joints at rest, body frame, metres."""
        return self.body.rest()[1]

    @property
    def height_m(self) -> float:
        """Stature in metres; one for the whole clip."""
        return self.body.height_m


@dataclass(frozen=True, eq=False, repr=False)
class MovingScene(Record):
    """Everyone in a clip.

    Attributes:
        clip: that was read; of several, the first, whose camera's frame motions are in.
        model: of the bodies.
        camera: of its frames, of the first where the lens zooms.
        numbers, times_s: (F,) of the frames that were looked at.
        people: in the order of appearance.
        world_from_camera: (4, 4) float64 rigid matrix, from the first frame's camera; the world's
            y is up and its floor y = 0.
        timings_s: seconds by stage.
        warnings: sentences about the clip as a whole.
        others: the clips of further cameras.
        turning: how the camera moves; its frame is that of the first frame. None where it stands
            still.
    """

    clip: Clip
    model: BodyModel
    camera: Camera
    numbers: np.ndarray
    times_s: np.ndarray
    people: tuple[Mover, ...]
    world_from_camera: np.ndarray
    timings_s: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    others: tuple[Clip, ...] = ()
    turning: Turning | None = None

    def camera_from_reference(self, number: int) -> np.ndarray:
        """(4, 4) from the frame that motions are in to that of the camera in frame ``number``."""
        return np.eye(4) if self.turning is None else self.turning.matrix(number)

    def camera_at(self, number: int) -> Camera:
        """The lens in a frame, which may zoom."""
        return self.camera if self.turning is None else self.turning.lens(self.camera, number)

    @property
    def fps(self) -> float:
        """Frames that were looked at per second."""
        span = float(self.times_s[-1] - self.times_s[0]) if len(self.times_s) > 1 else 0.0
        return (len(self.times_s) - 1) / span if span else self.clip.fps

    def save(self, directory: str | Path, **options: Any) -> dict[str, Any]:
        """Write the scene's files into ``directory`` and return the report.

        ``options`` are those of ``vitruvian.video.files.save_moving_scene``: ``formats``, ``mode``,
        ``style``.

        Raises:
            InputError: the place cannot be written.
        """
        from vitruvian.video.files import save_moving_scene

        return save_moving_scene(self, Path(directory), **options)
