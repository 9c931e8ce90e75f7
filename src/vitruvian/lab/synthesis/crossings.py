"""Clips of several synthetic people who cross, hide each other, leave and come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.lights import Light, random_light
from vitruvian.lab.synthesis.parts import Part
from vitruvian.lab.synthesis.people import Recipe, build_person
from vitruvian.lab.synthesis.sampling import random_recipe
from vitruvian.lab.synthesis.sequence_cameras import CameraKind, CameraPath, camera_path
from vitruvian.lab.synthesis.sequence_files import Drawing, Film, Truth, write_clips
from vitruvian.lab.synthesis.sequence_motions import random_motion
from vitruvian.lab.synthesis.sequences import (
    FPS,
    TEXELS,
    bare_lowest,
    drawn_moment,
    posed_person,
    room,
    world_from_person,
)
from vitruvian.types.motion import Motion
from vitruvian.types.record import Record

_LANE_M = 0.75  # between the ways of two people, along the view
_GOING = 0.8  # share of those who walk or run in any case
_BACK = 0.4  # share of the clips in which somebody turns back half way
_WANDER = 0.3  # radians by which ways differ from straight across the view, and metres aside


@dataclass(frozen=True, eq=False, repr=False)
class Crossing(Record):
    """Several people before one camera, in a world with y up and the floor at y = 0.

    Attributes:
        people: recipe and motion of each.
        path: the camera.
        scenery, light, softness, seed: as of ``Sequence``.
    """

    people: tuple[tuple[Recipe, Motion], ...]
    path: CameraPath
    scenery: tuple[tuple[int, Part], ...]
    light: Light
    softness: float
    seed: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class CrossingTruth(Truth):
    """What is true of a clip of several people.

    Attributes:
        fps: frames a second.
        fov_deg: of the lens, across the longer side.
        instances: (F, H, W) uint8: 0 nobody, else the number of the person whose pixel it is.
        statures: (P,) metres, without shoes.
    """

    fps: float
    fov_deg: float
    instances: np.ndarray
    statures: np.ndarray

    @staticmethod
    def read(path: Path) -> CrossingTruth:
        """The truth in a ``truth.npz``. Raises ``InputError`` where it cannot be read."""
        try:
            with np.load(path) as archive:
                return CrossingTruth(
                    float(archive["fps"]), float(archive["fov_deg"]),
                    archive["instances"], archive["statures"],
                )  # fmt: skip
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{path} is no truth of a clip of several people: make it again with vitruvian "
                "synth --video --people 2."
            ) from error


def random_crossing(
    seed: int, number: int, people: int, frames: int, size: int, library: AssetLibrary
) -> Crossing:
    """Clip ``number`` of a seed: ``people`` walk, run or dance past each other.

    ``size``: longer side of the frames in pixels.
    """
    # 6: neither the random numbers of samples, of pairs, of groups nor of single people's clips.
    rng = np.random.default_rng([seed, number, people, 6])
    seconds = np.arange(frames) / FPS
    recipes = [replace(random_recipe(rng, library), accessories=()) for _ in range(people)]
    tallest = max(float(body_model().stature(recipe.betas)) for recipe in recipes)
    kind: CameraKind = "still" if number % 2 == 0 else "turning"
    path = camera_path(rng, kind, np.zeros((frames, 3)), tallest, size, FPS)
    across = path.views[0].camera_from_world[0, :3] * [1, 0, 1]
    across = across / np.linalg.norm(across)
    toward = np.cross(across, [0.0, 1.0, 0.0])
    order = rng.permutation(people)
    turns_back = int(rng.integers(people)) if rng.random() < _BACK else -1
    cast = []
    for index, recipe in enumerate(recipes):
        side = 1.0 if index % 2 == 0 else -1.0
        doing, motion = random_motion(rng, recipe.betas, seconds)
        if rng.random() < _GOING:
            while not doing.startswith(("walk", "run")):
                doing, motion = random_motion(rng, recipe.betas, seconds)
        motion = _heading(rng, motion, side * across)
        if index == turns_back:
            motion = _turned_back(motion)
        lane = _LANE_M * (order[index] - (people - 1) / 2)
        aside = toward * lane + across * rng.normal(0, _WANDER)
        at_rest = replace(recipe, pose=np.zeros_like(recipe.pose))
        sole = build_person(at_rest, library, TEXELS).lift + float(bare_lowest(recipe.betas))
        motion = replace(motion, translation=motion.translation + aside + [0, sole, 0])
        cast.append((recipe, motion))
    ways = np.concatenate([motion.translation * [1, 0, 1] for _, motion in cast])
    return Crossing(
        people=tuple(cast),
        path=path,
        scenery=tuple((0, part) for part in room(rng, path, ways)),
        light=random_light(rng, np.array([0.0, 1.0, 0.0])),
        softness=float(rng.uniform(0, 0.02)),
        seed=(seed, number, people, 7),
    )


def _heading(rng: np.random.Generator, motion: Motion, way: np.ndarray) -> Motion:
    """The motion turned about the origin so that it leads along ``way`` (3,), or nearly."""
    went = motion.translation[-1] - motion.translation[0]
    if np.hypot(went[0], went[2]) < 0.3:
        return motion
    turn = np.arctan2(way[0], way[2]) - np.arctan2(went[0], went[2]) + rng.normal(0, _WANDER)
    return _turned(motion, float(turn))


def _turned(motion: Motion, turn: float) -> Motion:
    about = matrix_from_axis_angle(np.array([0, turn, 0]))
    pose = motion.pose.copy()
    pose[:, 0] = axis_angle_from_matrix(about @ matrix_from_axis_angle(pose[:, 0]))
    return replace(motion, pose=pose, translation=motion.translation @ about.T)


def _turned_back(motion: Motion) -> Motion:
    """Half way they turn round at once, and go back."""
    half = len(motion.times_s) // 2
    back = _turned(motion, np.pi)
    step = motion.translation[half] - back.translation[half]
    return replace(
        motion,
        pose=np.concatenate([motion.pose[:half], back.pose[half:]]),
        translation=np.concatenate(
            [motion.translation[:half], back.translation[half:] + step * [1, 0, 1]]
        ),
    )


def drawn_crossing(
    crossing: Crossing, library: AssetLibrary
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of every frame the picture (H, W, 3) uint8 sRGB and whose pixels are whose (H, W) uint8."""
    for number, view in enumerate(crossing.path.views):
        people = []
        for recipe, motion in crossing.people:
            person = posed_person(recipe, motion, number, library)
            people.append((person, world_from_person(person, motion.translation[number])))
        image, owner, _ = drawn_moment(crossing, view, people, number)
        yield image, owner[::2, ::2].astype(np.uint8)


def write_crossings(
    folder: Path, seed: int, count: int, people: int, frames: int, size: int, library: AssetLibrary
) -> Iterator[int]:
    """Write ``count`` clips, as ``write_clips`` does."""

    def drawn(number: int, film: Film) -> Drawing:
        crossing = random_crossing(seed, number, people, frames, size, library)
        owners = []
        for image, owner in drawn_crossing(crossing, library):
            film.add(image)
            owners.append(owner)
            yield 1
        statures = [body_model().stature(recipe.betas) for recipe, _ in crossing.people]
        return CrossingTruth(
            fps=FPS,
            fov_deg=float(crossing.path.views[0].camera.fov_deg),
            instances=np.stack(owners),
            statures=np.array(statures),
        ).encoded()

    yield from write_clips(folder, count, frames, drawn)
