"""The motions of everybody in a clip, on one floor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import BodyModel
from vitruvian.types.motion import Motion
from vitruvian.types.record import Record
from vitruvian.video.eyes import Eyes
from vitruvian.video.floor import find_floor, floor_for
from vitruvian.video.shape import shape_of
from vitruvian.video.solving import Solver
from vitruvian.video.stretches import Stretch, stretches_of
from vitruvian.video.tracking import Track


@dataclass(frozen=True, eq=False, repr=False)
class SolvedTrack(Record):
    """One person's motion.

    Attributes:
        motion: in the frame of the cameras' reference, at the times at which they are there.
        numbers: (T,) of the clip's frames at those times.
        seen: (T,) bool, whether they were found in the frame.
        still: (T, 2) bool, whether either foot stays where it is up to the next time.
        swapped: number of frames in which left and right were exchanged.
    """

    motion: Motion
    numbers: np.ndarray
    seen: np.ndarray
    still: np.ndarray
    swapped: int


def solve_tracks(
    model: BodyModel,
    people: Sequence[Sequence[Track]],
    frames: Sequence[tuple[int, float]],
    eyes: Eyes,
    heights_m: Mapping[int, float],
    tell: Callable[[str, int, int], None],
) -> tuple[list[SolvedTrack], Floor]:
    """Shapes, then motions roughly, the floor they stand on, and motions finely.

    Args:
        model: of the bodies.
        people: of everybody the track from each camera; without sightings where it never shows
            them.
        frames: numbers and seconds of the frames that were looked at.
        eyes: the cameras.
        heights_m: statures that are known, by the numbers of people.
        tell: told how far it is, in frames.
    """
    pieces = [stretches_of(tracks, frames, eyes) for tracks in people]
    total = 2 * sum(len(stretch.numbers) for own in pieces for stretch in own)
    done = 0
    tell("motion", 0, total)
    solvers: list[Solver] = []
    rough: list[list[Motion]] = []
    for number, (tracks, stretches) in enumerate(zip(people, pieces, strict=True)):
        betas = shape_of(model, tracks, eyes, height_m=heights_m.get(number))
        solver = Solver(model, betas, eyes)
        solvers.append(solver)
        rough.append([])
        for stretch in stretches:
            rough[-1].append(solver.roughly(stretch))
            done += len(stretch.numbers)
            tell("motion", done, total)
    flat = [motion for own in rough for motion in own]
    stills = [stretch.still for own in pieces for stretch in own]
    floor, touching = find_floor(model, flat, stills, axes=eyes.axes)
    contacts = iter(touching)
    out = []
    for solver, stretches, motions in zip(solvers, pieces, rough, strict=True):
        own_floor = floor_for(model, floor, solver.betas)
        fine = []
        for stretch, motion in zip(stretches, motions, strict=True):
            fine.append(solver.finely(stretch, motion, next(contacts), own_floor))
            done += len(stretch.numbers)
            tell("motion", done, total)
        out.append(_in_one(fine, stretches))
    return out, floor


def _in_one(motions: Sequence[Motion], stretches: Sequence[Stretch]) -> SolvedTrack:
    whole = replace(
        motions[0],
        times_s=np.concatenate([motion.times_s for motion in motions]),
        pose=np.concatenate([motion.pose for motion in motions]),
        translation=np.concatenate([motion.translation for motion in motions]),
    )
    ends = np.zeros((1, 2), bool)
    return SolvedTrack(
        motion=whole,
        numbers=np.concatenate([stretch.numbers for stretch in stretches]),
        seen=np.concatenate([~stretch.lost for stretch in stretches]),
        still=np.concatenate([np.concatenate([each.still, ends]) for each in stretches]),
        swapped=sum(int(stretch.swapped.sum()) for stretch in stretches),
    )
