"""What somebody in a clip looks like: the avatar that a frame makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import BodyModel
from vitruvian.networks.nanodet import box_iou
from vitruvian.options import Options
from vitruvian.pipeline.stages import animate, dress, find, paint
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo
from vitruvian.video.clip import Frame

_SAME = 0.5  # IoU of boxes of one person in one frame


def avatar_of(
    model: BodyModel,
    frame: Frame,
    figure: Figure,
    camera: Camera,
    betas: np.ndarray,
    options: Options,
) -> tuple[Avatar, Body]:
    """The avatar of somebody as a frame shows them, and the body under it, camera frame.

    The frame is taken for a photograph, so whatever makes those better does this, too.

    Args:
        model: of the body.
        frame, figure: the frame and the person in it.
        camera: of the clip.
        betas: (K,) of the person; the body has this shape.
        options: of the photograph.
    """
    photo = frame.as_photo(camera)
    figure = _looked_at_again(photo, figure)
    body = fit_body(model, figure, camera, height_m=model.stature(betas))
    body = _with_shape(model, body, betas)
    mesh = dress(photo, figure, body, options)
    if options.texture:
        mesh = paint(photo, figure, body, mesh)
    return animate(photo, figure, body, mesh, options), body


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
