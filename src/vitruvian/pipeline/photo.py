"""Photograph to scene: the one place that calls the stages in order."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.errors import InputError
from vitruvian.image.photo import PhotoSource, load_photo
from vitruvian.networks.sam import load_sam
from vitruvian.people.finder import find_people
from vitruvian.placement.depth_order import DepthCue, read_depth
from vitruvian.placement.place import place_people
from vitruvian.result.checks import check_person, check_warnings
from vitruvian.surface import FACES, reconstruct_surface
from vitruvian.texture import texture_mesh
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.scene import Checks, Person, Scene

Detail = Literal["body", "clothed"]
LEAST_FACES, MOST_FACES = 2_000, 200_000
_AT_ONCE = 2  # people whose surfaces are worked on

# Told of each stage as it begins: its name, the number of the person it is for (0 for everyone) and
# how many people there are (0 while that is not known).
Progress = Callable[[str, int, int], None]

NOBODY = "Nobody was found in the picture."
_ASSUMED_LENS = (
    "The picture does not say what lens took it; a common one was assumed, so distances may be "
    "off by a common factor."
)


class StageTimer:
    """Adds up seconds by the name of the stage, and tells ``progress`` of each that begins."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str, person: int = 0, people: int = 0) -> Iterator[None]:
        if self._progress is not None:
            self._progress(stage, person, people)
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed


def reconstruct(
    source: PhotoSource | Photo,
    *,
    height_cm: float | None = None,
    fov_deg: float | None = None,
    max_people: int | None = None,
    detail: Detail = "clothed",
    faces: int | None = None,
    texture: bool = True,
    albedo: bool = False,
    check: bool = True,
    progress: Progress | None = None,
    sam: tuple[str | Path, str | Path] | None = None,
    sam_everything: bool = False,
) -> Scene:
    """Reconstruct everyone in a photograph as metric 3D people.

    Args:
        source: a path, the bytes of an image file, a Pillow image, an (H, W, 3) uint8 sRGB array
            or a ``Photo``.
        height_cm: stature of the largest person in the picture, in centimetres; fixes the scale,
            also of others who stand on the same ground.
        fov_deg: field of view across the picture's longer side, in degrees; by default from EXIF,
            else assumed.
        max_people: keep only so many, the largest in the picture.
        detail: ``body`` stops at the parametric body, ``clothed`` builds the outer surface.
        faces: about how many each clothed person may have, 2,000 to 200,000, by default 24,000;
            more is finer and slower.
        texture: project the photograph onto the meshes.
        albedo: take the photograph's light out of the texture, as far as it can be told; for
            relighting.
        check: render everyone over the photograph and compare.
        progress: called as each stage begins, with its name (as in ``Scene.timings_s``), the number
            of the person it is for (0: everyone) and how many people there are (0: not known yet).
            What it raises ends the reconstruction.
        sam: encoder and decoder of your own SAM-family networks, ONNX files, to draw the masks.
        sam_everything: let them also look for whole people that the detectors miss.

    Returns:
        The scene. Its ``people`` is empty, with a warning, when nobody was found.

    Raises:
        InputError: the picture or an option cannot be used; one sentence says why.
    """
    faces = FACES if faces is None else faces
    _validate(height_cm, max_people, detail, faces)
    if albedo and not texture:
        raise InputError(
            "Light can be taken out of a texture only: leave out albedo or no texture."
        )
    if sam is None and sam_everything:
        raise InputError("sam_everything needs SAM networks: give their files as sam.")
    timer = StageTimer(progress)
    with timer("decode"):
        photo = load_photo(source, fov_deg=fov_deg)
    with timer("people"):
        networks = None if sam is None else load_sam(*sam)
        figures = find_people(
            photo, max_people=max_people, sam=networks, sam_everything=sam_everything
        )
    model = body_model()
    with timer("body"):
        bodies = _fit_all(model, photo, figures, height_cm)
    with timer("scene"):
        placement = place_people(
            figures,
            bodies,
            photo.camera,
            lambda figure, body, height_m: fit_body(
                model, figure, photo.camera, height_m=height_m, start=body
            ),
            known_sizes=(0,) if height_cm is not None else (),
            depth=_read_depth(photo, figures),
        )
    people = []
    pairs = list(zip(figures, placement.bodies, strict=True))
    # Two at a time: a surface is built while others are built or textured, for most of either
    # runs outside the interpreter, but on one processor at a time.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        building = (pool.submit(_surface, photo, *pair, detail, faces) for pair in pairs)
        ahead = deque(islice(building, _AT_ONCE))
        for number, (figure, body) in enumerate(pairs, 1):
            with timer("surface", number, len(figures)):
                mesh = ahead.popleft().result()
            textured = pool.submit(texture_mesh, model, photo, figure, mesh) if texture else None
            ahead.extend(islice(building, 1))
            if textured is not None:
                with timer("texture", number, len(figures)):
                    mesh = textured.result()
            with timer("checks", number, len(figures)):
                checks = Checks(float("nan"), body.keypoint_error)
                if check:
                    checks = check_person(mesh, figure, photo, body.keypoint_error)
            if albedo:  # after the checks, which compare with the photograph as it is
                with timer("albedo", number, len(figures)):
                    mesh = texture_mesh(model, photo, figure, mesh, albedo=True)
            world_mesh = mesh.transformed(placement.world_from_camera, "world")
            said = (*figure.warnings, *check_warnings(checks))
            people.append(Person(number, figure, body, mesh, world_mesh, checks, said))
    warnings: tuple[str, ...] = () if people else (NOBODY,)
    if people and photo.camera.source == "assumed":
        warnings = (_ASSUMED_LENS,)
    camera_from_world = np.linalg.inv(placement.world_from_camera)
    return Scene(photo, tuple(people), camera_from_world, timer.seconds, warnings, albedo)


def _surface(photo: Photo, figure: Figure, body: Body, detail: Detail, faces: int) -> Mesh:
    if detail == "body":
        return body.as_mesh()
    return reconstruct_surface(photo, figure, body, method="clothed", maps="network", faces=faces)


def _validate(height_cm: float | None, max_people: int | None, detail: str, faces: int) -> None:
    if height_cm is not None and not (math.isfinite(height_cm) and 40 <= height_cm <= 260):
        raise InputError(f"A height of {height_cm:g} cm cannot be a person's; give 40 to 260.")
    if max_people is not None and max_people < 1:
        raise InputError(f"At most {max_people} people leaves nobody; give 1 or more.")
    if detail not in ("body", "clothed"):
        raise InputError(f"There is no detail {detail!r}; choose body or clothed.")
    if not LEAST_FACES <= faces <= MOST_FACES:
        raise InputError(f"{faces} faces are not possible; give {LEAST_FACES} to {MOST_FACES}.")


def _read_depth(photo: Photo, figures: list[Figure]) -> DepthCue | None:
    """What the depth network says of people who stand in one picture; one alone needs none."""
    if len(figures) < 2:
        return None
    return read_depth(photo.pixels, photo.camera, [figure.alpha for figure in figures])


def _fit_all(
    model: BodyModel, photo: Photo, figures: list[Figure], height_cm: float | None
) -> list[Body]:
    bodies = []
    for index, figure in enumerate(figures):
        known = height_cm / 100 if height_cm is not None and index == 0 else None
        bodies.append(fit_body(model, figure, photo.camera, height_m=known))
    return bodies
