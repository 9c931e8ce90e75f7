"""What somebody in a clip looks like: the avatar that a frame makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.avatar.long_hair import find_long_hair
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import BodyModel
from vitruvian.networks.nanodet import box_iou
from vitruvian.options import Options
from vitruvian.pipeline.stages import animate, dress, find, paint
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.video.clip import Frame

_SAME = 0.5  # IoU of boxes of one person in one frame


@dataclass(frozen=True, eq=False)
class Shot:
    """Somebody in a frame.

    Attributes:
        frame, figure: the frame and the person in it.
        camera: of the frame.
        foreign: what is at them there but not theirs; None where there is nothing.
    """

    frame: Frame
    figure: Figure
    camera: Camera
    foreign: Alpha | None = None


@dataclass(frozen=True, eq=False)
class _Dressed:
    """Somebody as a frame shows them, taken for a photograph: the body and the surface over it."""

    photo: Photo
    figure: Figure
    body: Body
    mesh: Mesh


def avatar_of(
    model: BodyModel, shots: Sequence[Shot], betas: np.ndarray, options: Options
) -> tuple[Avatar, Body]:
    """The avatar of somebody as a frame shows them, and the body under it, camera frame.

    The frame is taken for a photograph, so whatever makes those better does this, too. Long hair is
    believed where another frame shows it, too: a dark collar below a bowed head looks like it.

    Args:
        model: of the body.
        shots: the frame, and others that may be asked.
        betas: (K,) of the person; the body has this shape.
        options: of the photograph.
    """
    best = _dressed(model, shots[0], betas, options)
    mesh = best.mesh
    if options.texture:
        mesh = paint(best.photo, best.figure, best.body, mesh)
    long_hair = _has_long_hair(best) and any(
        _has_long_hair(_dressed(model, other, betas, options)) for other in shots[1:]
    )
    avatar = animate(best.photo, best.figure, best.body, mesh, options, long_hair=long_hair)
    return avatar, best.body


def _dressed(model: BodyModel, shot: Shot, betas: np.ndarray, options: Options) -> _Dressed:
    photo = shot.frame.as_photo(shot.camera)
    figure = _looked_at_again(photo, shot.figure)
    if shot.foreign is not None:
        figure = replace(figure, alpha=figure.alpha.without(shot.foreign))
    body = fit_body(model, figure, shot.camera, height_m=model.stature(betas))
    body = _with_shape(model, body, betas)
    return _Dressed(photo, figure, body, dress(photo, figure, body, options))


def _has_long_hair(one: _Dressed) -> bool:
    return find_long_hair(one.photo, one.figure, one.body, one.mesh) is not None


def bare_avatar_of(
    model: BodyModel, figure: Figure, camera: Camera, betas: np.ndarray
) -> tuple[Avatar, Body]:
    """Somebody's body as an avatar without clothes, hair and colours, and the body in the frame.

    Arguments as of ``avatar_of``.
    """
    body = fit_body(model, figure, camera, height_m=model.stature(betas))
    body = _with_shape(model, body, betas)
    vertices, _ = body.rest()
    mesh = replace(body.as_mesh(), vertices=vertices, frame="body")
    return Avatar(mesh, np.zeros(len(mesh.faces), np.uint8)), body


def _with_shape(model: BodyModel, body: Body, betas: np.ndarray) -> Body:
    posed = model.forward(betas, body.pose, body.translation, face=body.face)
    return replace(body, betas=betas, vertices=posed.vertices, joints=posed.joints)


def _looked_at_again(photo: Photo, figure: Figure) -> Figure:
    """The figure as a photograph's, with the care that single frames of a clip do not get."""
    found = find(photo).figures
    best = max(found, key=lambda one: box_iou(one.box, figure.box), default=None)
    if best is None or box_iou(best.box, figure.box) < _SAME:
        return figure
    return best
