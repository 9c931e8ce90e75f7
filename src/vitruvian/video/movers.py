"""Everybody in motion: their avatars from the frames that show them best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.options import Options
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.video.appearance import avatar_of, bare_avatar_of
from vitruvian.video.choosing import best_frames, best_sighting
from vitruvian.video.clip import Clip
from vitruvian.video.scene import Mover
from vitruvian.video.together import Solved, SolvedTrack
from vitruvian.video.tracking import Track, size_of


def movers_of(
    clips: Sequence[Clip],
    people: Sequence[Sequence[Track]],
    found: Solved,
    options: Options,
    *,
    bodies: bool,
    tell: Callable[[str, int, int], None],
) -> tuple[Mover, ...]:
    """Everybody with their avatar.

    Args:
        clips: of all cameras.
        people: of each the track in every clip.
        found: their motions.
        options: of the frames that avatars are made from, as of photographs.
        bodies: avatars are the bodies alone.
        tell: told how many there are.
    """
    model, eyes = body_model(), found.eyes
    movers: list[Mover] = []
    tell("avatars", 0, len(people))
    shown = [] if bodies else best_frames(clips, eyes.camera, people, model, _placed(found))
    for index, (tracks, one) in enumerate(zip(people, found.tracks, strict=True)):
        betas = one.motion.betas
        if bodies:
            which = int(np.argmax([size_of([track]) for track in tracks]))
            sighting = best_sighting(tracks[which].sightings)
            number, camera = sighting.number, eyes.camera(which, sighting.number)
            avatar, body = bare_avatar_of(model, sighting.figure, camera, betas)
        else:
            which, frame, sighting = shown[index]
            number, camera = frame.number, eyes.camera(which, frame.number)
            avatar, body = avatar_of(model, frame, sighting.figure, camera, betas, options)
        movers.append(_mover(tracks[0], one, avatar, body, (which, number)))
        tell("avatars", len(movers), len(people))
    return tuple(movers)


def _placed(found: Solved) -> Callable[[int, int, int], np.ndarray | None]:
    """What tells where the bodies of a solution are, as of ``best_frames``."""
    times = [{int(number): t for t, number in enumerate(one.numbers)} for one in found.tracks]

    def placed(person: int, which: int, number: int) -> np.ndarray | None:
        time, motion = times[person].get(number), found.tracks[person].motion
        if time is None:
            return None
        posed = body_model().forward(motion.betas, motion.pose[time], motion.translation[time])
        place = found.eyes.place(which, number)
        if place is None:
            return posed.vertices
        return np.asarray(posed.vertices @ place[:3, :3].T + place[:3, 3])

    return placed


def _mover(
    track: Track, one: SolvedTrack, avatar: Avatar, body: Body, frame: tuple[int, int]
) -> Mover:
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
        avatar_clip=frame[0],
        avatar_frame=frame[1],
        warnings=tuple(warnings),
    )
