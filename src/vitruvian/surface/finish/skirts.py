"""Cloth that hangs around both legs: a skirt goes with both of them, not half with either.

Beneath every point of a skirt lies one leg, so weights that are taken over from the body change
from one leg to the other within a hand's breadth at the middle, and that strip alone is drawn out
when the legs part. Here the cloth around both legs takes part of its weights from the place
mirrored on the other leg: half in the middle, less to the sides, none at the far side of either.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model.skeleton import LEGS
from vitruvian.geometry.adjacency import directed_edges, nearest_members
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG

_BIN = 0.08  # of a thigh or a shank: levels at which the surface is asked whether it spans the legs
_LEAST_EDGES = 5  # from one leg's side to the other's at a level that is spanned
_CROTCH = 0.3  # level down to which trousers join the legs, too
_LEAST_LEVELS = 4  # spanned below that: less is two knees that touch
_HIGHEST_START = 0.8  # level: above, cloth may lie so close on thighs that it is not told from them
_FAR = 0.5  # beyond either leg's bone, in distances of the two, where the other leg counts nothing
_LEAST_APART_M = 0.08
# Radii of the bare leg before or behind the bones, less than which is the crease between two legs
# that touch: for bones that are so many radii apart; legs that are far apart have none.
_LEAST_HEIGHT = ((3.6, 1.0), (4.4, 0.5))
_LEAST_APART = 2.5  # radii: legs that are nearer lie against each other
_RING = 24  # vertices around a joint that stand for it
_LEAST_COSINE = 0.7  # of the turn from one hip to the other to one leg to the other below


def shared_legs(model: ParametricModel, mesh: Mesh, beneath: np.ndarray, body: Mesh) -> np.ndarray:
    """How much of each vertex's skin is to come from the other leg.

    A level of the legs is spanned where edges of the surface lead from one leg's side to the
    other's without dipping into the crease between them; spanned levels that follow each other
    from the thighs down are a skirt.

    Args:
        model: the body model.
        mesh: the clothed surface, camera frame.
        beneath: (V,) the body vertex beneath each vertex.
        body: the bare body in the body model's topology, camera frame.

    Returns:
        (V,) float32 0..1; all 0 where there is no skirt.
    """
    out = np.zeros(len(beneath), np.float32)
    chosen, level, across, hem = _spanned(model, mesh, beneath, body)
    if hem is None:
        return out
    # From the crotch on, softly; below the hem no more.
    amount = np.clip(level / _CROTCH, 0, 1) * np.clip((hem - level) / _BIN + 1, 0, 1)
    right = np.clip((across + _FAR) / (1 + 2 * _FAR), 0, 1)
    own_right = model.regions.part[beneath[chosen]] == RIGHT_LEG
    out[chosen] = amount * np.where(own_right, 1 - right, right)
    return out


def hem_level(model: ParametricModel, mesh: Mesh, beneath: np.ndarray, body: Mesh) -> float | None:
    """The level of ``leg_levels`` down to which cloth spans both legs; None without a skirt.

    Arguments as of ``shared_legs``.
    """
    return _spanned(model, mesh, beneath, body)[-1]


def _spanned(
    model: ParametricModel, mesh: Mesh, beneath: np.ndarray, body: Mesh
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float | None]:
    """Vertices (N,) that lie over the legs, their levels, where they are from the left bone to the
    right one, and the level of the hem."""
    all_levels = leg_levels(model)[beneath]
    chosen = np.flatnonzero(all_levels > 0)
    level = all_levels[chosen]
    across, height = _between_legs(model, mesh.vertices[chosen], level, body)
    faces = _number(mesh.faces, chosen, len(beneath))
    return chosen, level, across, _hem(faces, across, height, level)


def _number(faces: np.ndarray, chosen: np.ndarray, count: int) -> np.ndarray:
    """The faces (F', 3) among the chosen of ``count`` vertices, by their numbers there."""
    number = np.full(count, -1, np.int32)
    number[chosen] = np.arange(len(chosen), dtype=np.int32)
    faces = number[faces]
    return faces[faces.min(1) >= 0]


@lru_cache(maxsize=4)
def leg_levels(model: ParametricModel) -> np.ndarray:
    """(V,) float64, how far down the leg each vertex of the body is: 0 hip, 1 knee, 2 ankle; 0
    where there is no leg."""
    regions = model.regions
    out = np.zeros(len(model.template))
    for part, leg in zip((LEFT_LEG, RIGHT_LEG), LEGS, strict=True):
        hip, knee, ankle = (model.joint_template[model.joint_index[name]] for name in leg)
        mine = regions.part == part
        points = model.template[mine]
        thigh = (points - hip) @ (knee - hip) / ((knee - hip) @ (knee - hip))
        shank = (points - knee) @ (ankle - knee) / ((ankle - knee) @ (ankle - knee))
        out[mine] = np.where(shank > 0, 1 + np.clip(shank, 0, 1.2), np.clip(thigh, 0, 1))
    return out


@lru_cache(maxsize=4)
def _bone_vertices(model: ParametricModel) -> np.ndarray:
    """(2, 3, N) vertices of the body around hip, knee and ankle of the left leg and the right.

    Their middles stand for the joints, of which a mesh says nothing."""
    regions = model.regions
    rings = []
    for part, leg in zip((LEFT_LEG, RIGHT_LEG), LEGS, strict=True):
        members = np.flatnonzero(regions.part == part)
        for name in leg:
            joint = model.joint_template[model.joint_index[name]]
            rings.append(nearest_members(model.template, members, joint, _RING))
    return np.array(rings).reshape(2, 3, -1)


def _between_legs(
    model: ParametricModel, points: np.ndarray, level: np.ndarray, body: Mesh
) -> tuple[np.ndarray, np.ndarray]:
    """Where points (V, 3) are from the left bone (0) to the right one (1) at their level, and how
    far from the line between the two, of what cloth that spans them has at least."""
    rings = body.vertices[_bone_vertices(model)].astype(np.float64)  # (2, 3, N, 3)
    joints = rings.mean(2)
    t = np.clip(level, 0, 2)
    upper = np.minimum(t.astype(int), 1)
    along = (t - upper)[:, None]
    left, right = (bone[upper] * (1 - along) + bone[upper + 1] * along for bone in joints)
    length = np.linalg.norm(right - left, axis=1)
    direction = (right - left) / np.maximum(length, 1e-3)[:, None]
    offset = points - (left + right) / 2
    across = (offset * direction).sum(1)
    height = np.linalg.norm(offset - across[:, None] * direction, axis=1)
    radius = np.interp(level, *leg_radii(model))
    height = height / (radius * np.interp(length / radius, *np.transpose(_LEAST_HEIGHT)))
    # Where legs cross, one passes before the other: what lies over both is the one in front.
    near = length < _LEAST_APART * radius
    crossed = direction @ (joints[1, 0] - joints[0, 0]) < _LEAST_COSINE * np.linalg.norm(
        joints[1, 0] - joints[0, 0]
    )
    return 0.5 + across / np.maximum(length, _LEAST_APART_M), np.where(crossed | near, 0, height)


@lru_cache(maxsize=4)
def leg_radii(model: ParametricModel) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the leg and its radius there, metres: half its width from front to back."""
    levels, template, part = leg_levels(model), model.template, model.regions.part
    places = np.arange(0.25, 2, 0.125)
    found = []
    for place in places:
        ring = template[(part == LEFT_LEG) & (np.abs(levels - place) < 0.04), 2]
        found.append((ring.max() - ring.min()) / 2)
    return places, np.array(found)


def _hem(
    faces: np.ndarray, across: np.ndarray, height: np.ndarray, level: np.ndarray
) -> float | None:
    """The level down to which the surface spans the legs; None where it does not."""
    edges = directed_edges(faces)
    side = across > 0.5
    edges = edges[side[edges[:, 0]] != side[edges[:, 1]]]
    edges = edges[height[edges].min(1) > 1]
    crossing = level[edges].max(1)
    crossing = crossing[crossing >= _CROTCH]
    counts = np.bincount(((crossing - _CROTCH) / _BIN).astype(int), minlength=1) / 2
    spanned = counts >= _LEAST_EDGES
    # One level may be missed: arms and bags hide some.
    spanned[1:-1] |= spanned[:-2] & spanned[2:]
    ends = np.flatnonzero(np.diff(np.pad(spanned, 1).astype(int)))
    for first, last in ends.reshape(-1, 2):
        if last - first >= _LEAST_LEVELS and _CROTCH + first * _BIN < _HIGHEST_START:
            return float(_CROTCH + last * _BIN)
    return None
