"""One atlas per person: the photograph where it shows them, an educated guess elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from vitruvian.body.model.parts import part_of_vertex
from vitruvian.compute import SideBySide
from vitruvian.geometry.atlas import TexelMap, texel_map
from vitruvian.geometry.normals import vertex_normals
from vitruvian.texture.back_of_head import back_of_head
from vitruvian.texture.bare_hands import bare_hands
from vitruvian.texture.behind import closed_over
from vitruvian.texture.colors import skin_of, weighted_lab
from vitruvian.texture.diffuse import diffuse_colors
from vitruvian.texture.even_light import evened, light_of
from vitruvian.texture.fusion import Shot, fuse, merged, other_views
from vitruvian.texture.guesses import guessed_colors, hidden_vertices
from vitruvian.texture.layers import with_what_is_before
from vitruvian.texture.light import without_light
from vitruvian.texture.places import Places, body_places, transferred_places
from vitruvian.texture.projection import Lookup, look_up, paint_texels
from vitruvian.texture.side_hair import with_strands
from vitruvian.texture.tube import Tube, goes_around
from vitruvian.texture.view import View, person_view
from vitruvian.types.body import ParametricModel
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import HEAD
from vitruvian.types.seen import WHOLE, Seen

_NEUTRAL = 128  # grey, for people of whom the photograph shows nothing
_MIRROR_TRUST = 0.6  # of a colour taken from the other side of the body
_BEHIND_TRUST = 0.5  # of a colour taken from the front for the back
_GUESS_TRUST = 0.15  # of a colour that is plausible for a part that is not in view
_UNLIKE, _ROUNDS = 20.0, 3  # levels from its slice's colour at which one is half believed
_COVERED = 0.2, 0.6  # of what the outline shows that is hair: where it begins to cover, does
_HARDLY_SEEN = 4  # times how far a place is seen: as far it has the photograph's light
_OF_HEAD = 0.1  # of face or hair from which on it is not the neck
_CERTAINLY_FACE = 0.8
_FACE_DEPTH_M = 0.02  # behind the nearest surface
_OTHER_LAYER = 16  # in the place of the parts of a tube, both of whose legs it is around
_LEAST_FACE = 20  # vertices in view
_LEAST_HAIR = 5.0  # vertices' worth of hair in view below which its colour is not trusted


@lru_cache(maxsize=2)
def _body_texels(model: ParametricModel, size: int) -> TexelMap:
    return texel_map(model.uvs, model.uv_faces, size)


def texture_mesh(
    model: ParametricModel,
    photo: Photo,
    figure: Figure,
    mesh: Mesh,
    *,
    size: int = 1024,
    albedo: bool = False,
    seen: Seen = WHOLE,
    shown: Mesh | None = None,
    carried: Carried | None = None,
    also: Sequence[Shot] = (),
    tube: Tube | None = None,
) -> Mesh:
    """Colour a person's surface on every side.

    Where the camera sees the surface the photograph is projected onto it, weighted by facing and
    by the matte. The back of trunk and limbs continues the front: the colour that the photograph
    shows at the same place, but for what is open or hangs there (``behind``). The back of the head
    takes the colours around the face, not the face. What is hidden by the person's own limbs takes
    the other side's colour where that is seen, and else what spreads over the surface from around.
    Parts that the frame cuts off or something hides take plausible colours (``guesses``).

    Args:
        model: the body model.
        photo: the picture.
        figure: the person's matte.
        mesh: camera frame, in the body model's topology and texture coordinates, or with texture
            coordinates and ``body_vertices`` of its own.
        size: texels along each side of the atlas.
        albedo: take the photograph's light out of its colours first (``light.without_light``).
        seen: which parts of the body the picture shows.
        shown: the surface that the picture shows, where ``mesh`` is but a layer of it: what lies
            before the mesh, such as a hand or a bag, gives it no colour.
        carried: bags and the like in the picture: they are not on the back, and no colours of a
            layer.
        also: other photographs of the person; each point takes its colour from the one that shows
            it best (``fusion``).
        tube: cloth around both legs, whose rings go on around where no picture shows them.

    Returns:
        The mesh with its ``texture`` (size, size, 3) uint8 sRGB.
    """
    if mesh.body_vertices is None:
        if len(mesh.vertices) != len(model.template):
            raise ValueError(
                f"the mesh must have the body's {len(model.template)} vertices, "
                f"got {len(mesh.vertices)}"
            )
        mesh = replace(mesh, uvs=model.uvs, uv_faces=model.uv_faces)
    with SideBySide() as pool:
        # The atlas is laid out while the photograph is looked up.
        laid_out = pool.submit(_texels, model, mesh, size)
        places = body_places(model)
        if mesh.body_vertices is not None:
            places = transferred_places(model, mesh.body_vertices, mesh.faces)
        parts = part_of_vertex(model)
        if mesh.body_vertices is not None:
            parts = parts[mesh.body_vertices]
        hidden = hidden_vertices(seen, parts)
        view = person_view(photo, figure.alpha, mesh, places.part, hidden)
        if view is None:
            return replace(mesh, texture=np.full((size, size, 3), _NEUTRAL, np.uint8))
        things = None if carried is None else carried.seen_by(view.camera)
        if things is not None and shown is not None:
            view = replace(view, alpha=np.where(things, 0, view.alpha).astype(np.uint8))
        if shown is not None:
            view = with_what_is_before(view, model, mesh, shown)
        if albedo:
            view = without_light(view, mesh)
        skin = _face_color(view, mesh, places)
        gloveless = None
        hands = model.regions.hand
        if mesh.body_vertices is not None:
            hands = hands[mesh.body_vertices]
        if shown is not None and skin is not None:
            view, *gloveless = bare_hands(view, hands, places.part, skin)
        normals = vertex_normals(mesh.vertices, mesh.faces)
        light = light_of(view, mesh, normals)
        even = evened(view.pixels, light)
        view = replace(
            view, back=closed_over(view.pixels, view.alpha, view.part, skin, things, even)
        )
        head = back_of_head(view, view.back, places.face)
        if head is not None:
            view = replace(view, back=head.pixels, hair=head.share)
        part = places.part
        if shown is not None:
            view, part = _told_apart(view, part, len(model.template))
        found = look_up(view, mesh.vertices, normals, part)
        others = other_views(also, view, mesh, found, places, parts, hands, albedo=albedo)
        if others:
            found = merged(found, others)
        beyond = _beyond(photo, mesh)
        guess = guessed_colors(seen, parts, found.seen, found.colors, beyond, skin)
        if gloveless is not None:
            bared, told = gloveless
            guess = np.where(told[:, None], bared, guess[0]), guess[1] | told
        hairy = (
            places.hair**4
            if head is None
            else _at_vertices(head.hair, view, mesh, places.part == HEAD)
        )
        if things is not None:  # nor on the other side, nor around
            shown_there = np.where(things, np.uint8(255), np.uint8(0))
            free = 1 - _at_vertices(shown_there, view, mesh, np.ones(len(parts), bool))
            found = replace(found, seen=found.seen * free)
        going_on = found if others else _as_behind(found, places)
        grows = np.where(
            places.part == HEAD,
            np.maximum(places.hair, _covered_by_hair(places, hairy, going_on.seen)),
            0,
        ).astype(np.float32)
        fill = _fill(going_on, places, hairy, grows, guess)
        if not others:  # what is half seen keeps the photograph's light
            half_seen = np.minimum(_HARDLY_SEEN * found.seen, 1)[:, None]
            fill = fill + half_seen * (found.colors - fill)
        texels = laid_out.result()
    colors = paint_texels(view, texels, mesh, fill, part)
    if head is not None and head.strands is not None:
        colors = with_strands(colors, head.strands, view, texels, mesh, grows)
    if others:
        colors = fuse(colors, view, mesh, others, texels, part)
    image = texels.image(colors)
    if tube is not None:
        image = goes_around(image, tube, np.maximum(found.seen, found.behind))
    return replace(mesh, texture=image)


def _texels(model: ParametricModel, mesh: Mesh, size: int) -> TexelMap:
    if mesh.body_vertices is None:
        return _body_texels(model, size)
    if mesh.uvs is None or mesh.uv_faces is None:
        raise ValueError("a mesh with body_vertices needs uvs and uv_faces")
    return texel_map(mesh.uvs, mesh.uv_faces, size)


def _beyond(photo: Photo, mesh: Mesh) -> np.ndarray:
    """(V,) bool, vertices outside of the picture."""
    pixels = photo.camera.project(mesh.vertices)
    inside = (pixels >= 0).all(axis=1) & (pixels <= [photo.width, photo.height]).all(axis=1)
    return np.asarray(~inside)


def _told_apart(view: View, part: np.ndarray, count: int) -> tuple[View, np.ndarray]:
    """The view and the parts (V,) with a number of its own for what is not of the body's layer,
    its first ``count`` vertices: the backs of legs do not take the colours of a skirt's front."""
    own = np.where(np.arange(len(part)) < count, part, np.uint8(_OTHER_LAYER)).astype(np.uint8)
    return replace(view, part=np.append(own, np.uint8(255))[view.vertex]), own


