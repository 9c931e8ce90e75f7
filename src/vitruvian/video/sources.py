"""Opening what a video is made from: one clip, or several of calibrated cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vitruvian.errors import InputError
from vitruvian.image.names import readable
from vitruvian.types.camera import Camera
from vitruvian.video.calibration import CalibratedCamera, camera_of, read_calibration
from vitruvian.video.clip import Clip, open_clip
from vitruvian.video.eyes import Eyes

_SAME_RATE = 0.01  # relative, of frames per second
_SAME_SHAPE = 0.01  # relative, of width to height


@dataclass(frozen=True)
class Sources:
    """Clips of one scene, taken at the same time.

    Attributes:
        clips: the first is the one that results are compared with.
        eyes: their cameras; the first one's frame is that of the result.
    """

    clips: tuple[Clip, ...]
    eyes: Eyes


def open_sources(
    sources: Sequence[str | Path],
    *,
    cameras: str | Path | None = None,
    fov_deg: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    every: int | None = None,
    name: str | None = None,
) -> Sources:
    """Open one clip, or several with the calibration of their cameras.

    Args:
        sources: clips; several begin at the same moment and have the same frame rate.
        cameras: the calibration; needed for several clips.
        fov_deg: field of view of a single clip.
        start_s, end_s, every: as of ``open_clip``.
        name: of a single clip, as of ``open_clip``.

    Raises:
        InputError: a clip or the calibration cannot be used, or they do not go together.
    """
    if len(sources) > 1 and cameras is None:
        raise InputError(
            f"Several clips need the calibration of their cameras, and {len(sources)} are given: "
            "name its file with --cameras, or give one clip.",
            code="bad-option",
        )
    if cameras is not None and fov_deg is not None:
        raise InputError(
            "The calibration tells the field of view: give either --cameras or --fov.",
            code="bad-option",
        )
    clips = [
        open_clip(one, start_s=start_s, end_s=end_s, every=every, name=name) for one in sources
    ]
    if cameras is None:
        (clip,) = clips
        camera = Camera.assumed(clip.width, clip.height)
        if fov_deg is not None:
            camera = Camera.from_fov(fov_deg, clip.width, clip.height)
        return Sources((clip,), Eyes((camera,)))
    for clip in clips[1:]:
        if abs(clip.fps / clips[0].fps - 1) > _SAME_RATE:
            raise InputError(
                f"{clip.name} has {clip.fps:g} frames a second and {clips[0].name} "
                f"{clips[0].fps:g}: give clips that were taken at the same rate.",
                code="bad-option",
            )
    label, calibration = readable(str(cameras)), read_calibration(cameras)
    own = [camera_of(clip.name, calibration, label) for clip in clips]
    for index, one in enumerate(own):
        if one in own[:index]:
            raise InputError(
                f"Two clips are those of camera {one.name}: give a clip of each camera once.",
                code="bad-option",
            )
    lensed = [_through_lens(clip, one) for clip, one in zip(clips, own, strict=True)]
    return Sources(tuple(lensed), _eyes(lensed, own))


def _through_lens(clip: Clip, camera: CalibratedCamera) -> Clip:
    lens = camera.lens
    if lens.width == 0:
        lens = replace(lens, width=clip.full_width, height=clip.full_height)
    if abs(lens.width / lens.height / (clip.width / clip.height) - 1) > _SAME_SHAPE:
        raise InputError(
            f"Camera {camera.name} was calibrated for {lens.width} x {lens.height} pixels and "
            f"{clip.name} has {clip.full_width} x {clip.full_height}: give the clip as it was "
            "taken.",
            code="bad-option",
        )
    return replace(clip, lens=lens.scaled(clip.width, clip.height))


def _eyes(clips: Sequence[Clip], cameras: Sequence[CalibratedCamera]) -> Eyes:
    reference = cameras[0].camera_from_world
    back = np.linalg.inv(reference)
    places = [None, *(camera.camera_from_world @ back for camera in cameras[1:])]
    axes = reference[:3, :3].T  # rows: the world's axes in the first camera's frame
    return Eyes(
        tuple(clip.lens.camera for clip in clips if clip.lens is not None),
        tuple(places),
        np.concatenate([axes, -axes]),
    )
