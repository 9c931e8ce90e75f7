"""The first pass: every frame of every clip is looked at once, and who is who is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from vitruvian.compute.processes import Crew
from vitruvian.errors import InputError
from vitruvian.exchange.given_frames import GivenFrames
from vitruvian.types.camera import Camera
from vitruvian.video.clip import Clip
from vitruvian.video.crossing import people_of
from vitruvian.video.joining import joined
from vitruvian.video.observing import Glance, look_at
from vitruvian.video.sights import Sight
from vitruvian.video.sources import Sources
from vitruvian.video.spans import Span, close_reader, span_seconds
from vitruvian.video.stretches import runs_of
from vitruvian.video.tracking import Track, Tracker, settled
from vitruvian.video.turning import TurnFollower, Turning
from vitruvian.video.unfinished import Parts
from vitruvian.video.verticals import Edges

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
        edges: straight ones behind the people of a single clip, in the first frame's camera axes;
            None without any.
    """

    frames: tuple[tuple[int, float], ...]
    people: tuple[tuple[Track, ...], ...]
    turning: Turning | None = None
    edges: Edges | None = None


def observe(
    sources: Sources,
    tell: Callable[[str, int, int], None],
    parts: Parts | None = None,
    crew: Crew | None = None,
    given: GivenFrames | None = None,
) -> Observed:
    """Look at every frame of every clip.

    Args:
        sources: the clips.
        tell: told how far it is.
        parts: where what was learnt in every span is kept.
        crew: looks at the spans.
        given: keypoints and masks that are brought along for a single clip.

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

        place, name = parts or Parts(None), f"people-{index}"
        work = _Work(clip, camera, place, name, crew or Crew(), given)
        own, tracks, turning, edges = work.done(told)
        done += len(own)
        frames.append(own)
        views.append(tracks)
    if len(clips) == 1:
        people = [(track,) for track in views[0]]
        return Observed(tuple(frames[0]), tuple(people), turning, edges)
    common = set.intersection(*({number for number, _ in own} for own in frames))
    kept = [[_within(track, common) for track in tracks] for tracks in views]
    joined = people_of([[one for one in tracks if one.sightings] for tracks in kept], sources.eyes)
    shared = tuple(one for one in frames[0] if one[0] in common)
    return Observed(shared, tuple(tracks for tracks in joined if runs_of(tracks, shared)))


class _Work:
    """Looking at one clip: spans by the crew, who is who and the camera's motion here, in order.

    Args:
        clip, camera: what is looked at.
        parts, name: where what was learnt is kept, and under which name.
        crew: looks at the spans.
        given: keypoints and masks that are brought along.
    """

    def __init__(
        self,
        clip: Clip,
        camera: Camera,
        parts: Parts,
        name: str,
        crew: Crew,
        given: GivenFrames | None = None,
    ) -> None:
        self._clip, self._camera, self._crew, self._given = clip, camera, crew, given
        self._parts, self._name = parts, name
        self._span_s = span_seconds(clip)
        self._tracker, self._follower = Tracker(), TurnFollower(camera)
        self._sights: list[Sight] = []
        self._frames: list[tuple[int, float]] = []
        self._next = 0  # index of the next span
        self._ended = False

    def done(
        self, told: Callable[[int], None]
    ) -> tuple[list[tuple[int, float]], list[Track], Turning | None, Edges | None]:
        """Number and seconds of every frame, the tracks in it, how the camera moved, and edges
        behind the people."""
        self._recall()
        known = len(self._frames)
        if not self._ended:
            glances = self._crew.map(look_at, self._spans(), lambda count: told(known + count))
            with closing(glances):
                for glance in glances:
                    self._learn(glance)
                    if self._ended:
                        break
            close_reader()
        else:
            told(known)
        frames = self._frames
        if len(frames) < 2:
            raise InputError(
                f"Only {len(frames)} frames of {self._clip.name} can be decoded: copy or convert "
                "it again.",
                code="damaged-clip",
            )
        people = joined(self._tracker.tracks)
        moving = [track for track in people if runs_of([track], frames)]
        tracks = settled(moving, least_s=_LEAST_S, least=_LEAST_FRAMES)
        turning = self._follower.turning(self._sights)
        return frames, tracks, turning, self._follower.edges(turning)

    def _recall(self) -> None:
        """Go on behind what is kept."""
        while not self._ended:
            glance = self._parts.get(f"{self._name}-{self._next:05d}")
            camera = self._parts.get(f"camera-{self._name}-{self._next:05d}")
            if glance is None or camera is None:
                return
            self._follower, new = camera
            self._sights += new
            self._add(glance)

    def _learn(self, glance: Glance) -> None:
        seen = zip(glance.frames, glance.greys, glance.figures, strict=True)
        for (number, time_s), grey, figures in seen:
            self._follower.look(number, time_s, grey, figures)
        new = self._follower.handed_over()
        self._sights += new
        self._parts.put(f"camera-{self._name}-{glance.index:05d}", (self._follower, new))
        self._parts.put(f"{self._name}-{glance.index:05d}", replace(glance, greys=()))
        self._add(glance)

    def _add(self, glance: Glance) -> None:
        seen = zip(glance.frames, glance.figures, glance.looks, glance.careful, strict=True)
        for frame, figures, looks, careful in seen:
            self._tracker.update(*frame, figures, looks, careful=careful)
        self._frames += glance.frames
        self._ended = glance.next_s is None
        if glance.next_s is not None:  # times may leap
            leap = int((glance.next_s - self._clip.start_s) / self._span_s)
            self._next = max(glance.index + 1, leap)

    def _spans(self) -> Iterator[Span]:
        index, start = self._next, self._clip.start_s
        while True:
            index = max(index, self._next)
            edges = start + index * self._span_s, start + (index + 1) * self._span_s
            yield Span(index, self._clip, self._camera, *edges, self._given)
            index += 1


def _within(track: Track, numbers: set[int]) -> Track:
    return replace(track, sightings=[one for one in track.sightings if one.number in numbers])