def _face_color(view: View, mesh: Mesh, places: Places) -> np.ndarray | None:
    """The face's skin (3,) sRGB, None where hardly any of it is seen."""
    on_face, rows, columns = _in_view(view, mesh, places.face > _CERTAINLY_FACE)
    near = mesh.vertices[on_face, 2] < view.depth[rows, columns] + _FACE_DEPTH_M
    if near.sum() < _LEAST_FACE:
        return None
    colors = view.pixels[rows[near], columns[near]]
    return np.asarray(np.median(colors[skin_of(weighted_lab(colors[None])[0])], axis=0))


def _in_view(
    view: View, mesh: Mesh, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ``chosen`` (V,) bool vertices inside the window: indices (N,), rows, columns."""
    vertices = np.flatnonzero(chosen)
    columns, rows = np.floor(view.camera.project(mesh.vertices[vertices])).astype(int).T
    height, width = view.alpha.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return vertices[inside], rows[inside], columns[inside]


def _at_vertices(shown: np.ndarray, view: View, mesh: Mesh, chosen: np.ndarray) -> np.ndarray:
    """(V,) float32 0..1, what a map (h, w) uint8 has where ``chosen`` (V,) bool vertices are, 0
    elsewhere."""
    out = np.zeros(len(mesh.vertices), np.float32)
    inside, rows, columns = _in_view(view, mesh, chosen)
    out[inside] = shown[rows, columns] / np.float32(255)
    return out


def _fill(
    found: Lookup,
    places: Places,
    hairy: np.ndarray,
    grows: np.ndarray,
    guessed: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """A colour (V, 3) float32 for every vertex, whatever hides it.

    ``hairy`` (V,) 0..1: the photograph shows hair where the vertex is; ``grows`` likewise: there is
    some if it does not show the vertex; ``guessed`` as of ``guessed_colors``.
    """
    seen = found.seen
    mirrored = _MIRROR_TRUST * seen[places.mirror]
    through = _BEHIND_TRUST * found.behind
    total = seen + (1 - seen) * np.maximum(mirrored, through)
    other = found.colors[places.mirror]
    guess = np.where((through > mirrored)[:, None], found.back_colors, other)
    known = seen[:, None] * found.colors + (1 - seen)[:, None] * guess
    if guessed is not None:
        # Faintly, so that colours run on from what is in view before they end in the guess.
        plain = guessed[1] & (seen < _GUESS_TRUST)
        known[plain] = guessed[0][plain]
        total = np.where(plain, _GUESS_TRUST, total)
    everywhere = diffuse_colors(known, total, places.neighbors, bands=places.band)
    # The back of the head: from hair, in front and behind.
    hair_seen = np.where(places.part == HEAD, np.maximum(seen * hairy, through), 0)
    within = places.hair > 0
    if hair_seen.sum() < _LEAST_HAIR:
        hair_seen, within = total * (1 - places.face), np.ones(len(seen), bool)
    hair = diffuse_colors(known, hair_seen, places.neighbors, within=within)
    share = (grows * (1 - seen))[:, None]
    return everywhere + share * (hair - everywhere)


def _as_behind(found: Lookup, places: Places) -> Lookup:
    """What the picture says for what it does not show: the colours of the back, without the front's
    light and openings, but for the head; the less believed, the less they are like most of their
    slice: beside an arm is something of it on the trunk, and of a hand on a skirt."""
    of_head = (places.part == HEAD) & (np.maximum(places.face, places.hair) > _OF_HEAD)
    colors = np.where(of_head[:, None], found.colors, found.back_colors)
    weights, count = found.seen, int(places.band.max()) + 1
    for _ in range(_ROUNDS):
        mass = np.bincount(places.band, weights, count) + 1e-3
        sums = np.stack([np.bincount(places.band, weights * c, count) for c in colors.T], 1)
        off = colors - (sums / mass[:, None]).astype(np.float32)[places.band]
        weights = found.seen / (1 + np.einsum("vc,vc->v", off, off) / np.float32(_UNLIKE**2))
    return replace(found, colors=colors, seen=np.where(of_head, found.seen, weights))


def _covered_by_hair(places: Places, hairy: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(V,) float32 0..1, how far hair covers the sides of a head: as it does where the outline
    shows them, for it hides ears, or does not."""
    on_head = places.part == HEAD
    shown = np.repeat(hairy[:, None], 3, axis=1).astype(np.float32)
    spread = diffuse_colors(shown, seen * on_head, places.neighbors, within=on_head)[:, 0]
    spread = np.clip((spread - _COVERED[0]) / (_COVERED[1] - _COVERED[0]), 0, 1)
    return np.asarray(np.where(on_head, spread * (1 - places.face), 0))
