"""Avatars and motions settled on each other by the outlines of all frames.

A motion is found with bare bodies, whose outlines clothes hide; an avatar is made from one frame.
Here the avatar's girth follows the outlines of many frames, the motion is solved once more with
outlines of the avatar in place of the bare body's, and the girth follows that motion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from vitruvian.body.fit.clothes import Clothes, clothes_of
from vitruvian.body.model.model import body_model
from vitruvian.compute.processes import Crew
from vitruvian.compute.threads import one_blas_thread
from vitruvian.video.eyes import Eyes
from vitruvian.video.girth import MOST_LOOKS, Look, with_girth
from vitruvian.video.movers import Portrait
from vitruvian.video.together import Solved, SolvedTrack, settle_tracks
from vitruvian.video.tracking import Track, spread_best
from vitruvian.video.unfinished import Parts


def settled(
    people: Sequence[Sequence[Track]],
    frames: Sequence[tuple[int, float]],
    found: Solved,
    portraits: Sequence[Portrait],
    parts: Parts,
    tell: Callable[[int, int], None],
    crew: Crew,
) -> tuple[Solved, list[Portrait]]:
    """Motions and avatars that agree with the outlines of the clip.

    Args:
        people, frames, found, crew: as of ``settle_tracks``.
        portraits: of everybody.
        parts: where the motion is kept.
        tell: told how far it is, in frames, and of how many.
    """
    widened = _widened(people, found, portraits)
    clothes = [_clothes(one) for one in widened]
    with one_blas_thread():
        found = parts.made(
            "settled",
            lambda: settle_tracks(body_model(), people, frames, found, clothes, tell, crew),
        )
    return found, _widened(people, found, widened)


def _clothes(portrait: Portrait) -> Clothes | None:
    return clothes_of(body_model(), portrait.body.rest()[1], portrait.avatar)


def _widened(
    people: Sequence[Sequence[Track]], found: Solved, portraits: Sequence[Portrait]
) -> list[Portrait]:
    out = []
    for tracks, one, portrait in zip(people, found.tracks, portraits, strict=True):
        clothes = _clothes(portrait)
        if clothes is not None:
            looks = _looks(tracks, one, found.eyes)
            avatar = with_girth(body_model(), portrait.avatar, clothes, one.motion, looks)
            portrait = replace(portrait, avatar=avatar)
        out.append(portrait)
    return out


def _looks(tracks: Sequence[Track], one: SolvedTrack, eyes: Eyes) -> list[Look]:
    """The outlines of frames spread over the clip, those that show most of somebody."""
    times = {int(number): time for time, number in enumerate(one.numbers)}
    looks = []
    for which, track in enumerate(tracks):
        known = [each for each in track.sightings if each.number in times]
        most = max(1, MOST_LOOKS // len(tracks))
        for each in spread_best(known, most, attrgetter("figure.completeness")):
            camera, place = eyes.camera(which, each.number), eyes.place(which, each.number)
            looks.append(Look(times[each.number], each.figure.alpha, camera, place))
    return looks
