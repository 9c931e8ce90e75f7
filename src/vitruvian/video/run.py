"""Clip to people in motion: the stages in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import body_model
from vitruvian.compute.preparation import prepare
from vitruvian.errors import InputError
from vitruvian.options import OPTIONS, Options
from vitruvian.pipeline.progress import StageTimer
from vitruvian.placement.ground import world_from_ground
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.motion import Motion
from vitruvian.video.appearance import avatar_of, best_frames
from vitruvian.video.clip import Clip, open_clip
from vitruvian.video.observing import Observer
from vitruvian.video.scene import Mover, MovingScene
from vitruvian.video.together import SolvedTrack, solve_tracks
from vitruvian.video.tracking import Track, settled

# Told how far the work is: the name of the stage, how much of it is done, and of how much.
VideoProgress = Callable[[str, int, int], None]

_LEAST_FRAMES, _LEAST_S = 4, 0.25  # of a track that is somebody
ASSUMED_LENS = (
    "The clip does not say what lens took it; a common one was assumed, so distances may be off by "
    "a common factor (--fov tells it)."
)


@dataclass(frozen=True, eq=False)
class Observed:
    """What a first pass over a clip finds.

    Attributes:
        frames: number and seconds of every frame that was looked at.
        tracks: the people.
    """

    frames: tuple[tuple[int, float], ...]
    tracks: tuple[Track, ...]


def reconstruct_video(
    source: str | Path,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    every: int | None = None,
    height_cm: float | None = None,
    fov_deg: float | None = None,
    max_people: int | None = None,
    texture: bool = True,
    progress: VideoProgress | None = None,
) -> MovingScene:
    """Reconstruct everyone in a clip as metric, animated 3D people.

    The camera is taken to stand still.

    Args:
        source: a video file, an animated GIF, WebP or PNG, or a folder of frames.
        start_s, end_s: the part to use, in seconds.
        every: use every how many frames; by default so many that about 30 a second are left.
        height_cm: stature of the person who is seen largest, in centimetres; fixes the scale.
        fov_deg: field of view across the longer side, in degrees; assumed by default.
        max_people: keep only so many, those seen longest and largest.
        texture: colour the avatars.
        progress: told of each stage, how much of it is done and of how much (0: not known). What
            it raises ends the work.

    Returns:
        The scene, with at least one person.

    Raises:
        InputError: the clip or an option cannot be used, or nobody is in it; one sentence says
            why.
    """
    OPTIONS["height_cm"].check(height_cm)
    OPTIONS["fov_deg"].check(fov_deg)
    OPTIONS["max_people"].check(max_people)
    clip = open_clip(source, start_s=start_s, end_s=end_s, every=every)
    prepare(["body", "people", "geometry", "surface", "avatar", "texture", "formats"])
    camera = Camera.assumed(clip.width, clip.height)
    if fov_deg is not None:
        camera = Camera.from_fov(fov_deg, clip.width, clip.height)
    tell = progress or (lambda *_: None)
    timer = StageTimer()
    with timer("people"):
        observed = observe(clip, camera, tell)
    tracks = _chosen(observed.tracks, max_people)
    if not tracks:
        raise InputError(
            f"Nobody was found in {clip.name}: give a clip in which a person is large, sharp and "
            "seen for half a second at least.",
            code="nobody-found",
        )
    model = body_model()
    heights = {} if height_cm is None else {max(tracks, key=_size).id: height_cm / 100}
    with timer("motion"):
        solved, floor = solve_tracks(model, tracks, observed.frames, camera, heights, tell)
    options = Options(texture=texture, fov_deg=fov_deg)
    people = []
    with timer("avatars"):
        tell("avatars", 0, len(tracks))
        shown = best_frames(clip, tracks)
        for track, one, (frame, sighting) in zip(tracks, solved, shown, strict=True):
            betas = one.motion.betas
            avatar, body = avatar_of(model, frame, sighting.figure, camera, betas, options)
            people.append(_mover(track, one, avatar, body, frame.number))
            tell("avatars", len(people), len(tracks))
    numbers, times = zip(*observed.frames, strict=True)
    return MovingScene(
        clip=clip,
        model=model,
        camera=camera,
        numbers=np.array(numbers),
        times_s=np.array(times),
        people=tuple(people),
        world_from_camera=_world(floor, [one.motion for one in solved]),
        timings_s=timer.seconds,
        warnings=_warnings(clip, camera, len(numbers)),
    )


def observe(clip: Clip, camera: Camera, tell: VideoProgress) -> Observed:
    """Look at every frame once, and keep who is where."""
    observer = Observer(camera)
    frames = []
    for frame in clip.frames():
        observer.look(frame)
        frames.append((frame.number, frame.time_s))
        tell("people", len(frames), max(clip.expected, len(frames)))
    if len(frames) < 2:
        raise InputError(
            f"Only {len(frames)} frames of {clip.name} can be decoded: copy or convert it again.",
            code="damaged-clip",
        )
    tracks = settled(observer.tracker.tracks, least_s=_LEAST_S, least=_LEAST_FRAMES)
    return Observed(tuple(frames), tuple(tracks))


def _chosen(tracks: Sequence[Track], most: int | None) -> list[Track]:
    kept = sorted(tracks, key=_size, reverse=True)[:most]
    return [track for track in tracks if track in kept]


def _size(track: Track) -> float:
    """How much of somebody the clip shows: their sizes in pixels, over all frames."""
    return float(sum(one.figure.size for one in track.sightings))


def _mover(track: Track, one: SolvedTrack, avatar: Avatar, body: Body, frame: int) -> Mover:
    warnings = []
    if one.swapped:
        warnings.append(
            f"In {one.swapped} frames left and right looked exchanged and were put right."
        )
    filled = int((~one.seen).sum())
    if filled:
        warnings.append(f"In {filled} frames the pose is filled in from the frames around them.")
    return Mover(
        id=track.id,
        motion=one.motion,
        numbers=one.numbers,
        seen=one.seen,
        still=one.still,
        sightings=tuple(track.sightings),
        body=body,
        avatar=avatar,
        avatar_frame=frame,
        warnings=tuple(warnings),
    )


def _world(floor: Floor, motions: Sequence[Motion]) -> np.ndarray:
    """``world_from_camera`` (4, 4) with the floor at y = 0 and the people around the origin."""
    centre = np.concatenate([motion.translation for motion in motions]).mean(0)
    return world_from_ground(floor.up, centre + (floor.level - centre @ floor.up) * floor.up)


def _warnings(clip: Clip, camera: Camera, count: int) -> tuple[str, ...]:
    warnings = []
    if camera.source == "assumed":
        warnings.append(ASSUMED_LENS)
    if clip.expected > count + 1:
        warnings.append(
            f"The clip ends after {count} of {clip.expected} frames: the file may be cut short."
        )
    return tuple(warnings)
