"""The stages of a reconstruction, one function each, with plain data between them.

``photo.reconstruct`` runs them for one photograph; whoever has several pictures of the same people
calls them one by one:

>>> figures = find(photo).figures
>>> placement = place(photo, figures, fit(photo, figures))
>>> mesh = dress(photo, figures[0], placement.bodies[0])
>>> mesh = paint(photo, figures[0], placement.bodies[0], mesh)
>>> avatar = animate(photo, figures[0], placement.bodies[0], mesh)

Bodies and meshes are in the camera frame, metres; ``Placement.world_from_camera`` takes them to the
world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitruvian.avatar import layered_avatar, photographed, surface_avatar
from vitruvian.body.fit.fit import fit_body, fit_views
from vitruvian.body.fit.kind import believed_kind
from vitruvian.body.fit.views import View
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.errors import InputError
from vitruvian.exchange.picture import Picture
from vitruvian.exchange.read_keypoints import read_keypoints
from vitruvian.exchange.read_masks import read_masks
from vitruvian.hints import MOST_BOXES, Hint, Who
from vitruvian.image.names import readable
from vitruvian.networks.sam import load_sam
from vitruvian.options import Options
from vitruvian.people.finder import look_for_people
from vitruvian.placement.depth_order import DepthCue, read_depth
from vitruvian.placement.panels import find_panels
from vitruvian.placement.place import Placement, place_people
from vitruvian.result.checks import check_person
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.volume.frame_cut import FrameCut, arms_beyond
from vitruvian.texture import Shot, texture_mesh
from vitruvian.texture.carried import carried_by
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure, Found
from vitruvian.types.given import Given, GivenMask
from vitruvian.types.look import Look
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.seen import BASED

_DEFAULT = Options()
_LEAST_OF_LARGEST = 0.2  # of the largest mask: smaller ones are not sought
_CAMERA_UP = np.array([0.0, -1.0, 0.0])


def find(photo: Photo, options: Options = _DEFAULT, given: Given | None = None) -> Found:
    """The people of a photograph, with what the options' hints say of them, and who is left out.

    ``given`` is what is brought along of it; by default what the options name.

    Raises:
        InputError: the user's SAM networks, keypoints or masks cannot be used.
    """
    sam = None if options.sam is None else load_sam(*options.sam)
    if given is None:
        given = bring_along(photo, options)
    hints = options.all_hints()
    if given.poses is None:  # whoever has a mask is there
        hints = _of_masks(given.masks) | hints
    return look_for_people(
        photo,
        hints=hints,
        given=given,
        max_people=options.max_people,
        sam=sam,
        sam_everything=options.sam_everything,
    )


def bring_along(photo: Photo, options: Options) -> Given:
    """Keypoints and masks that the options name, of one photograph.

    Raises:
        InputError: a file cannot be read, or is of other pictures.
    """
    picture = Picture.of(photo)
    poses = None if options.keypoints is None else read_keypoints(options.keypoints, picture)
    return Given(poses, () if options.masks is None else read_masks(options.masks, picture))


def _of_masks(masks: Sequence[GivenMask]) -> dict[Who, Hint]:
    """Boxes in which somebody is, for those among the masks who are no small figures far behind."""
    sizes = [float(max(mask.values.shape)) for mask in masks]
    least = _LEAST_OF_LARGEST * max(sizes, default=0.0)
    large = [mask for mask, size in zip(masks, sizes, strict=True) if size >= least]
    return {tuple(mask.box.tolist()): Hint() for mask in large[: MOST_BOXES // 2]}


def largest_of(photo: Photo, number: int) -> Figure:
    """The largest person of another picture of somebody, the ``number``-th of them, from 1.

    Raises:
        InputError: nobody is in it.
    """
    found = find(photo, Options(max_people=1))
    if not found.figures:
        name = readable(str(photo.path)) if photo.path else f"picture {number}"
        raise InputError(
            f"Nobody was found in {name}, which should show the same person: leave it out.",
            code="nobody-found",
        )
    return found.figures[0]


def fit(photo: Photo, figures: Sequence[Figure], model: BodyModel | None = None) -> list[Body]:
    """A body for each figure, each by itself.

    ``model`` is the body model that is fitted, ours by default; the bodies carry it on.
    """
    model = model or body_model()
    return [fit_body(model, figure, photo.camera) for figure in figures]


def fit_same_person(
    photos: Sequence[Photo], figures: Sequence[Figure], model: BodyModel | None = None
) -> list[Body]:
    """The bodies of one person in several pictures: one shape and stature, a pose in each.

    ``photos`` and ``figures`` go together; ``model`` is as of ``fit``.
    """
    views = [
        View(figure, photo.camera, time=number)
        for number, (photo, figure) in enumerate(zip(photos, figures, strict=True))
    ]
    return fit_views(model or body_model(), views)


def place(
    photo: Photo,
    figures: Sequence[Figure],
    bodies: Sequence[Body],
    model: BodyModel | None = None,
) -> Placement:
    """Everyone in one upright world, with the sizes that agree with it.

    ``model`` is that of the bodies, ours by default.
    """
    model = model or body_model()
    return place_people(
        figures,
        bodies,
        photo.camera,
        lambda figure, body, height_m: fit_body(
            model, figure, photo.camera, height_m=height_m, start=body
        ),
        known_sizes=[
            index
            for index, figure in enumerate(figures)
            if figure.hint is not None and figure.hint.height_cm is not None
        ],
        depth=_read_depth(photo, figures),
        panels=find_panels(photo.pixels, [figure.box for figure in figures]),
        children=[_child(figure) for figure in figures],
    )


def dress(
    photo: Photo,
    figure: Figure,
    body: Body,
    options: Options = _DEFAULT,
    *,
    up: np.ndarray | None = None,
) -> Mesh:
    """The outer surface over a body; the body itself where ``detail`` asks for no more.

    ``up`` (3,) is the world's up direction in the camera's frame, across which the base of a
    figure lies that the frame cuts off below; by default the picture's.
    """
    if options.detail == "body":
        return body.as_mesh()
    cut = None
    if ends_at_frame(body, options):
        based = body.seen.extent in BASED
        cut = FrameCut(
            up=(_CAMERA_UP if up is None else up) if based else None,
            beyond=arms_beyond(body.model, body.seen),
        )
    return reconstruct_surface(
        photo,
        figure,
        body,
        faces=options.faces,
        fine=options.detail == "fine",
        photographed=options.relief == "photo",
        cut=cut,
        carried=carried_by(photo, figure.alpha, body, doubtful=True),
    )


def ends_at_frame(body: Body, options: Options = _DEFAULT) -> bool:
    """Whether somebody's surface ends where the frame cuts them off."""
    cut = options.incomplete == "cut" and bool(body.seen.cut)
    return cut and options.detail != "body"


