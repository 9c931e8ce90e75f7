"""One atlas per person: the photograph where it shows them, an educated guess elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from vitruvian.body.model import body_model
from vitruvian.body.regions import HEAD, Regions, body_regions
from vitruvian.geometry.mesh import Mesh
from vitruvian.image.photo import Photo
from vitruvian.people.figure import Figure
from vitruvian.texture.atlas import TexelMap, texel_map
from vitruvian.texture.diffuse import diffuse_colors
from vitruvian.texture.projection import Lookup, look_up, paint_texels, person_view

_NEUTRAL = 128  # grey, for people of whom the photograph shows nothing
_MIRROR_TRUST = 0.6  # of a colour taken from the other side of the body
_BEHIND_TRUST = 0.5  # of a colour taken from the front for the back
_BAND_M = 0.06
_LEAST_HAIR = 5.0  # vertices' worth of hair in view below which its colour is not trusted


@lru_cache(maxsize=2)
def _body_texels(size: int) -> TexelMap:
    model = body_model()
    return texel_map(model.uvs, model.uv_faces, size)


@lru_cache(maxsize=1)
def _bands() -> np.ndarray:
    """(V,) int labels of slices of the body, some centimetres long, by part and height."""
    regions, template = body_regions(), body_model().template
    along = np.einsum("vc,vc->v", template, regions.axis)
    slices = ((along - along.min()) / _BAND_M).astype(int)
    return regions.part * (slices.max() + 1) + slices


def texture_mesh(photo: Photo, figure: Figure, mesh: Mesh, *, size: int = 1024) -> Mesh:
    """Colour a person's surface on every side.

    Where the camera sees the surface the photograph is projected onto it, weighted by facing and
    by the matte. The back of trunk and limbs continues the front: the colour that the photograph
    shows at the same place. The back of the head takes the colours around the face, not the
    face. What is hidden by the person's own limbs takes the other side's colour where that is
    seen, and else what spreads over the surface from around it.

    Args:
        photo: the picture.
        figure: the person's matte.
        mesh: camera frame, in the body model's topology and texture coordinates.
        size: texels along each side of the atlas.

    Returns:
        The mesh with its ``texture`` (size, size, 3) uint8 sRGB.
    """
    model, regions, texels = body_model(), body_regions(), _body_texels(size)
    if len(mesh.vertices) != len(model.template):
        raise ValueError(
            f"the mesh must have the body's {len(model.template)} vertices, "
            f"got {len(mesh.vertices)}"
        )
    view = person_view(photo, figure.alpha, mesh, regions.part)
    if view is None:
        plain = np.full((size, size, 3), _NEUTRAL, np.uint8)
        return replace(mesh, uvs=model.uvs, uv_faces=model.uv_faces, texture=plain)
    normals = mesh.vertex_normals()
    fill = _fill(look_up(view, mesh.vertices, normals, regions.part), regions)

    atlas = texels.image(paint_texels(view, texels, mesh, fill, regions.part, HEAD))
    return replace(mesh, uvs=model.uvs, uv_faces=model.uv_faces, texture=atlas)


def _fill(found: Lookup, regions: Regions) -> np.ndarray:
    """A colour (V, 3) float32 for every vertex, whatever hides it."""
    seen = found.seen
    mirrored = _MIRROR_TRUST * seen[regions.mirror]
    through = np.where(regions.part == HEAD, 0, _BEHIND_TRUST * found.behind)
    total = seen + (1 - seen) * np.maximum(mirrored, through)
    guess = np.where((through > mirrored)[:, None], found.colors, found.colors[regions.mirror])
    known = seen[:, None] * found.colors + (1 - seen)[:, None] * guess
    everywhere = diffuse_colors(known, total, regions.edges, bands=_bands())
    # The back of the head: from where hair grows, and least from where it may still be forehead.
    hair_seen = seen * regions.hair**4
    if hair_seen.sum() < _LEAST_HAIR:
        hair_seen = total * (1 - regions.face)
    hair = diffuse_colors(known, hair_seen, regions.edges)
    share = (regions.hair * (1 - seen))[:, None]
    return everywhere + share * (hair - everywhere)
