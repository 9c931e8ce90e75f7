"""The first pass: every frame of every clip is looked at once, and who is who is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

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
        frames: number and seconds of every moment of the first clip; of one that is cut, those of
            the shot that shows most of people.
        people: of each a track from every clip, without sightings where it never shows them.
            Of several clips those people whom two show at once.
        turning: how the camera of a single clip moves, along a path in a unit of its own; None
            where it stands still.
        edges: straight ones behind the people of a single clip, in the first frame's camera axes;
            None without any.
        shots_s: begin and end of every shot of a single clip, seconds.
        looked: number of frames of the first clip that were looked at.
    """

    frames: tuple[tuple[int, float], ...]
    people: tuple[tuple[Track, ...], ...]
    turning: Turning | None = None
    edges: Edges | None = None
    shots_s: tuple[tuple[float, float], ...] = ()
    looked: int = 0


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
        shots = work.done(told)
        if len(clips) == 1:
            return _of_shots(shots)
        own = [frame for shot in shots for frame in shot.frames]
        done += len(own)
        frames.append(own)
        views.append([track for shot in shots for track in shot.people()])
    common = set.intersection(*({number for number, _ in own} for own in frames))
    kept = [[track.within(common) for track in tracks] for tracks in views]
    together = people_of(
        [[one for one in tracks if one.sightings] for tracks in kept], sources.eyes
    )
    shared = tuple(one for one in frames[0] if one[0] in common)
    people = tuple(tracks for tracks in together if runs_of(tracks, shared))
    return Observed(shared, people, looked=len(shared))


def _of_shots(shots: Sequence[_Shot]) -> Observed:
    """The shot that shows most of people; of those without any the first."""
    found = [shot.people() for shot in shots]
    seen = [sum(len(track.sightings) for track in tracks) for tracks in found]
    best = max(range(len(shots)), key=lambda index: seen[index])
    shot = shots[best]
    turning = shot.follower.turning(shot.sights)
    return Observed(
        frames=tuple(shot.frames),
        people=tuple((track,) for track in found[best]),
        turning=turning,
        edges=shot.follower.edges(turning),
        shots_s=tuple((one.frames[0][1], one.frames[-1][1]) for one in shots),
        looked=sum(len(one.frames) for one in shots),
    )


@dataclass(eq=False)
class _Shot:
    """What is learnt of one shot of a clip.

    Attributes:
        follower: of the camera.
        sights: what it saw of the background.
        tracker: of the people.
        frames: number and seconds of each.
    """

    follower: TurnFollower
    sights: list[Sight] = field(default_factory=list)
    tracker: Tracker = field(default_factory=Tracker)
    frames: list[tuple[int, float]] = field(default_factory=list)

    def people(self) -> list[Track]:
        """Everybody's track."""
        everybody = joined(self.tracker.tracks)
        moving = [track for track in everybody if runs_of([track], self.frames)]
        return settled(moving, least_s=_LEAST_S, least=_LEAST_FRAMES)


@dataclass(frozen=True, eq=False)
class _Background:
    """What a span shows behind the people.

    Attributes:
        begins: numbers of the frames with which a shot begins.
        followers: of the shot that goes on, and of each that begins.
        sights: of each follower, what it saw.
    """

    begins: tuple[int, ...]
    followers: tuple[TurnFollower, ...]
    sights: tuple[list[Sight], ...]


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
        self._shots = [_Shot(TurnFollower(camera))]
        self._next = 0  # index of the next span
        self._ended = False

    def done(self, told: Callable[[int], None]) -> list[_Shot]:
        """Everything that was learnt of the clip."""
        self._recall()
        known = self._count()
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
        if self._count() < 2:
            raise InputError(
                f"Only {self._count()} frames of {self._clip.name} can be decoded: copy or convert "
                "it again.",
                code="damaged-clip",
            )
        return self._shots

    def _count(self) -> int:
        return sum(len(shot.frames) for shot in self._shots)

    def _recall(self) -> None:
        """Go on behind what is kept."""
        while not self._ended:
            glance = self._parts.get(f"{self._name}-{self._next:05d}")
            behind = self._parts.get(f"camera-{self._name}-{self._next:05d}")
            if glance is None or behind is None:
                return
            self._add(glance, behind)

    def _learn(self, glance: Glance) -> None:
        followers, sights, begins = [self._shots[-1].follower], [], []
        seen = zip(glance.frames, glance.greys, glance.figures, strict=True)
        for (number, time_s), grey, figures in seen:
            if followers[-1].cut(grey):
                sights.append(followers[-1].handed_over())
                followers.append(TurnFollower(self._camera))
                begins.append(number)
            followers[-1].look(number, time_s, grey, figures)
        sights.append(followers[-1].handed_over())
        behind = _Background(tuple(begins), tuple(followers), tuple(sights))
        self._parts.put(f"camera-{self._name}-{glance.index:05d}", behind)
        self._parts.put(f"{self._name}-{glance.index:05d}", replace(glance, greys=()))
        self._add(glance, behind)

    def _add(self, glance: Glance, behind: _Background) -> None:
        self._shots[-1].follower = behind.followers[0]
        self._shots[-1].sights += behind.sights[0]
        later = iter(zip(behind.followers[1:], behind.sights[1:], strict=True))
        seen = zip(glance.frames, glance.figures, glance.looks, glance.careful, strict=True)
        for frame, figures, looks, careful in seen:
            if frame[0] in behind.begins:
                self._shots.append(_Shot(*next(later)))
            shot = self._shots[-1]
            shot.tracker.update(*frame, figures, looks, careful=careful)
            shot.frames.append(frame)
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
