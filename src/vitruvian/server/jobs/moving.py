"""What a worker does with a video: its people, in motion."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitruvian.errors import InputError

if TYPE_CHECKING:
    from vitruvian.pipeline.run import Outcome
    from vitruvian.video.clip import Clip
    from vitruvian.video.scene import MovingScene

# Told of each stage with the share of all the work that lies behind; what it raises ends the work.
Tell = Callable[[str, float], None]

# Names as ``reconstruct_video`` and ``save_moving_scene`` tell them, in their order, with what the
# page calls them and their usual share of the work.
VIDEO_STAGES: dict[str, tuple[str, float]] = {
    "people": ("Finding people", 0.45),
    "motion": ("Solving their motion", 0.15),
    "avatars": ("Making avatars", 0.15),
    "files": ("Writing the files", 0.1),
    "preview": ("Drawing the preview", 0.15),
}
_TELL_S = 0.5  # between two words on one stage: each is written into the database
_THUMBNAIL_SIDE = 640


def move_people(
    video: Path, folder: Path, options: dict[str, Any], most_s: float, tell: Tell
) -> Outcome:
    """Reconstruct a video into ``folder``.

    Args:
        video: the upload as it came.
        folder: exists and is empty.
        options: plain values of ``VideoForm``.
        most_s: longest part, in seconds.
        tell: told of every stage.
    """
    from vitruvian.pipeline.run import attempt
    from vitruvian.video.clip import open_clip
    from vitruvian.video.files import save_moving_scene
    from vitruvian.video.run import reconstruct_video

    part = {name: options[name] for name in ("start_s", "end_s", "every")}
    hints = {name: options[name] for name in ("height_cm", "fov_deg", "max_people")}
    name = options["name"]

    def work() -> dict[str, Any]:
        clip = open_clip(video, **part, name=name, most_s=most_s)
        progress = Passing(tell, _most_frames(clip, most_s), name)
        scene = reconstruct_video(video, **part, **hints, name=name, progress=progress)
        progress("files", 0, 1)
        report = save_moving_scene(scene, folder, formats=options["formats"], tell=progress)
        _write_thumbnail(scene, folder / "thumbnail.jpg")
        return {"report": report, "extra": {}}

    return attempt(work, name)


@dataclass
class Passing:
    """Stages of a video as they pass, told as shares of the whole, not too often.

    Attributes:
        tell: told of them.
        most_frames: more of the clip is not read, whatever it says of its length.
        name: of the clip.
    """

    tell: Tell
    most_frames: int
    name: str

    def __post_init__(self) -> None:
        self._stage = ""
        self._told = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """The video is at ``done`` of ``total`` in ``stage``."""
        if stage == "people" and done > self.most_frames:
            raise InputError(
                f"{self.name} is longer than it says: cut it to the part that you want.",
                code="too-long",
            )
        now = time.monotonic()
        if stage != self._stage or now - self._told >= _TELL_S:
            self._stage, self._told = stage, now
            self.tell(stage, share_done(stage, done, total))


def share_done(stage: str, done: int, total: int) -> float:
    """Share of all the work, 0..1, that lies behind a video at ``done`` of ``total`` of a stage."""
    names = list(VIDEO_STAGES)
    if stage not in names:
        return 0.0
    before = sum(VIDEO_STAGES[name][1] for name in names[: names.index(stage)])
    return before + VIDEO_STAGES[stage][1] * (min(1.0, done / total) if total > 0 else 0.0)


def _most_frames(clip: Clip, most_s: float) -> int:
    """Frames that a part of the longest length has; a second more where rates are not exact."""
    return math.ceil((most_s + 1) * clip.fps / clip.every)


def _write_thumbnail(scene: MovingScene, path: Path) -> None:
    """The frame from which the first person's avatar is."""
    import cv2

    from vitruvian.formats.atomic import write_bytes
    from vitruvian.formats.images import encode_jpeg

    for frame in scene.clip.frames(only={scene.people[0].avatar_frame}):
        height, width = frame.pixels.shape[:2]
        scale = min(1.0, _THUMBNAIL_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
        write_bytes(path, encode_jpeg(small, quality=82))
        return
