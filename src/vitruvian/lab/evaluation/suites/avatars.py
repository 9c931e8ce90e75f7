"""The suite ``avatars``: photographs in; whether avatars tear in motion, and how they look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.avatar import photographed
from vitruvian.avatar.motion_check import tears
from vitruvian.avatar.skirt import find_skirt
from vitruvian.avatar.things import Things
from vitruvian.body.model.clips import FittedMotion, fitted_motions
from vitruvian.body.model.model import body_model
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.lab.evaluation.folders import images_in, suite_folder
from vitruvian.lab.evaluation.metrics.avatar import (
    face_color,
    moved,
    on_ground,
    overlap,
    poking,
    skin_behind,
)
from vitruvian.lab.evaluation.pictures import around, on_white, resized
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.result.preview import lineup
from vitruvian.types.avatar import LAYERS, Avatar
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.scene import Person

_KEYS = 4  # of every clip that are looked at
_HEIGHT = 300
_TPOSE, _WALKING, _SITTING = 0, 1, 3  # of ``shown_poses``
_UNKNOWN = float("nan")


@dataclass(frozen=True)
class AvatarCase:
    """A photograph."""

    name: str
    photo: Path


@dataclass(frozen=True)
class AvatarSuite:
    """The avatar of the largest person in each photograph, in every clip that comes with it.

    Attributes:
        folders: of photographs.
        reconstruct: from a photograph to a scene; the pipeline unless a test says otherwise.
    """

    folders: tuple[Path, ...]
    reconstruct: Callable[..., Any] = default_reconstruct

    name = "avatars"
    ranking = "ssim"
    concurrent = True
    metrics = (
        Metric("found", "avatar in layers"),
        Metric("torn", "torn in four poses", better="lower", digits=4),
        Metric("torn_clips", "torn in six clips", better="lower", digits=4),
        Metric("torn_worst", "· at the worst key", better="lower", digits=4),
        Metric("severed", "pieces that come off", better="lower", digits=2),
        Metric("overlap", "volume inside itself", better="lower", digits=4),
        Metric("poking", "of covered legs, outside the skirt", better="lower", digits=4),
        Metric("sink_mm", "feet sink", "mm", "lower", 2),
        Metric("float_mm", "feet above the ground, but running", "mm", "lower", 2),
        Metric("slide_mm", "standing feet slide, from key to key", "mm", "lower", 2),
        Metric("iou", "silhouette IoU in the photograph's pose"),
        Metric("ssim", "re-rendered SSIM in the photograph's pose"),
        Metric("sculpture_iou", "· of the photograph's surface"),
        Metric("sculpture_ssim", "· of the photograph's surface"),
        Metric("skin_behind", "back of the head of the face's colour", better="lower"),
        Metric("sculpture_skin_behind", "· of the photograph's surface", better="lower"),
        Metric("skirts", "with a skirt or coat", better="neither"),
        Metric("seconds", "time for avatar and its texture", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> AvatarSuite:
        """The suite on ``data/ccp/photos`` and ``data/photos``, those that there are."""
        found = [one for one in (data / "ccp" / "photos", data / "photos") if one.is_dir()]
        return AvatarSuite(tuple(found or [suite_folder(data, "avatars", ("photos",)) / "photos"]))

    def cases(self) -> Sequence[AvatarCase]:
        """Every photograph."""
        return [AvatarCase(p.stem, p) for folder in self.folders for p in images_in(folder)]

    def run(self, case: AvatarCase) -> Outcome:
        """Reconstruct the photograph and move its largest person's avatar."""
        from vitruvian.image.photo import load_photo

        photo = load_photo(case.photo)
        scene = self.reconstruct(photo)
        numbers = {metric.key: _UNKNOWN for metric in self.metrics} | {"found": 0.0}
        person = scene.largest
        if person is None or person.avatar is None or "body" not in person.avatar.layers:
            return Outcome(numbers, (), "No avatar in layers.")
        numbers |= {"found": 1.0, "seconds": scene.timings_s.get("avatar", _UNKNOWN)}
        numbers |= _still(person) | _moving(person, photo)
        return Outcome(numbers, _pictures(person, photo))


