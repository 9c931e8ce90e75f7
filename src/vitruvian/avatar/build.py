"""From the photograph's surface to the person made to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitruvian.avatar.accessories import accessories_of
from vitruvian.avatar.beneath import out_of_sight
from vitruvian.avatar.clothed_body import clothed_body
from vitruvian.avatar.feet import shod
from vitruvian.avatar.height_map import ANGLES
from vitruvian.avatar.long_hair import LongHair, find_long_hair, nape
from vitruvian.avatar.mane import mane
from vitruvian.avatar.motion_check import Motion, check_motion
from vitruvian.avatar.patch import Patch, with_patch
from vitruvian.avatar.relief import relief_of
from vitruvian.avatar.skin import photographed
from vitruvian.avatar.skirt import Skirt, find_skirt
from vitruvian.avatar.things import Things
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.compute import SideBySide
from vitruvian.texture import Shot, texture_mesh
from vitruvian.texture.tube import Tube
from vitruvian.types.avatar import LAYERS, Avatar
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.look import Look
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.seen import Seen

_BODY_SHARE = 0.75  # of the atlas's sides that the body has beside a shell
_HAIR_SHARE = 0.85  # likewise, beside long hair alone
_HAIR_BOX = 0.75, 0.45, 1.0, 0.75  # of the atlas: what long hair has beside a shell
_PIECES_BOX = 0.75, 0.0, 1.0, 0.45  # likewise, what is carried
_ATLAS_MARGIN = 0.004
_SIZES = 1024, 2048  # texels along its sides, of people who are small or large in the picture
_LARGE_PX = 950
MOST_TORN = 0.02  # of the surface: more, and safer layers are tried
_THIN_M = 0.03  # clothes that hardly can tear

# Everything at rest but long hair, the shell among it, and long hair.
_Layers = tuple[Mesh, Skirt | None, Patch | None]


def layered_avatar(
    photo: Photo,
    figure: Figure,
    body: Body,
    sculpture: Mesh,
    *,
    texture: bool = True,
    albedo: bool = False,
    seen: Seen | None = None,
    also: Sequence[Look] = (),
    accessories: bool = False,
    long_hair: bool = True,
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
        also: other pictures of the person, for the colours that this one does not show.
        accessories: keep bags and the like as rigid pieces; else they are left out.
        long_hair: look for it.
    """
    things = Things.of(photo, figure, body, sculpture)
    # Of another picture may be the true back: it would lie beneath.
    hair = None
    if long_hair and not also:
        hair = find_long_hair(photo, figure, body, sculpture)
    layers, motion = _that_hold(photo, figure, body, sculpture, things, hair)
    rest, skirt, fallen = layers
    pieces = None
    if accessories and things is not None:
        pieces = accessories_of(photo, figure, body, sculpture, things.carried)
    share = _BODY_SHARE
    if skirt is None and (pieces is not None or fallen is not None):
        share = _HAIR_SHARE if pieces is None else _BODY_SHARE
        assert rest.uvs is not None
        rest = replace(_of_body(rest), uvs=rest.uvs * np.float32(share))
    chains = None if skirt is None else skirt.chains
    outside = _outer_side(photographed(rest, body, chains), skirt)
    shots = [
        Shot(
            look.photo,
            look.figure,
            _outer_side(photographed(rest, look.body, chains, other=True), skirt),
            look.body.seen,
        )
        for look in also
    ]
    with SideBySide() as pool:
        relief = pool.submit(relief_of, outside, sculpture, photo.camera, body.model)
        if texture:
            painted = texture_mesh(
                body.model,
                photo,
                figure,
                outside,
                albedo=albedo,
                seen=seen or body.seen,
                shown=sculpture,
                carried=None if things is None else things.carried,
                size=_SIZES[int(figure.size > _LARGE_PX)],
                also=shots,
                tube=None if skirt is None else _tube(skirt, len(body.vertices)),
            )
            rest = replace(rest, texture=painted.texture)
        rest = replace(rest, normal_map=relief.result())
    layer = np.full(len(rest.faces), LAYERS.index("body"), np.uint8)
    if skirt is not None:
        layer[-len(skirt.faces) :] = LAYERS.index("skirt")
    if fallen is not None:
        box = (share, 0.0, 1.0, share) if share == _HAIR_SHARE else _HAIR_BOX
        rest = with_patch(rest, fallen, box)
        layer = np.append(layer, np.full(len(fallen.faces), LAYERS.index("hair"), np.uint8))
    if pieces is not None:
        rest = with_patch(rest, pieces, _PIECES_BOX)
        layer = np.append(layer, np.full(len(pieces.faces), LAYERS.index("accessory"), np.uint8))
    return Avatar(rest, layer, motion.torn, motion.severed, chains=chains)


