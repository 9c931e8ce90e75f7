"""Colours of several photographs of one person, fused by weight.

Every point of the surface takes its colour from the photograph that shows it best: facing the
camera, large, sharp and not hidden. Light differs between photographs, so the others are first
matched to the main one where both, or nearly both, show the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.geometry.adjacency import Neighbors
from vitruvian.geometry.atlas import TexelMap
from vitruvian.geometry.normals import vertex_normals
from vitruvian.image.cielab import cielab
from vitruvian.image.color import srgb_decoded, srgb_encoded
from vitruvian.texture.diffuse import diffuse_colors
from vitruvian.texture.guesses import hidden_vertices
from vitruvian.texture.light import without_light
from vitruvian.texture.places import Places
from vitruvian.texture.projection import Lookup, look_up
from vitruvian.texture.view import View, person_view
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.record import Record
from vitruvian.types.regions import HEAD, LEFT_ARM, RIGHT_ARM
from vitruvian.types.seen import WHOLE, Seen

_MAIN = 1.3  # how much more the main photograph is worth than another that shows as much
_SHARPLY = 6  # power of the worth: two photographs laid over each other would be blurred
_MOST_WORTH = 2.0  # of size and of sharpness against the main photograph's, either way
_REACH = 8  # edges around what the main photograph shows, in which colours are compared
_LEAST_COMPARED = 60  # vertices
_HALF_BELIEVED = 100  # vertices with which half of the difference is taken out
_MOST_GAIN = 1.6  # of linear light, either way
_SEEN = 0.5
_HAND_SHOWN = 0.15  # of a hand's vertices
_OTHER_COLOR = 30.0  # CIELAB: more than shade makes
_INSIDE = 200


@dataclass(frozen=True, eq=False, repr=False)
class Shot(Record):
    """One more photograph of a surface.

    Attributes:
        photo: the picture.
        figure: the person's matte in it.
        mesh: the surface in the pose that it has there, camera frame; the same vertices and faces
            as in the main photograph.
        seen: which parts of the body the picture shows.
    """

    photo: Photo
    figure: Figure
    mesh: Mesh
    seen: Seen = WHOLE


@dataclass(frozen=True)
class Other:
    """A shot that shows something of the surface.

    Attributes:
        view: its window, in the light of the main photograph.
        mesh: see ``Shot``.
        found: what it says of the vertices.
        worth: how large and sharp it is, against the main photograph's 1.
        asked: (V,) float32 0..1, 0 where the main photograph alone counts.
    """

    view: View
    mesh: Mesh
    found: Lookup
    worth: float
    asked: np.ndarray


def other_views(
    shots: Sequence[Shot],
    view: View,
    mesh: Mesh,
    found: Lookup,
    places: Places,
    parts: np.ndarray,
    hands: np.ndarray,
    *,
    albedo: bool = False,
) -> list[Other]:
    """The shots as they are looked up, without those that show nothing.

    Args:
        shots: other photographs.
        view: the main photograph's.
        mesh: camera frame of the main photograph.
        found: what the main photograph says of the mesh's vertices.
        places: of the vertices.
        parts: (V,) of each vertex, indices of ``BODY_PARTS``.
        hands: (V,) 0..1, of hands.
        albedo: take their light out of them first.
    """
    others = []
    for shot in shots:
        hidden = hidden_vertices(shot.seen, parts)
        own = person_view(shot.photo, shot.figure.alpha, shot.mesh, places.part, hidden)
        if own is None:
            continue
        if albedo:
            own = without_light(own, shot.mesh)
        normals = vertex_normals(shot.mesh.vertices, shot.mesh.faces)
        told = look_up(own, shot.mesh.vertices, normals, places.part)
        if told.seen.sum() < 1:
            continue
        gain = light_gain(found, told, places)
        own = _lit(own, gain)
        told = replace(told, colors=_scaled(told.colors, gain))
        asked = asked_of(found, told, hands, places)
        told = replace(told, seen=told.seen * asked)
        worth = _against(_size(own, shot.mesh), _size(view, mesh))
        worth *= np.sqrt(_against(sharpness(own), sharpness(view)))
        others.append(Other(own, shot.mesh, told, float(worth), asked))
    return others


def asked_of(found: Lookup, told: Lookup, hands: np.ndarray, places: Places) -> np.ndarray:
    """(V,) float32, 0 where another photograph is not asked what the main one shows.

    Arms are thin, and seldom quite where the fit has them: beside a hand is a sleeve, beside an arm
    the trunk. So hands that the main photograph shows are its own, and so are slices of arms that
    have quite another colour there.
    """
    out = np.ones(len(found.seen), np.float32)
    arms = np.isin(places.part, (LEFT_ARM, RIGHT_ARM))
    for part in (LEFT_ARM, RIGHT_ARM):
        own = hands * (places.part == part)
        if own.sum() > 0 and (own @ found.seen) / own.sum() > _HAND_SHOWN:
            out *= 1 - own.astype(np.float32)
    for band in np.unique(places.band[arms]):
        slices = arms & (places.band == band)
        ours, theirs = slices & (found.seen > _SEEN), slices & (told.seen > _SEEN)
        if not (ours.any() and theirs.any()):
            continue
        medians = np.stack([
            np.median(found.colors[ours], axis=0), np.median(told.colors[theirs], axis=0)
        ])  # fmt: skip
        mine, other = cielab(medians[None].astype(np.float32))[0]
        if np.linalg.norm(mine - other) > _OTHER_COLOR:
            out[slices] = 0
    return out


def merged(found: Lookup, others: Sequence[Other]) -> Lookup:
    """What all photographs together say of the vertices; of what faces away, the main one alone."""
    weights = [(_MAIN * found.seen) ** _SHARPLY]
    weights += [(other.worth * other.found.seen) ** _SHARPLY for other in others]
    total = np.maximum(sum(weights), np.float32(1e-9))[:, None]
    colors = [found.colors, *(other.found.colors for other in others)]
    mixed = sum(w[:, None] * c for w, c in zip(weights, colors, strict=True)) / total
    seen = np.maximum.reduce([found.seen, *(other.found.seen for other in others)])
    return replace(found, colors=np.asarray(mixed, np.float32), seen=seen)


def fuse(
    painted: np.ndarray,
    view: View,
    mesh: Mesh,
    others: Sequence[Other],
    texels: TexelMap,
    parts: np.ndarray,
) -> np.ndarray:
    """Colours (N, 3) uint8 of the texels, from the photograph that shows each best.

    Args:
        painted: (N, 3) uint8, from the main photograph, with guesses where it shows nothing.
        view: of the main photograph.
        mesh: camera frame of the main photograph.
        others: the other photographs.
        texels: of the mesh's texture coordinates.
        parts: (V,) uint8 region of each vertex.
    """
    own_parts = parts[mesh.faces[texels.faces, 0]]
    trust = (_MAIN * _at_texels(view, mesh, texels, own_parts)[1]) ** _SHARPLY
    total, mixed = trust.copy(), trust[:, None] * painted
    cover = np.zeros(len(trust), np.float32)
    for other in others:
        found, facing = _at_texels(other.view, other.mesh, texels, own_parts)
        asked = texels.interpolate(other.asked[:, None], mesh.faces)[:, 0]
        trust = (other.worth * facing * asked) ** _SHARPLY
        total += trust
        mixed += trust[:, None] * found.colors
        cover = np.maximum(cover, found.seen * asked)
    fused = mixed / np.maximum(total, np.float32(1e-9))[:, None]
    out = painted + cover[:, None] * (fused - painted)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def light_gain(found: Lookup, told: Lookup, places: Places) -> np.ndarray:
    """(3,) by which another photograph's linear RGB is to be multiplied to be as the main one's.

    A front and a back share hardly a point; but cloth goes on around the body, so what either shows
    is compared within some edges of each other. The median of all ratios is not disturbed by what
    differs in places, and is believed the less the fewer there are.
    """
    known = diffuse_colors(found.colors, found.seen, places.neighbors, iterations=_REACH)
    both = _grown(found.seen > _SEEN, places.neighbors, _REACH) & (told.seen > _SEEN)
    both &= places.part != HEAD  # hair beside a face
    count = int(both.sum())
    if count < _LEAST_COMPARED:
        return np.ones(3)
    ours = srgb_decoded(np.clip(known[both], 4, 250) / 255)
    theirs = srgb_decoded(np.clip(told.colors[both], 4, 250) / 255)
    logs = np.median(np.log(ours / theirs), axis=0) * count / (count + _HALF_BELIEVED)
    return np.asarray(np.exp(np.clip(logs, -np.log(_MOST_GAIN), np.log(_MOST_GAIN))))


def sharpness(view: View) -> float:
    """The mean gradient inside of the matte, grey levels a pixel."""
    grey = cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    inside = cv2.erode(view.alpha, np.ones((5, 5), np.uint8)) > _INSIDE
    return float(edges[inside].mean()) if inside.any() else 0.0


def _size(view: View, mesh: Mesh) -> float:
    """Pixels of the window for a metre of the person."""
    return float(view.camera.focal_px / np.median(mesh.vertices[:, 2]))


def _against(own: float, main: float) -> float:
    return float(np.clip((own + 1e-6) / (main + 1e-6), 1 / _MOST_WORTH, _MOST_WORTH))


def _grown(chosen: np.ndarray, around: Neighbors, steps: int) -> np.ndarray:
    """(V,) bool, vertices within so many edges of the chosen ones."""
    out = chosen.copy()
    for _ in range(steps):
        out |= np.logical_or.reduceat(out[around.members], around.first[:-1])
    return out


def _lit(view: View, gain: np.ndarray) -> View:
    """The view in another light."""
    levels = np.arange(256.0)[:, None].repeat(3, 1)
    table = np.clip(_scaled(levels, gain) + 0.5, 0, 255).astype(np.uint8)
    pixels = cv2.LUT(view.pixels, table.reshape(1, 256, 3))
    return replace(view, pixels=pixels, back=pixels)


def _scaled(colors: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """sRGB 0..255 (N, 3) float32 in light that is ``gain`` (3,) times as strong."""
    linear = srgb_decoded(np.clip(colors, 0, 255) / 255) * gain
    return np.asarray(255 * srgb_encoded(np.clip(linear, 0, 1)), np.float32)


def _at_texels(
    view: View, mesh: Mesh, texels: TexelMap, parts: np.ndarray
) -> tuple[Lookup, np.ndarray]:
    """What a view says of the texels, and (N,) 0..1 how well it shows each: seen, and facing it."""
    points = texels.interpolate(mesh.vertices, mesh.faces)
    normals = texels.interpolate(vertex_normals(mesh.vertices, mesh.faces), mesh.faces)
    found = look_up(view, points, normals, parts)
    lengths = np.linalg.norm(points, axis=1) * np.linalg.norm(normals, axis=1)
    facing = -np.einsum("nc,nc->n", points, normals) / np.maximum(lengths, 1e-9)
    return found, found.seen * np.clip(facing, 0, 1)
