"""Clips of synthetic people in motion, before cameras that stand, turn or travel."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as ListOf
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import View
from vitruvian.lab.synthesis.degrade import photograph
from vitruvian.lab.synthesis.drawing import (
    Geometry,
    cast_shadows,
    gather,
    pixel_share,
    rasterize,
    shade,
)
from vitruvian.lab.synthesis.lights import Light, random_light
from vitruvian.lab.synthesis.materials import random_tile
from vitruvian.lab.synthesis.parts import Part
from vitruvian.lab.synthesis.people import Recipe, SyntheticPerson, build_person
from vitruvian.lab.synthesis.places import plane_part
from vitruvian.lab.synthesis.props import random_occluder
from vitruvian.lab.synthesis.sampling import random_recipe
from vitruvian.lab.synthesis.sequence_cameras import CAMERA_KINDS, CameraPath, camera_path
from vitruvian.lab.synthesis.sequence_motions import random_motion
from vitruvian.types.motion import Motion
from vitruvian.types.record import Record

FPS = 30.0
OCCLUDED = 0.4  # share of clips in which an object stands before the person
TEXELS = 512
_PERSON, _OBJECT = 1, 255
_AROUND_M = 2.5, 6.0  # from camera and path to the walls
_HIGH_M = 9.0  # walls: higher than any picture shows
_SKY = 0.8  # linear light of what is beyond them


@dataclass(frozen=True, eq=False, repr=False)
class Sequence(Record):
    """Who does what before which camera, in a world with y up and the floor at y = 0.

    Attributes:
        recipe: of the person.
        motion: of the body, in that world.
        doing: the motion's name.
        path: the camera.
        scenery: floor, walls and objects with their instance: 0, or 255 for what hides people.
        light: in the world's axes.
        softness: radius of penumbras, metres.
        seed: of what every frame's picture shares, such as exposure.
    """

    recipe: Recipe
    motion: Motion
    doing: str
    path: CameraPath
    scenery: tuple[tuple[int, Part], ...]
    light: Light
    softness: float
    seed: tuple[int, ...]

    @property
    def occluded(self) -> bool:
        """Whether an object stands between camera and person at some time."""
        return any(instance == _OBJECT for instance, _ in self.scenery)


@dataclass(frozen=True, eq=False, repr=False)
class SequenceFrame(Record):
    """A frame.

    Attributes:
        image: (H, W, 3) uint8 sRGB.
        visible: share of the person's silhouette inside the frame that nothing hides; 0 where the
            person is outside of it.
    """

    image: np.ndarray
    visible: float


def random_sequence(
    seed: int, number: int, frames: int, size: int, library: AssetLibrary
) -> Sequence:
    """Sequence ``number`` of a seed: the cameras' kinds take turns, all else is random.

    ``size``: longer side of the frames in pixels.
    """
    # 4: neither the random numbers of samples, of pairs nor of groups.
    rng = np.random.default_rng([seed, number, 4])
    recipe = replace(random_recipe(rng, library), accessories=())
    seconds = np.arange(frames) / FPS
    doing, motion = random_motion(rng, recipe.betas, seconds)
    # Shoes lift the person by their soles.
    at_rest = replace(recipe, pose=np.zeros_like(recipe.pose))
    sole = build_person(at_rest, library, TEXELS).lift + float(bare_lowest(recipe.betas))
    motion = replace(motion, translation=motion.translation + [0, sole, 0])
    way = np.linspace(motion.translation[0], motion.translation[-1], frames) * [1, 0, 1]
    stature = body_model().stature(recipe.betas)
    kind = CAMERA_KINDS[number % len(CAMERA_KINDS)]
    path = camera_path(rng, kind, way, stature, size, FPS)
    scenery = [(0, part) for part in room(rng, path, way)]
    if rng.random() < OCCLUDED:
        half = frames // 2
        person = posed_person(recipe, motion, half, library)
        points = _carried(person.vertices, world_from_person(person, motion.translation[half]))
        scenery.append((_OBJECT, random_occluder(rng, points, path.views[half])))
    return Sequence(
        recipe=recipe,
        motion=motion,
        doing=doing,
        path=path,
        scenery=tuple(scenery),
        light=random_light(rng, np.array([0.0, 1.0, 0.0])),
        softness=float(rng.uniform(0, 0.02)),
        seed=(seed, number, 5),
    )


def posed_person(
    recipe: Recipe, motion: Motion, frame: int, library: AssetLibrary
) -> SyntheticPerson:
    """The person in one frame's pose, turned as in the world but standing at the origin."""
    return build_person(replace(recipe, pose=motion.pose[frame]), library, TEXELS)


def drawn_frames(sequence: Sequence, library: AssetLibrary) -> Iterator[SequenceFrame]:
    """Photograph every frame."""
    for number in range(len(sequence.motion.times_s)):
        yield _drawn(sequence, number, library)


