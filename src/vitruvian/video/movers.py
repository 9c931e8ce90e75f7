"""Everybody in motion: their avatars from the frames that show them best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.options import Options
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.video.appearance import Shot, avatar_of, bare_avatar_of
from vitruvian.video.choosing import best_frames, best_sighting
from vitruvian.video.clip import Clip
from vitruvian.video.placing import Placing
from vitruvian.video.scene import Mover
from vitruvian.video.together import Solved, SolvedTrack
from vitruvian.video.tracking import Track, size_of


@dataclass(frozen=True, eq=False)
class Portrait:
    """Somebody as one frame shows them.

    Attributes:
        avatar: that it makes of them.
        body: under it, in the frame of the camera.
        clip: number of the clip.
        number: of the frame.
    """

    avatar: Avatar
    body: Body
    clip: int
    number: int


def portraits_of(
    clips: Sequence[Clip],
    people: Sequence[Sequence[Track]],
    found: Solved,
    options: Options,
    *,
    bodies: bool,
    tell: Callable[[int], None],
) -> list[Portrait]:
    """Everybody's avatar.

    Args:
        clips: of all cameras.
        people: of each the track in every clip.
        found: their motions.
        options: of the frames that avatars are made from, as of photographs.
        bodies: avatars are the bodies alone.
        tell: told how many there are.
    """
    model, eyes = body_model(), found.eyes
    portraits: list[Portrait] = []
    tell(0)
    shown = [] if bodies else best_frames(clips, eyes.camera, people, model, Placing(model, found))
    for index, (tracks, one) in enumerate(zip(people, found.tracks, strict=True)):
        betas = one.motion.betas
        if bodies:
            which = int(np.argmax([size_of([track]) for track in tracks]))
            sighting = best_sighting(tracks[which].sightings)
            number, camera = sighting.number, eyes.camera(which, sighting.number)
            avatar, body = bare_avatar_of(model, sighting.figure, camera, betas)
        else:
            shots = [
                Shot(frame, one.figure, eyes.camera(which, frame.number), one.foreign)
                for which, frame, one in shown[index]
            ]
            which, number = shown[index][0][0], shots[0].frame.number
            avatar, body = avatar_of(model, shots, betas, options)
        portraits.append(Portrait(avatar, body, which, number))
        tell(len(portraits))
    return portraits


def movers_of(
    people: Sequence[Sequence[Track]], found: Solved, portraits: Sequence[Portrait]
) -> tuple[Mover, ...]:
    """Everybody with their avatar; arguments as of ``portraits_of``, which makes the portraits."""
    every = zip(people, found.tracks, portraits, strict=True)
    return tuple(_mover(tracks[0], one, portrait) for tracks, one, portrait in every)


def _mover(track: Track, one: SolvedTrack, portrait: Portrait) -> Mover:
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
        body=portrait.body,
        avatar=portrait.avatar,
        avatar_clip=portrait.clip,
        avatar_frame=portrait.number,
        warnings=tuple(warnings),
    )
