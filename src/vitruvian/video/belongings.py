"""Mattes of a clip that leave out what touches somebody for moments: a ball, a chair, a dog.

A matte of one frame cannot tell what is theirs from what they touch. Over a clip what is theirs, a
bag, a hat, hair, stays at the same place of the body, and what is not comes and goes. So every
patch of the body is asked how often the matte goes on beyond it, and what goes on where it seldom
does is left out, unless it has their colours, as skirts and hair that fly have. People may be where
the motion does not have them: what landmarks show stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

import cv2
import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.image.cielab import cielab
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.video.beyond import Piece, beyond_body
from vitruvian.video.clip import Clip
from vitruvian.video.patches import ODD_LAB, colours_of_patches, patches_of, usual_colours
from vitruvian.video.placing import Placing
from vitruvian.video.together import Solved
from vitruvian.video.tracking import Sighting, Track, spread_best

_PATCH_M = 0.08
_USUAL = 0.3  # share of the frames in which the matte goes on where something is theirs
_LEAST_FRAMES = 12  # that show a patch from aside, from which on that is known
_LOOKS = 16  # frames that tell the usual colours of patches
_AROUND_M = 0.15  # of a piece, at rest: patches whose colours it may have
_ALIKE = 0.4  # share of a piece's pixels in these, from which on it is theirs


def own_tracks(
    model: BodyModel, clips: Sequence[Clip], people: Sequence[Sequence[Track]], found: Solved
) -> list[tuple[Track, ...]]:
    """Everybody's tracks with mattes that leave out what is not theirs.

    Args:
        model: of the bodies.
        clips: of all cameras.
        people: of each the track in every clip.
        found: their motions.
    """
    placing = Placing(model, found)
    out = []
    for index, (tracks, solved) in enumerate(zip(people, found.tracks, strict=True)):
        stature = model.stature(solved.motion.betas)
        own = []
        for which, track in enumerate(tracks):

            def placed(number: int, index: int = index, which: int = which) -> Place | None:
                vertices = placing(index, which, number)
                return None if vertices is None else (vertices, found.eyes.camera(which, number))

            sightings = own_sightings(model, clips[which], track.sightings, placed, stature)
            own.append(replace(track, sightings=sightings))
        out.append(tuple(own))
    return out


# Vertices (V, 3) of a body in a camera's frame, and that camera.
Place = tuple[np.ndarray, Camera]


def own_sightings(
    model: BodyModel,
    clip: Clip,
    sightings: Sequence[Sighting],
    placed: Callable[[int], Place | None],
    stature_m: float,
) -> list[Sighting]:
    """Sightings whose mattes leave out what is not theirs.

    Args:
        model: of the body.
        clip: that they are of; it is read once more where anything may be left out.
        sightings: of somebody.
        placed: tells their body in a frame, by its number; None where it is not known.
        stature_m: of the person.
    """
    patches = patches_of(model, _PATCH_M)
    count = int(patches.max()) + 1
    frames, shares = np.zeros(count), np.zeros(count)
    pieces: list[Piece] = []
    for one in sightings:
        place = placed(one.number)
        if place is not None:
            beyond = beyond_body(one, *place, model, patches, stature_m)
            frames += beyond.asked > 0
            shares += beyond.found / np.maximum(beyond.asked, 1)
            pieces += beyond.pieces
    theirs = (shares >= _USUAL * frames) | (frames < _LEAST_FRAMES)
    odd = [piece for piece in pieces if theirs[piece.patches].mean() < 0.5]
    foreign: dict[int, list[Piece]] = {}
    for piece in _unlike(model, clip, sightings, placed, odd):
        foreign.setdefault(piece.number, []).append(piece)
    return [_without(one, foreign.get(one.number, ())) for one in sightings]


def _unlike(
    model: BodyModel,
    clip: Clip,
    sightings: Sequence[Sighting],
    placed: Callable[[int], Place | None],
    pieces: Sequence[Piece],
) -> list[Piece]:
    """Those of the pieces that are in colours which the body around them seldom has."""
    if not pieces:
        return []
    patches = patches_of(model, _PATCH_M)
    known = [one for one in sightings if placed(one.number) is not None]
    best = spread_best(known, _LOOKS, attrgetter("figure.completeness"))
    shown = {one.number: one for one in best}
    by_frame: dict[int, list[Piece]] = {}
    for piece in pieces:
        by_frame.setdefault(piece.number, []).append(piece)
    seen: list[tuple[Piece, np.ndarray]] = []
    colours = []
    wanted = {*shown, *by_frame}
    for frame in clip.frames(only=set(wanted)):
        one, place = shown.get(frame.number), placed(frame.number)
        if one is not None and place is not None:
            colours.append(colours_of_patches(frame, one.figure, *place, model, patches)[0])
        for piece in by_frame.get(frame.number, ()):
            seen.append((piece, _colours_of(piece, frame.pixels)))
        wanted.discard(frame.number)
        if not wanted:
            break
    usual = usual_colours(np.stack(colours))
    middles = model.template[model.faces].mean(1)
    sums = [np.bincount(patches, middles[:, axis]) for axis in range(3)]
    places = np.stack(sums, axis=1) / np.bincount(patches)[:, None]
    out = []
    for piece, lab in seen:
        away = np.linalg.norm(places[:, None] - places[piece.patches], axis=2).min(1)
        around = usual[(away < _AROUND_M) & np.isfinite(usual[:, 0])]
        if not len(around):
            continue
        apart = np.linalg.norm(lab[:, None] - around, axis=2).min(1)
        if (apart < ODD_LAB).mean() < _ALIKE:
            out.append(piece)
    return out


def _colours_of(piece: Piece, pixels: np.ndarray) -> np.ndarray:
    """(N, 3) CIELAB of a piece's pixels, at its scale."""
    (x0, y0, scale), (height, width) = piece.window, piece.shape
    region = pixels[y0 : y0 + round(height / scale), x0 : x0 + round(width / scale)]
    region = cv2.resize(region, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cielab(region)[piece.mask > 0])


def _without(one: Sighting, pieces: Sequence[Piece]) -> Sighting:
    """The sighting, its matte without pieces that are not theirs."""
    if not pieces:
        return one
    alpha = one.figure.alpha
    left = np.zeros(alpha.values.shape, np.uint8)
    for piece in pieces:
        (height, width), (x0, y0, scale) = piece.shape, piece.window
        full = cv2.resize(
            255 * cv2.dilate(piece.mask, np.ones((3, 3), np.uint8)),
            (round(width / scale), round(height / scale)),
            interpolation=cv2.INTER_LINEAR,
        )
        whole = Alpha(full, x0, y0, alpha.width, alpha.height)
        rows, columns = alpha.values.shape
        np.maximum(
            left, whole.window(alpha.x, alpha.y, alpha.x + columns, alpha.y + rows), out=left
        )
    foreign = replace(alpha, values=left)
    figure = replace(one.figure, alpha=alpha.without(foreign))
    return replace(one, figure=figure, foreign=foreign)