def _drawn(sequence: Sequence, number: int, library: AssetLibrary) -> SequenceFrame:
    view = sequence.path.views[number]
    person = posed_person(sequence.recipe, sequence.motion, number, library)
    place = world_from_person(person, sequence.motion.translation[number])
    image, owner, seen = drawn_moment(sequence, view, [(person, place)], number)
    alone = rasterize(seen, view.camera, 2, only=seen.instance == _PERSON)
    whole = int((alone.face >= 0).sum())
    shown = int((owner == _PERSON).sum())
    return SequenceFrame(image, shown / whole if whole else 0.0)


class Setting(Protocol):
    """Where and in what light a clip is taken; see ``Sequence``."""

    @property
    def scenery(self) -> tuple[tuple[int, Part], ...]: ...
    @property
    def light(self) -> Light: ...
    @property
    def softness(self) -> float: ...
    @property
    def seed(self) -> tuple[int, ...]: ...


def drawn_moment(
    setting: Setting,
    view: View,
    people: ListOf[tuple[SyntheticPerson, np.ndarray]],
    number: int,
) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """A frame's picture (H, W, 3) uint8 sRGB, whose sample is whose (2 H, 2 W), and all geometry.

    Args:
        setting: place and light.
        view: of the frame.
        people: each with ``world_from_person`` (4, 4); their instances are 1, 2, ...
        number: of the frame, for its grain.
    """
    rotation = view.camera_from_world[:3, :3]
    parts = [(instance, part, view.camera_from_world) for instance, part in setting.scenery] + [
        (instance, part, view.camera_from_world @ place)
        for instance, (person, place) in enumerate(people, _PERSON)
        for part in person.parts
    ]
    seen = gather(parts)
    # Light stays in the world while the camera turns: it is computed in the world's axes.
    lit = replace(
        seen,
        points=np.ascontiguousarray(seen.points @ rotation, np.float32),
        normals=np.ascontiguousarray(seen.normals @ rotation, np.float32),
    )
    shadows = cast_shadows(
        lit, setting.light, seen.instance > 0, resolution=512, softness=setting.softness
    )
    fine = rasterize(seen, view.camera, 2)
    shaded = shade(lit, fine, setting.light, shadows, share=True)
    linear = shaded.color + np.float32(_SKY) * (1 - shaded.coverage[..., None])
    owner = np.where(fine.face >= 0, seen.instance[fine.face], 0)
    image = photograph(
        np.random.default_rng(setting.seed),
        linear,
        pixel_share((owner > 0) & (owner != _OBJECT), 2),
        grain=np.random.default_rng([*setting.seed, number]),
    )
    return image, owner, seen


def world_from_person(person: SyntheticPerson, root: np.ndarray) -> np.ndarray:
    """(4, 4) that moves a built person, whose pose is the world's, so that its root is there."""
    out = np.eye(4)
    out[:3, 3] = root - person.body.joints[0] - [0, person.lift, 0]
    return out


def bare_lowest(betas: np.ndarray) -> float:
    return float(body_model().rest(betas)[0][:, 1].min())


def _carried(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def room(rng: np.random.Generator, path: CameraPath, way: np.ndarray) -> list[Part]:
    """Floor and four walls around camera and person: wherever the camera turns, there is one."""
    eyes = np.stack([-v.camera_from_world[:3, :3].T @ v.camera_from_world[:3, 3]
                     for v in path.views])  # fmt: skip
    both = np.concatenate([eyes, way])[:, [0, 2]]
    (x0, z0), (x1, z1) = (
        both.min(0) - rng.uniform(*_AROUND_M, 2),
        both.max(0) + rng.uniform(*_AROUND_M, 2),
    )
    wide, deep = float(x1 - x0), float(z1 - z0)
    ground, wall = random_tile(rng, ground=True), random_tile(rng, ground=False)
    high = (0.0, _HIGH_M, 0.0)
    planes = [
        ("ground", ground, (x0, 0, z1), (wide, 0, 0), (0, 0, -deep)),
        ("wall", wall, (x0, 0, z0), (wide, 0, 0), high),
        ("wall", wall, (x1, 0, z1), (-wide, 0, 0), high),
        ("wall", wall, (x0, 0, z1), (0, 0, -deep), high),
        ("wall", wall, (x1, 0, z0), (0, 0, deep), high),
    ]
    out = []
    for name, tile, corner, along, across in planes:
        tone = rng.uniform(0.6, 1.4) * (1 + rng.normal(0, 0.08, 3))
        tint = (float(tone[0]), float(tone[1]), float(tone[2]))
        out.append(plane_part(name, tile, corner, along, across, cells=40, tint=tint))
    return out
