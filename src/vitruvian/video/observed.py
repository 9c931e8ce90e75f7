"""The first pass: every frame of every clip is looked at once, and who is who is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vitruvian.errors import InputError
from vitruvian.types.camera import Camera
from vitruvian.video.clip import Clip
from vitruvian.video.crossing import people_of
from vitruvian.video.observing import Observer
from vitruvian.video.sources import Sources
from vitruvian.video.stretches import runs_of
from vitruvian.video.tracking import Track, settled
from vitruvian.video.travelling import Sight
from vitruvian.video.turning import TurnFollower, Turning
from vitruvian.video.unfinished import Parts

CHUNK = 20  # frames after which what was learnt is kept
_LEAST_FRAMES, _LEAST_S = 4, 0.25  # of a track that is somebody


@dataclass(frozen=True, eq=False)
class Observed:
    """What a first pass over the clips finds.

    Attributes:
        frames: number and seconds of every moment that was looked at, those of the first clip.
        people: of each a track from every clip, without sightings where it never shows them.
            Of several clips those people whom two show at once.
        turning: how the camera of a single clip moves, along a path in a unit of its own; None
            where it stands still.
    """

    frames: tuple[tuple[int, float], ...]
    people: tuple[tuple[Track, ...], ...]
    turning: Turning | None = None


def observe(
    sources: Sources, tell: Callable[[str, int, int], None], parts: Parts | None = None
) -> Observed:
    """Look at every frame of every clip.

    Args:
        sources: the clips.
        tell: told how far it is.
        parts: where what was learnt in every ``CHUNK`` frames is kept.

    Raises:
        InputError: a clip has no two frames that can be decoded.
    """
    clips = sources.clips
    total = sum(clip.expected for clip in clips)
    done = 0
    views: list[list[Track]] = []
    frames: list[list[tuple[int, float]]] = []
    for index, (clip, camera) in enumerate(zip(clips, sources.eyes.cameras, strict=True)):

        def told(count: int, before: int = done) -> None:
            tell("people", before + count, max(total, before + count))

        place = parts or Parts(None)
        own, tracks, turning = _followed(clip, camera, told, place, f"people-{index}")
        done += len(own)
        frames.append(own)
        views.append(tracks)
    if len(clips) == 1:
        people = [(track,) for track in views[0]]
        return Observed(tuple(frames[0]), tuple(people), turning)
    common = set.intersection(*({number for number, _ in own} for own in frames))
    kept = [[_within(track, common) for track in tracks] for tracks in views]
    joined = people_of([[one for one in tracks if one.sightings] for tracks in kept], sources.eyes)
    shared = tuple(one for one in frames[0] if one[0] in common)
    return Observed(shared, tuple(tracks for tracks in joined if runs_of(tracks, shared)))


def _followed(
    clip: Clip, camera: Camera, told: Callable[[int], None], parts: Parts, name: str
) -> tuple[list[tuple[int, float]], list[Track], Turning | None]:
    """Number and seconds of every frame of a clip, the tracks in it, and how its camera moved."""
    observer, follower = Observer(camera), TurnFollower(camera)
    sights: list[Sight] = []
    frames: list[tuple[int, float]] = []
    chunk = 0
    while (glance := parts.get(f"{name}-{chunk:05d}")) is not None:
        camera_then = parts.get(f"camera-{name}-{chunk:05d}")
        if camera_then is None:
            break
        observer.recall(glance)
        follower, new = camera_then
        sights += new
        frames += glance.frames
        chunk += 1
    kept = len(frames)
    for frame in clip.frames(after=frames[-1][0] if frames else -1):
        seen = observer.look(frame)
        figures = [sighting.figure for _, sighting in seen]
        follower.look(frame.number, frame.time_s, frame.pixels, figures)
        frames.append((frame.number, frame.time_s))
        told(len(frames))
        if len(frames) - kept == CHUNK:
            new = follower.handed_over()
            sights += new
            parts.put(f"camera-{name}-{chunk:05d}", (follower, new))
            parts.put(f"{name}-{chunk:05d}", observer.glance(frames[kept:]))
            chunk, kept = chunk + 1, len(frames)
    if len(frames) < 2:
        raise InputError(
            f"Only {len(frames)} frames of {clip.name} can be decoded: copy or convert it again.",
            code="damaged-clip",
        )
    moving = [track for track in observer.tracker.tracks if runs_of([track], frames)]
    tracks = settled(moving, least_s=_LEAST_S, least=_LEAST_FRAMES)
    return frames, tracks, follower.turning([*sights, *follower.handed_over()])


def _within(track: Track, numbers: set[int]) -> Track:
    return replace(track, sightings=[one for one in track.sightings if one.number in numbers])