def paint(
    photo: Photo,
    figure: Figure,
    body: Body,
    mesh: Mesh,
    *,
    albedo: bool = False,
    also: Sequence[Look] = (),
) -> Mesh:
    """A body's surface with the photograph on it; with ``albedo`` without its light.

    ``also`` are other pictures of the person, for the colours that this one does not show.
    """
    rest = rest_mesh(mesh, body) if also else mesh
    shots = [
        Shot(look.photo, look.figure, photographed(rest, look.body), look.body.seen)
        for look in also
    ]
    return texture_mesh(
        body.model,
        photo,
        figure,
        mesh,
        albedo=albedo,
        seen=body.seen,
        carried=carried_by(photo, figure.alpha, body),
        also=shots,
    )


def animate(
    photo: Photo,
    figure: Figure,
    body: Body,
    mesh: Mesh,
    options: Options = _DEFAULT,
    *,
    also: Sequence[Look] = (),
    long_hair: bool = True,
) -> Avatar:
    """The person made to move, from their surface; in layers, but for whom the frame cuts off.

    Those are their surface as it is, so it should be painted; layers paint themselves. ``also`` is
    that of ``paint``. Without ``long_hair`` none is looked for.
    """
    if ends_at_frame(body, options):
        return surface_avatar(body, mesh)
    return layered_avatar(
        photo,
        figure,
        body,
        mesh,
        texture=options.texture,
        albedo=options.albedo,
        also=also,
        accessories=options.accessories == "keep",
        long_hair=long_hair,
    )


def agreeing(photo: Photo, figure: Figure, body: Body, avatar: Avatar) -> Avatar:
    """The avatar with how well it agrees with the photograph in the photograph's pose."""
    mesh = photographed(avatar.mesh, body, avatar.chains)
    checks = check_person(mesh, figure, photo, float("nan"))
    return replace(
        avatar,
        silhouette_iou=checks.silhouette_iou,
        image_similarity=checks.image_similarity,
    )


def _child(figure: Figure) -> float:
    """Probability that somebody is a child, NaN where nothing tells."""
    kind = believed_kind(
        [] if figure.estimate is None else [figure.estimate],
        [] if figure.face is None else [figure.face],
        figure.hint,
    )
    return float("nan") if kind is None else kind.child


def _read_depth(photo: Photo, figures: Sequence[Figure]) -> DepthCue | None:
    """What the depth network says of people who stand in one picture; one alone needs none."""
    if len(figures) < 2:
        return None
    return read_depth(photo.pixels, photo.camera, [figure.alpha for figure in figures])
