"""From the photograph's surface to the person made to move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.avatar.clothed_body import clothed_body
from vitruvian.avatar.skin import photographed_motion
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.texture import texture_mesh
from vitruvian.types.avatar import LAYERS, Avatar
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.seen import Seen


def layered_avatar(
    photo: Photo,
    figure: Figure,
    body: Body,
    sculpture: Mesh,
    *,
    texture: bool = True,
    albedo: bool = False,
    seen: Seen | None = None,
) -> Avatar:
    """A person in layers that part where the photograph's surface is one skin.

    Args:
        photo: the picture.
        figure: the person's matte.
        body: fitted, camera frame.
        sculpture: the surface that the photograph shows, camera frame.
        texture: project the photograph onto it.
        albedo: take the photograph's light out of its colours first.
        seen: which parts of the body the picture shows; by default what the body says.
    """
    rest = clothed_body(body, sculpture)
    if texture:
        painted = texture_mesh(
            body.model,
            photo,
            figure,
            photographed(rest, body),
            albedo=albedo,
            seen=seen or body.seen,
        )
        rest = replace(rest, texture=painted.texture)
    return Avatar(rest, np.full(len(rest.faces), LAYERS.index("body"), np.uint8))


def surface_avatar(body: Body, sculpture: Mesh) -> Avatar:
    """The photograph's surface itself, taken to the rest pose: for busts and half figures, of whom
    the body's topology has more than the result."""
    rest = rest_mesh(sculpture, body)
    return Avatar(rest, np.full(len(rest.faces), LAYERS.index("surface"), np.uint8))


def photographed(rest: Mesh, body: Body) -> Mesh:
    """A mesh at rest in the pose and place of the photograph, camera frame."""
    if rest.skin_joints is None or rest.skin_weights is None:
        raise ValueError("a mesh without a skin cannot be posed")
    motion = photographed_motion(body)
    return rest.with_vertices(
        motion.skinned(rest.vertices, rest.skin_joints, rest.skin_weights), "camera"
    )