def _tube(skirt: Skirt, first: int) -> Tube:
    """Where a shell is in mesh and atlas, with its first vertex."""
    margin, low = _ATLAS_MARGIN, _BODY_SHARE + _ATLAS_MARGIN
    return Tube(
        first, len(skirt.vertices) // (2 * ANGLES), ANGLES, (margin, low, 1 - margin, 1 - margin)
    )


def _that_hold(
    photo: Photo,
    figure: Figure,
    body: Body,
    sculpture: Mesh,
    things: Things | None,
    hair: LongHair | None,
) -> tuple[_Layers, Motion]:
    """Layers that bear being moved, the best there are: with a skirt, without, in thin clothes."""
    shoes = shod(photo, figure, body)
    skirt = find_skirt(body, sculpture, photo, figure, things)
    carried = None if things is None else things.vertices
    hidden = None if hair is None else nape(body)
    tried: list[tuple[_Layers, Motion]] = []
    for shell, most_m in ((skirt, None), (None, None), (None, _THIN_M))[skirt is None :]:
        rest = clothed_body(
            body, sculpture, shell, shoes=shoes, most_m=most_m, things=carried, nape=hidden
        )
        fallen = None if hair is None else mane(rest, body, hair)
        if shell is not None:
            rest = _with_skirt(rest, shell, ~out_of_sight(body.model, shell.hem))
        motion = check_motion(_all(rest, fallen), body, None if shell is None else shell.chains)
        tried.append(((rest, shell, fallen), motion))
        if motion.severed == 0 and motion.torn < MOST_TORN:
            break
    return min(tried, key=lambda one: (one[1].severed, one[1].torn))


def _all(rest: Mesh, fallen: Patch | None) -> Mesh:
    """The layers with long hair, without their textures."""
    return rest if fallen is None else with_patch(_of_body(rest), fallen, _HAIR_BOX)


def _of_body(rest: Mesh) -> Mesh:
    """Layers with ``body_vertices``: where they have none, their vertices are the body's own."""
    if rest.body_vertices is not None:
        return rest
    return replace(rest, body_vertices=np.arange(len(rest.vertices), dtype=np.int32))


def _outer_side(mesh: Mesh, skirt: Skirt | None) -> Mesh:
    """The mesh to be painted: of a shell, whose sides share their texels, the outer side alone."""
    if skirt is None or mesh.uv_faces is None:
        return mesh
    uv_faces = mesh.uv_faces.copy()
    own = uv_faces[-len(skirt.faces) :]
    own[skirt.inner] = own[skirt.inner][:, :1]
    return replace(mesh, uv_faces=uv_faces)


def _with_skirt(rest: Mesh, skirt: Skirt, kept: np.ndarray) -> Mesh:
    """Those faces of the body's layer that are kept (F,) bool, and the shell as one mesh; the shell
    has the upper band of the atlas."""
    if rest.uvs is None or rest.uv_faces is None:
        raise ValueError("the body's layer needs texture coordinates")
    if rest.skin_joints is None or rest.skin_weights is None:
        raise ValueError("the body's layer needs a skin")
    count = len(rest.vertices)
    own = skirt.uvs * [1 - 2 * _ATLAS_MARGIN, 1 - _BODY_SHARE - 2 * _ATLAS_MARGIN]
    own = own + [_ATLAS_MARGIN, _BODY_SHARE + _ATLAS_MARGIN]
    return Mesh(
        vertices=np.concatenate([rest.vertices, skirt.vertices]),
        faces=np.concatenate([rest.faces[kept], skirt.faces + np.int32(count)]),
        frame="body",
        uvs=np.concatenate([rest.uvs * np.float32(_BODY_SHARE), own.astype(np.float32)]),
        uv_faces=np.concatenate([rest.uv_faces[kept], skirt.uv_faces + np.int32(len(rest.uvs))]),
        skin_joints=np.concatenate([rest.skin_joints, skirt.skin_joints]),
        skin_weights=np.concatenate([rest.skin_weights, skirt.skin_weights]),
        body_vertices=np.concatenate([np.arange(count, dtype=np.int32), skirt.body_vertices]),
    )


def surface_avatar(body: Body, sculpture: Mesh) -> Avatar:
    """The photograph's surface itself, taken to the rest pose: for busts and half figures, of whom
    the body's topology has more than the result."""
    rest = rest_mesh(sculpture, body)
    motion = check_motion(rest, body)
    layer = np.full(len(rest.faces), LAYERS.index("surface"), np.uint8)
    return Avatar(rest, layer, motion.torn, motion.severed)
