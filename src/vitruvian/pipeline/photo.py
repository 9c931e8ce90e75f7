"""Photograph to scene: the schedule of the stages for one picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from vitruvian.compute import SideBySide
from vitruvian.compute.preparation import prepare
from vitruvian.hints import Hint, Who
from vitruvian.image.names import readable
from vitruvian.image.photo import PhotoSource, load_photo
from vitruvian.options import Accessories, Detail, Incomplete, Options, Relief
from vitruvian.people.somebody_else import other_person
from vitruvian.pipeline.progress import Progress, StageTimer
from vitruvian.pipeline.stages import (
    agreeing,
    animate,
    dress,
    ends_at_frame,
    find,
    fit,
    fit_same_person,
    largest_of,
    paint,
    place,
)
from vitruvian.placement.place import Placement, on_the_ground, place_warnings
from vitruvian.placement.upright import turn_warning
from vitruvian.result.checks import avatar_warnings, check_person, check_warnings, kind_warnings
from vitruvian.result.seen import seen_warnings
from vitruvian.types.avatar import Avatar
from vitruvian.types.figure import Figure
from vitruvian.types.look import Look
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.scene import Checks, Person, Scene

_AT_ONCE = 2  # people whose surfaces are worked on

NOBODY = "Nobody was found in the picture."
NOBODY_WELL_ENOUGH = (
    "Nobody in the picture is seen well enough to be reconstructed; who was seen is told with the "
    "reason."
)
_NOT_THERE = (
    "There is a hint for person {number}, but the people found are {count}; see their numbers in "
    "the preview."
)
ASSUMED_LENS = (
    "The picture does not say what lens took it; a common one was assumed, so distances may be "
    "off by a common factor."
)
_SOMEBODY_ELSE = (
    "The person in {name} may be another one than in the first picture, for {why}: leave it out if "
    "so."
)


@dataclass(frozen=True)
class _Finished:
    """Somebody's surface in the camera frame, how well it agrees with the photograph, and the
    person made to move."""

    mesh: Mesh
    checks: Checks
    avatar: Avatar


def reconstruct(
    source: PhotoSource | Photo,
    *,
    height_cm: float | None = None,
    hints: Mapping[Who, Hint] | None = None,
    fov_deg: float | None = None,
    max_people: int | None = None,
    detail: Detail = "clothed",
    relief: Relief = "network",
    incomplete: Incomplete = "cut",
    accessories: Accessories = "leave",
    faces: int = 24_000,
    texture: bool = True,
    albedo: bool = False,
    check: bool = True,
    progress: Progress | None = None,
    sam: tuple[str | Path, str | Path] | None = None,
    sam_everything: bool = False,
    keypoints: str | Path | bytes | None = None,
    masks: str | Path | bytes | None = None,
    same_person: Sequence[PhotoSource | Photo] = (),
) -> Scene:
    """Reconstruct everyone in a photograph as metric 3D people.

    Args:
        source: a path, the bytes of an image file, a Pillow image, an (H, W, 3) uint8 sRGB array
            or a ``Photo``.
        height_cm: stature of the largest person in the picture, in centimetres; fixes the scale,
            also of others who stand on the same ground.
        hints: what you know of people, by their number in the report (from 1, left to right) or by
            a box in pixels, x0, y0, x1, y1: stature, sex, age, such as
            ``{2: vitruvian.Hint(sex="woman", age=8)}``. It overrules what is estimated. Where
            nobody was found in a box, somebody is sought there; whoever is no person
            (``Hint(not_a_person=True)``) is left out.
        fov_deg: field of view across the picture's longer side, in degrees; by default from EXIF,
            else assumed.
        max_people: keep only so many, the largest in the picture.
        detail: ``body`` stops at the parametric body, ``clothed`` builds the outer surface,
            ``fine`` puts folds into its geometry, too, with four times as many faces.
        relief: ``photo`` also makes deeper what is darker than its surroundings in the photograph:
            pockets and seams show, and grey prints, too; truer it is not.
        incomplete: ``cut`` ends people where the frame cuts them off, with a closed, flat cut;
            ``complete`` completes them by body and usual clothes, which is a guess.
        accessories: ``leave`` takes bags and the like from avatars; ``keep`` has them as rigid
            pieces, each on the bone that holds it.
        faces: about how many each clothed person may have, 2,000 to 200,000; more is finer and
            slower.
        texture: project the photograph onto the meshes.
        albedo: take the photograph's light out of the texture, as far as it can be told; for
            relighting.
        check: render everyone over the photograph and compare.
        progress: called as each stage begins, with its name (as in ``Scene.timings_s``), the number
            of the person it is for (0: everyone) and how many people there are (0: not known yet).
            What it raises ends the reconstruction.
        sam: encoder and decoder of your own SAM-family networks, ONNX files, to draw the masks.
        sam_everything: let them also look for whole people that the detectors miss.
        keypoints: a file of OpenPose, COCO or BlazePose, JSON, or its bytes, whose keypoints take
            the place of our own; whoever it tells of is reconstructed, and nobody else.
        masks: COCO's annotations, JSON, a label map, PNG, or the bytes of either, or a folder of
            masks, which take the place of our own for those whom they cover, but for their edges.
        same_person: more pictures of the largest person in ``source``, who alone is then
            reconstructed. In each of them, too, it is the largest. Shape and stature come from all
            pictures together; each point of the surface takes its colour from the one that shows
            it best: the back from a picture of the back. Pose and cloth are those of ``source``.

    Returns:
        The scene. Its ``people`` is empty, with a warning, when nobody was found.

    Raises:
        InputError: the picture or an option cannot be used; one sentence says why.
    """
    options = Options.of(
        height_cm=height_cm,
        hints=hints,
        fov_deg=fov_deg,
        max_people=max_people,
        detail=detail,
        relief=relief,
        incomplete=incomplete,
        accessories=accessories,
        faces=faces,
        texture=texture,
        albedo=albedo,
        check=check,
        sam=sam,
        sam_everything=sam_everything,
        keypoints=keypoints,
        masks=masks,
    )
    return reconstruct_photo(source, options, progress, same_person)


def reconstruct_photo(
    source: PhotoSource | Photo,
    options: Options,
    progress: Progress | None = None,
    same_person: Sequence[PhotoSource | Photo] = (),
) -> Scene:
    """``reconstruct`` with its options in one piece."""
    timer = StageTimer(progress)
    _prepare(options)
    with timer("decode"):
        photo = load_photo(source, fov_deg=options.fov_deg)
        others = [
            load_photo(one, fov_deg=options.fov_deg, name=f"Picture {number}")
            for number, one in enumerate(same_person, 2)
        ]
    with timer("people"):
        found = find(photo, replace(options, max_people=1) if others else options)
        figures = found.figures
        more = [largest_of(one, number) for number, one in enumerate(others, 2)] if figures else []
    with timer("body"):
        looks: tuple[Look, ...] = ()
        if more:
            bodies = fit_same_person([photo, *others], [*figures, *more])
            looks = tuple(map(Look, others, more, bodies[1:]))
            bodies = bodies[:1]
        else:
            bodies = fit(photo, figures)
    with timer("scene"):
        placement = place(photo, figures, bodies)
    finished = _finish_all(photo, figures, placement, options, timer, looks)
    meshes = [one.mesh for one in finished]
    placement = on_the_ground(placement, meshes)
    people = tuple(
        _person(index, figure, placement, one, said, options)
        for index, (figure, one, said) in enumerate(
            zip(figures, finished, place_warnings(placement, meshes), strict=True)
        )
    )
    warnings = photo.warnings
    for number, (other, figure) in enumerate(zip(others, more, strict=False), 2):
        reasons = other_person(photo, figures[0], other, figure)
        if reasons:
            name = readable(str(other.path)) if other.path else f"picture {number}"
            warnings += (_SOMEBODY_ELSE.format(name=name, why=" and ".join(reasons)),)
    if not people:
        warnings += (NOBODY_WELL_ENOUGH if found.left_out else NOBODY,)
    elif photo.camera.source == "assumed":
        warnings += (ASSUMED_LENS,)
    turned = turn_warning(bodies)
    if turned is not None:
        warnings += (turned,)
    known = {person.id for person in people} | {one.number for one in found.left_out}
    missing = [who for who in options.hints or () if isinstance(who, int) and who not in known]
    if people and missing:
        warnings += (_NOT_THERE.format(number=missing[0], count=len(people)),)
    return Scene(
        photo,
        people,
        np.linalg.inv(placement.world_from_camera),
        timer.seconds,
        warnings,
        options.albedo,
        found.left_out,
    )


def _prepare(options: Options) -> None:
    """Have compiled code ready, or made ready, by the time that it is needed."""
    rooms = ["body", "people", "geometry"]
    rooms += ["surface", "avatar"] if options.detail != "body" else ["avatar"]
    rooms += ["texture"] if options.texture else []
    prepare([*rooms, "formats"])


def _finish_all(
    photo: Photo,
    figures: Sequence[Figure],
    placement: Placement,
    options: Options,
    timer: StageTimer,
    looks: Sequence[Look],
) -> list[_Finished]:
    """Surface, texture, avatar and checks of everyone; ``looks`` are more pictures of them.

    Two at a time: a surface is built while others are built or textured, for most of either runs
    outside the interpreter, but on one processor at a time.
    """
    finished = []
    pairs = list(zip(figures, placement.bodies, strict=True))
    with SideBySide() as pool:
        ups = [world[1, :3] for world in placement.worlds]
        building = (
            pool.submit(dress, photo, *pair, options, up=up)
            for pair, up in zip(pairs, ups, strict=True)
        )
        ahead = deque(islice(building, _AT_ONCE))
        for number, (figure, body) in enumerate(pairs, 1):
            with timer("surface", number, len(figures)):
                mesh = ahead.popleft().result()
            painted = None
            if options.texture:
                painted = pool.submit(paint, photo, figure, body, mesh, also=looks)
            animated = None
            if not ends_at_frame(body, options):  # layers do not wait for the surface's colours
                animated = pool.submit(animate, photo, figure, body, mesh, options, also=looks)
            ahead.extend(islice(building, 1))
            if painted is not None:
                with timer("texture", number, len(figures)):
                    mesh = painted.result()
            with timer("checks", number, len(figures)):
                checks = Checks(float("nan"), body.keypoint_error)
                if options.check:
                    checks = check_person(mesh, figure, photo, body.keypoint_error)
            if options.albedo:  # after the checks, which compare with the photograph as it is
                with timer("albedo", number, len(figures)):
                    mesh = paint(photo, figure, body, mesh, albedo=True, also=looks)
            with timer("avatar", number, len(figures)):
                if animated is None:
                    avatar = animate(photo, figure, body, mesh, options, also=looks)
                else:
                    avatar = animated.result()
                if options.check:
                    avatar = agreeing(photo, figure, body, avatar)
            finished.append(_Finished(mesh, checks, avatar))
    return finished


def _person(
    index: int,
    figure: Figure,
    placement: Placement,
    finished: _Finished,
    said: tuple[str, ...],
    options: Options,
) -> Person:
    """Somebody in the world, with all that is to be said of them."""
    world, body = placement.worlds[index], placement.bodies[index]
    seen = body.seen.ending_at_the_frame() if ends_at_frame(body, options) else body.seen
    return Person(
        id=figure.number,
        figure=figure,
        body=body,
        mesh_camera=finished.mesh,
        mesh=finished.mesh.transformed(world, "world"),
        checks=finished.checks,
        warnings=(
            *seen_warnings(seen),
            *figure.warnings,
            *kind_warnings(body.phenotype),
            *check_warnings(finished.checks),
            *avatar_warnings(finished.avatar),
            *said,
        ),
        world_from_camera=None if world is placement.world_from_camera else world,
        seen=seen,
        avatar=finished.avatar,
    )