def _still(person: Person) -> dict[str, float]:
    """What is measured without moving: against the photograph, and the back of the head."""
    avatar, model = person.avatar, body_model()
    assert avatar is not None
    numbers = {
        "torn": avatar.torn,
        "iou": avatar.silhouette_iou,
        "ssim": avatar.image_similarity,
        "sculpture_iou": person.checks.silhouette_iou,
        "sculpture_ssim": person.checks.image_similarity,
        "skirts": float("skirt" in avatar.layers),
    }
    beneath = person.mesh_camera.body_vertices
    # The avatar's own face has the inside of the mouth, too.
    skin = None if beneath is None else face_color(person.mesh_camera, model, beneath)
    if beneath is not None and skin is not None:
        own = np.full(len(avatar.mesh.vertices), -1)
        own[: len(model.template)] = np.arange(len(model.template))
        hair = np.unique(avatar.faces_of("hair"))
        if len(hair) and avatar.mesh.body_vertices is not None:
            own[hair] = avatar.mesh.body_vertices[hair]
        numbers["skin_behind"] = skin_behind(avatar.mesh, model, own, skin)
        numbers["sculpture_skin_behind"] = skin_behind(person.mesh_camera, model, beneath, skin)
    return numbers


def _moving(person: Person, photo: Photo) -> dict[str, float]:
    avatar, body = person.avatar, person.body
    assert avatar is not None
    rest = avatar.mesh
    before = photographed(rest, body, avatar.chains)
    skirt, hem = avatar.faces_of("skirt"), None
    if len(skirt):
        things = Things.of(photo, person.figure, body, person.mesh_camera)
        found = find_skirt(body, person.mesh_camera, photo, person.figure, things)
        hem = None if found is None else found.hem
    torn: list[float] = []
    severed, overlaps, pokes, ground = avatar.severed, [], [], []
    closed = _skin_alone(avatar, body)
    for motion in fitted_motions(rest, body.rest()[1]):
        keys = _keys(motion)
        for number, posed in enumerate(moved(rest, body, motion, keys, avatar.chains)):
            share, pieces = tears(before, posed)
            torn.append(share)
            severed += pieces
            if number % 2 == 0:
                overlaps.append(overlap(closed.with_vertices(posed.vertices)))
                if hem is not None:
                    pokes.append(poking(skirt, posed, body, hem))
        ground.append((motion.name, *on_ground(rest, body, motion)))
    return {
        "torn_clips": float(np.mean(torn)),
        "torn_worst": max(torn),
        "severed": float(severed),
        "overlap": float(np.mean(overlaps)),
        "poking": float(np.mean(pokes)) if pokes else _UNKNOWN,
        "sink_mm": float(np.mean([one[1] for one in ground])),
        "float_mm": float(np.mean([one[2] for one in ground if one[0] != "run"])),
        "slide_mm": float(np.mean([one[3] for one in ground])),
    }


def _keys(motion: FittedMotion) -> list[int]:
    """Some keys of a cycle, as far from each other as can be."""
    return [int(key) for key in np.arange(_KEYS) * (len(motion.times_s) - 1) / _KEYS]


def _skin_alone(avatar: Avatar, body: Body) -> Mesh:
    """The body's own layer without eyes and tongue, which are inside of it."""
    faces = avatar.mesh.faces[avatar.layer == LAYERS.index("body")]
    return Mesh(avatar.mesh.vertices, faces[body.model.components[faces[:, 0]] == 0], "body")


def _pictures(person: Person, photo: Photo) -> tuple[Picture, ...]:
    """The photograph; the avatar in its pose from three sides, in a T-pose, walking, sitting."""
    assert person.avatar is not None
    rest, body, chains = person.avatar.mesh, person.body, person.avatar.chains
    poses = [pose.rotations for pose in shown_poses(body.model)]
    here = reposed(rest, body, np.concatenate([np.zeros((1, 3)), body.pose[1:]]), chains)
    tpose, walking, sitting = (
        reposed(rest, body, poses[one], chains) for one in (_TPOSE, _WALKING, _SITTING)
    )
    shown = (
        ("front", here, 0.0),
        ("side", here, 90.0),
        ("back", here, 180.0),
        ("T-pose", tpose, 0.0),
        ("from behind", tpose, 180.0),
        ("walking", walking, 25.0),
        ("from behind", walking, 150.0),
        ("sitting", sitting, 25.0),
    )
    views = lineup(
        [mesh for _, mesh, _ in shown],
        [yaw for *_, yaw in shown],
        (round(1.05 * _HEIGHT), _HEIGHT),
        crop=True,
    )
    window = around(person.figure.alpha.full() > 127)
    seen = resized(np.ascontiguousarray(photo.pixels[window]), _HEIGHT)
    return (
        Picture("photo", seen),
        *(Picture(one[0], on_white(view)) for one, view in zip(shown, views, strict=True)),
    )
