"""The motions of everybody in a clip, on one floor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.fit.clothes import Clothes
from vitruvian.body.fit.dynamics import Floor
from vitruvian.body.model.model import BodyModel
from vitruvian.compute.processes import Crew
from vitruvian.types.motion import Motion
from vitruvian.types.record import Record
from vitruvian.video.contacts import SOLES, standing, staying
from vitruvian.video.eyes import Eyes
from vitruvian.video.floor import (
    find_floor,
    floor_for,
    landmarks_of,
    sole_heights,
    upright_of,
)
from vitruvian.video.ground import floor_of, ground_unit
from vitruvian.video.pathscale import path_unit
from vitruvian.video.shape import shape_of
from vitruvian.video.solving import Solver, Window, cut, in_one, solve_window
from vitruvian.video.stretches import Stretch, stretches_of
from vitruvian.video.tracking import Track

ROUNDS = 2  # of telling contacts and solving with them


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


@dataclass(frozen=True, eq=False, repr=False)
class Solved(Record):
    """The motions of everybody.

    Attributes:
        tracks: of each.
        floor: in their frame.
        eyes: the cameras, the path of one that travels in metres.
    """

    tracks: tuple[SolvedTrack, ...]
    floor: Floor
    eyes: Eyes


def solve_tracks(
    model: BodyModel,
    people: Sequence[Sequence[Track]],
    frames: Sequence[tuple[int, float]],
    eyes: Eyes,
    heights_m: Mapping[int, float],
    tell: Callable[[str, int, int], None],
    crew: Crew | None = None,
    *,
    rounds: int = ROUNDS,
) -> Solved:
    """Shapes, then motions roughly; contacts and floor, and motions finely, again and again.

    Args:
        model: of the bodies.
        people: of everybody the track from each camera; without sightings where it never shows
            them.
        frames: numbers and seconds of the frames that were looked at.
        eyes: the cameras; the path of one that travels in any unit.
        heights_m: statures that are known, by the numbers of people.
        tell: told how far it is, in frames.
        crew: solves the windows.
        rounds: of telling contacts and solving with them; ``settle_tracks`` is one more.
    """
    pieces = [stretches_of(tracks, frames) for tracks in people]
    total = (1 + rounds) * sum(len(stretch.numbers) for own in pieces for stretch in own)
    work = _Work(crew or Crew(), pieces, tell, total)
    tell("motion", 0, total)
    turning_alone = _turning_alone(eyes)
    solvers = []
    for number, tracks in enumerate(people):
        height = heights_m.get(number)
        betas = shape_of(model, tracks, turning_alone, height_m=height, crew=work.crew)
        solvers.append(Solver(betas, turning_alone))
    motions = work.solved(
        [
            [solver.roughly(stretch) for stretch in stretches]
            for solver, stretches in zip(solvers, pieces, strict=True)
        ]
    )
    motions, eyes, up = _travelled(model, motions, pieces, eyes)
    solvers = [replace(solver, eyes=eyes) for solver in solvers]
    if up is None:
        up = upright_of(model, [motion for own in motions for motion in own])
    bare = [None] * len(people)
    for _ in range(rounds):
        finer = _finer(model, work, solvers, motions, up, bare)
        motions, up = finer.motions, finer.floor.up
    return finer.solved(pieces, eyes)


def settle_tracks(
    model: BodyModel,
    people: Sequence[Sequence[Track]],
    frames: Sequence[tuple[int, float]],
    found: Solved,
    clothes: Sequence[Clothes | None],
    tell: Callable[[int, int], None],
    crew: Crew | None = None,
) -> Solved:
    """One round more, in which outlines are those of people's clothes.

    Args:
        model, people, frames, crew: as of ``solve_tracks``.
        found: what that found.
        clothes: of everybody; None where they are not known.
        tell: told how far it is, in frames, and of how many.
    """
    pieces = [stretches_of(tracks, frames) for tracks in people]
    total = sum(len(stretch.numbers) for own in pieces for stretch in own)
    work = _Work(crew or Crew(), pieces, lambda _, *done: tell(*done), total)
    tell(0, total)
    solvers = [Solver(one.motion.betas, found.eyes) for one in found.tracks]
    motions = []
    for one, stretches in zip(found.tracks, pieces, strict=True):
        ends = np.cumsum([len(stretch.numbers) for stretch in stretches]).tolist()
        places = [slice(*ends) for ends in zip([0, *ends[:-1]], ends, strict=True)]
        motions.append([cut(one.motion, place) for place in places])
    finer = _finer(model, work, solvers, motions, found.floor.up, clothes)
    return finer.solved(pieces, found.eyes)


@dataclass(frozen=True)
class _Finer:
    """What a round makes: motions of everybody's stretches, which soles stand in each of all
    stretches, and the floor."""

    motions: list[list[Motion]]
    stands: list[np.ndarray]
    floor: Floor

    def solved(self, pieces: Sequence[Sequence[Stretch]], eyes: Eyes) -> Solved:
        held = iter(self.stands)
        out = [
            _in_one(own, stretches, [next(held) for _ in stretches])
            for own, stretches in zip(self.motions, pieces, strict=True)
        ]
        return Solved(tuple(out), self.floor, eyes)


def _finer(
    model: BodyModel,
    work: _Work,
    solvers: Sequence[Solver],
    motions: Sequence[Sequence[Motion]],
    up: np.ndarray,
    clothes: Sequence[Clothes | None],
) -> _Finer:
    """Contacts and the floor as motions tell them, and the motions with these, finely."""
    eyes = solvers[0].eyes
    flat = [motion for own in motions for motion in own]
    stands = []
    for stretch, motion in zip((one for own in work.pieces for one in own), flat, strict=True):
        soles = landmarks_of(model, motion)[:, SOLES]
        stands.append(standing(soles, motion.times_s, up, eyes.seats(stretch.numbers)))
    floor, touching = find_floor(model, flat, stands, up, axes=eyes.axes, edges=eyes.edges)
    contacts = iter(zip(stands, touching, strict=True))
    windows = []
    for solver, stretches, before, worn in zip(solvers, work.pieces, motions, clothes, strict=True):
        own_floor = floor_for(model, floor, solver.betas)
        both = zip(stretches, before, strict=True)
        windows.append(
            [solver.finely(*each, *next(contacts), own_floor, clothes=worn) for each in both]
        )
    return _Finer(work.solved(windows), stands, floor)


@dataclass
class _Work:
    """Windows solved by a crew, those of everybody side by side.

    Attributes:
        crew: solves them.
        pieces: everybody's stretches.
        tell: told how far it is.
        total: frames in all rounds.
        done: frames that were solved.
    """

    crew: Crew
    pieces: Sequence[Sequence[Stretch]]
    tell: Callable[[str, int, int], None]
    total: int
    done: int = 0

    def solved(self, windows: Sequence[Sequence[Sequence[Window]]]) -> list[list[Motion]]:
        """The motion of each stretch, solved in those windows."""
        everyone = [window for own in windows for each in own for window in each]
        found = self.crew.map(solve_window, everyone)
        motions: list[list[Motion]] = []
        for stretches, own in zip(self.pieces, windows, strict=True):
            motions.append([])
            for stretch, each in zip(stretches, own, strict=True):
                parts = []
                reached = 0
                for window in each:
                    parts.append((window, next(found)))
                    end = window.first + len(window.stretch.numbers)
                    self.done, reached = self.done + end - reached, end
                    self.tell("motion", self.done, self.total)
                motions[-1].append(in_one(stretch, parts))
        return motions


def _turning_alone(eyes: Eyes) -> Eyes:
    """The cameras as if they stayed where they are."""
    if eyes.turning is None:
        return eyes
    return replace(eyes, turning=replace(eyes.turning, places=None))


def _travelled(
    model: BodyModel,
    motions: Sequence[Sequence[Motion]],
    pieces: Sequence[Sequence[Stretch]],
    eyes: Eyes,
) -> tuple[list[list[Motion]], Eyes, np.ndarray | None]:
    """Motions as seen by a camera that stayed, taken along its path, its path in metres, and what
    is up as the floor behind the people says.

    Where nobody's feet tell how long the path is, the camera stays.
    """
    turning = eyes.turning
    if turning is None or turning.places is None:
        return [list(own) for own in motions], eyes, None
    paths = [
        [np.stack([turning.places[int(n)] for n in stretch.numbers]) for stretch in own]
        for own in pieces
    ]
    flat = [motion for own in motions for motion in own]
    places = [path for own in paths for path in own]
    soles = [landmarks_of(model, motion)[:, SOLES] for motion in flat]
    floor, ground, upright = None, None, None
    if turning.points is not None:
        floor = floor_of(turning.points, upright_of(model, flat))
    if floor is not None:
        lowest = [
            (own - sole_heights(model, motion.betas)[:, None] * floor[0]).reshape(len(own), -1, 3)
            for own, motion in zip(soles, flat, strict=True)
        ]
        ground = ground_unit(floor, lowest, places)
        upright = floor[0] if ground is not None else None
    unit = path_unit(soles, [motion.times_s for motion in flat], places, ground)
    if upright is not None:
        eyes = replace(eyes, axes=upright[None])
    if unit is None:
        return [list(own) for own in motions], _turning_alone(eyes), upright
    moved = [
        [
            replace(motion, translation=motion.translation + unit * path)
            for motion, path in zip(*both, strict=True)
        ]
        for both in zip(motions, paths, strict=True)
    ]
    return moved, replace(eyes, turning=turning.scaled(unit)), upright


def _in_one(
    motions: Sequence[Motion], stretches: Sequence[Stretch], stands: Sequence[np.ndarray]
) -> SolvedTrack:
    ends = np.zeros((1, 2), bool)
    whole = replace(
        motions[0],
        times_s=np.concatenate([motion.times_s for motion in motions]),
        pose=np.concatenate([motion.pose for motion in motions]),
        translation=np.concatenate([motion.translation for motion in motions]),
    )
    return SolvedTrack(
        motion=whole,
        numbers=np.concatenate([stretch.numbers for stretch in stretches]),
        seen=np.concatenate([~stretch.lost for stretch in stretches]),
        still=np.concatenate([np.concatenate([staying(one).all(2), ends]) for one in stands]),
        swapped=sum(int(stretch.swapped.sum()) for stretch in stretches),
    )
