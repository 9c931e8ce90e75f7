"""How well an avatar moves, and whether the back of its head is hair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vitruvian.avatar.beneath import covered
from vitruvian.body.model.clips import FittedMotion
from vitruvian.body.model.hanging import Skeleton
from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.crossings import ray_crossings
from vitruvian.geometry.normals import vertex_normals
from vitruvian.texture.colors import apart, main_colors, weighted_lab
from vitruvian.types.body import Body
from vitruvian.types.chains import Chains
from vitruvian.types.keypoints import EARS, EYES
from vitruvian.types.mesh import Mesh

_RAYS_M = 0.012  # between the rays along which overlaps are measured
_MOST_CROSSINGS = 64
_POKED_M, _FAR_M = 0.004, 0.15  # outside of a skirt by more, and of it at all
_EVERY = 3  # of the legs' vertices
_COVERED = 0.85
_TOUCHING_M = 0.005  # above the ground
_FACE = 0.8  # weight from which on a place is of the face
_BELOW_EYES_M = 0.02
_CROWN_M, _BALD = 0.1, 0.5  # below the top of the head; share of that
_TOP_M = 0.025  # likewise: above all foreheads
_HAIRS = 4  # how many colours hair has there
_LEAST_CORNERS = 50
_LIKE_SKIN = 12.0  # CIELAB units from the face's colour, half of a difference in lightness counted


def moved(
    rest: Mesh,
    body: Body,
    motion: FittedMotion,
    keys: Sequence[int],
    chains: Chains | None = None,
) -> list[Mesh]:
    """An avatar at some keys of a clip, frame ``body``, the ground at y = 0."""
    if rest.skin_joints is None or rest.skin_weights is None:
        raise ValueError("a mesh without a skin cannot be posed")
    joints = body.rest()[1]
    skeleton = Skeleton.of(body.model.parents, joints, chains)
    roots = motion.roots + joints[0] * (1, 0, 1)
    rotations = skeleton.moving(motion.rotations, roots)
    out = []
    for key in keys:
        posed = skeleton.motion(rotations[key], roots[key])
        out.append(
            rest.with_vertices(posed.skinned(rest.vertices, rest.skin_joints, rest.skin_weights))
        )
    return out


def overlap(mesh: Mesh) -> float:
    """Share of a closed surface's volume, 0..1, that is inside of it more than once.

    Along parallel rays from the front, 12 mm apart. Rays that enter as often as they leave count.
    """
    points = mesh.vertices[:, :2] / _RAYS_M
    low = np.floor(points.min(0))
    width, height = (np.ceil(points.max(0) - low) + 1).astype(int)
    # Seen from behind as from before: pictures have y down, and what is near has a small z.
    flat = np.stack([points[:, 0] - low[0], height - (points[:, 1] - low[1])], 1)
    depth = 10 - mesh.vertices[:, 2]
    parts = np.zeros(len(mesh.faces), np.int16)
    found = ray_crossings(flat, depth, mesh.faces, parts, width, height, _MOST_CROSSINGS)
    count = np.asarray(found.count, np.int64).ravel()
    ray = np.repeat(np.arange(len(count)), count)
    order = np.lexsort((found.depth, ray))
    z, sign, ray = found.depth[order], found.sign[order].astype(np.int64), ray[order]
    whole = np.bincount(ray, sign, len(count)) == 0
    inside = np.cumsum(sign)  # rays that count sum to 0, and the others are taken out here
    before = np.concatenate([[0], np.cumsum(np.bincount(ray, sign, len(count)))])[ray]
    inside = inside - before.astype(np.int64)
    length = np.append(np.diff(z), 0) * (np.append(ray[1:], -1) == ray) * whole[ray]
    volume = length[inside >= 1].sum()
    return float(length[inside >= 2].sum() / volume) if volume > 0 else 0.0


def poking(skirt: np.ndarray, posed: Mesh, body: Body, hem: float) -> float:
    """Share, 0..1, of the legs' vertices beneath a skirt that are outside of it in a pose.

    Args:
        skirt: (N, 3) int32, the faces of its shell.
        posed: the avatar.
        body: beneath it.
        hem: of the skirt, a level of ``avatar.tube``.
    """
    shell = np.unique(skirt)
    outer = shell[: len(shell) // 2]
    used = np.zeros(len(posed.vertices), bool)
    used[posed.faces] = True
    beneath = np.flatnonzero(used[: len(body.vertices)] & (covered(body.model, hem) > _COVERED))
    beneath = beneath[::_EVERY]
    if len(beneath) == 0:
        return 0.0
    normals = vertex_normals(posed.vertices, posed.faces)[outer]
    cloth, legs = posed.vertices[outer], posed.vertices[beneath]
    squared = np.square(legs).sum(1)[:, None] - 2 * legs @ cloth.T + np.square(cloth).sum(1)
    near = squared.argmin(1)
    away = legs - cloth[near]
    outside = (away * normals[near]).sum(1) > _POKED_M
    return float((outside & (np.linalg.norm(away, axis=1) < _FAR_M)).mean())


def on_ground(rest: Mesh, body: Body, motion: FittedMotion) -> tuple[float, float, float]:
    """How feet meet the ground in a clip, millimetres: how deep they sink, mean over the keys; how
    far the nearest foot is above it; how far what touches it slides from key to key."""
    if rest.skin_joints is None or rest.skin_weights is None:
        raise ValueError("a mesh without a skin cannot be posed")
    chosen = np.flatnonzero(body.model.regions.foot > 0)
    feet = Mesh(
        rest.vertices[chosen],
        np.zeros((0, 3), np.int32),
        "body",
        skin_joints=rest.skin_joints[chosen],
        skin_weights=rest.skin_weights[chosen],
    )
    count = len(motion.times_s)
    places = np.stack([m.vertices for m in moved(feet, body, motion, range(count))])
    low = places[..., 1].min(1)
    step = motion.speed * np.diff(motion.times_s)[:, None, None] * [0.0, 0.0, 1.0]
    slid = np.linalg.norm((np.diff(places, axis=0) + step)[..., [0, 2]], axis=2)
    touching = (places[:-1, :, 1] < _TOUCHING_M) & (places[1:, :, 1] < _TOUCHING_M)
    slide = float(slid[touching].mean()) if touching.any() else 0.0
    return (
        1000 * float(np.maximum(-low, 0).mean()),
        1000 * float(np.maximum(low, 0).mean()),
        1000 * slide,
    )


def face_color(mesh: Mesh, model: BodyModel, own: np.ndarray) -> np.ndarray | None:
    """Median colour (3,) sRGB of the face below the eyes, where no glasses are, in a mesh's
    texture; arguments as of ``skin_behind``. None where the mesh has no face or no texture."""
    face = (model.components == 0) & (model.regions.face > _FACE)
    eyes = model.keypoints().template[EYES].mean(0)
    face &= model.template[:, 1] < eyes[1] - _BELOW_EYES_M
    colors = _at_corners(mesh, own, face)
    return None if len(colors) < _LEAST_CORNERS else np.median(colors, axis=0)


def skin_behind(mesh: Mesh, model: BodyModel, own: np.ndarray, skin: np.ndarray) -> float:
    """Share, 0..1, of the back of the head, above the nape and behind the ears, that has the
    colour of the face, and is nearer to it than to those of the hair on top.

    NaN where the mesh has no head or no texture, and where most of the crown in front has that
    colour, too: of bald heads, beige hats and some fair hair this says nothing.

    Args:
        mesh: with texture.
        model: the body model.
        own: (V,) int, the vertex of the body beneath each vertex, -1 for other layers.
        skin: (3,) sRGB of the face.
    """
    regions = model.regions
    ears = model.keypoints().template[EARS].mean(0)
    behind = (model.components == 0) & (regions.hair > 0.6) & (regions.face < 0.05)
    crown = behind & (model.template[:, 2] >= ears[2])
    crown &= model.template[:, 1] > model.template[behind, 1].max() - _CROWN_M
    top = crown & (model.template[:, 1] > model.template[behind, 1].max() - _TOP_M)
    behind &= model.template[:, 2] < ears[2]
    if not _share(_like(_at_corners(mesh, own, crown), skin)) <= _BALD:
        return float("nan")
    colors = _at_corners(mesh, own, behind)
    like = _like(colors, skin)
    hairs = main_colors(_lab(_at_corners(mesh, own, top)), _HAIRS)
    if len(hairs):
        like &= apart(_lab(colors), _lab(skin[None])) < apart(_lab(colors), hairs)
    return _share(like)


def _like(colors: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """(N,) bool, which colours (N, 3) are like the skin's (3,)."""
    return apart(_lab(colors), _lab(skin[None])) < _LIKE_SKIN


def _lab(colors: np.ndarray) -> np.ndarray:
    """(N, 3) weighted CIELAB of sRGB colours (N, 3)."""
    return weighted_lab(colors[None])[0] if len(colors) else np.zeros((0, 3), np.float32)


def _share(chosen: np.ndarray) -> float:
    """Share of (N,) bool; NaN of too few."""
    return float(chosen.mean()) if len(chosen) >= _LEAST_CORNERS else float("nan")


def _at_corners(mesh: Mesh, own: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Colours (N, 3) of the texture where triangles have corners over ``chosen`` (B,) bool."""
    if mesh.texture is None or mesh.uvs is None or mesh.uv_faces is None:
        return np.zeros((0, 3), np.uint8)
    corner = own[mesh.faces.ravel()]
    uvs = mesh.uvs[mesh.uv_faces.ravel()[(corner >= 0) & chosen[corner]]]
    rows, columns = mesh.texture.shape[:2]
    x = np.clip((uvs[:, 0] * columns).astype(int), 0, columns - 1)
    y = np.clip(((1 - uvs[:, 1]) * rows).astype(int), 0, rows - 1)
    return np.asarray(mesh.texture[y, x])
