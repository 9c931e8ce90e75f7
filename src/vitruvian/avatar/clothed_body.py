"""The body in its own topology, moved to the surface that the photograph shows.

The sculpture is one closed skin over everything: a hand on a hip is part of the skirt. The body's
mesh is not, so limbs that touch stay apart. Here it is registered to the sculpture without rigid
parts (after Amberg, Romdhani and Vetter, 2007): every vertex seeks the sculpture near it that faces
the same way and belongs to the same limb, and a field of displacements at rest follows as far as it
stays smooth. What finds nothing goes as the other side of the body does, or with its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vitruvian.avatar.beneath import covered, slimmed
from vitruvian.avatar.field import smooth_field
from vitruvian.avatar.skin import blended_rotations, folds, photographed_motion, soft_skin
from vitruvian.avatar.skirt import Skirt
from vitruvian.geometry.adjacency import Neighbors, neighbors_of_edges
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.stretch import areas_around
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.surface.envelope.inflated_body import ONE_SIDED_M, OUTWARD_M
from vitruvian.surface.finish.skin_transfer import nearest_vertices
from vitruvian.surface.volume.limbs import groups_of_points, groups_of_vertices, limb_of_vertex
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.mesh import Mesh

_ROUNDS = ((8.0, 0.10), (3.0, 0.08), (1.0, 0.08), (0.5, 0.08))  # stiffness, reach in metres
_LEAST_COSINE = 0.35  # between the normals of body and surface
_SIDEWAYS = 0.05  # weight of what lies along the surface: little, for it may glide
_BACK = 0.5  # weight of what faces away: it is a guess itself
_AT_REST = 0.002  # weight of staying where the body is
_MIRRORED = 0.1  # weight of what the other side does, where nothing is found
_STIFF_HAND, _STIFF_FACE, _STIFF_FOOT = 60.0, 60.0, 6.0
_FOLLOW = 0.1  # of hands and face: they are the body's, but where the surface has them
_EVERY = 4  # of the vertices of hands and face
_NORMAL_SMOOTHING = 4
_DOUBT_M = 0.04  # distance at which what is found counts half
_HOLDERS = 6  # vertices of the face that eyes and tongue go with
_MIRROR = np.array([-1, 1, 1], np.float32)


@dataclass(frozen=True)
class _Frame:
    """What registration asks of the body model.

    Attributes:
        around: neighbours.
        stiffness: (P,) of each, relative.
        follow: (V,) 0..1, how far a vertex follows the surface.
        limit_m: (V,) how far it may go.
        seeking: (S,) int, vertices that seek the surface: every one where cloth is, of hands and
            face, which are stiff and fine, some.
        inside: (I,) int, what lies inside the head.
        holders: (I, 6) int, the vertices of the face that each of those goes with.
    """

    around: Neighbors
    stiffness: np.ndarray
    follow: np.ndarray
    limit_m: np.ndarray
    seeking: np.ndarray
    inside: np.ndarray
    holders: np.ndarray


@lru_cache(maxsize=4)
def _frame(model: ParametricModel) -> _Frame:
    regions = model.regions
    around = neighbors_of_edges(regions.edges, len(regions.part))
    own = np.repeat(np.arange(len(regions.part)), np.diff(around.first))
    parts = [_STIFF_HAND * regions.hand, _STIFF_FACE * regions.face, _STIFF_FOOT * regions.foot]
    stiff = 1 + np.maximum.reduce(parts)
    inside = model.components > 0
    follow = np.where(inside, 0, 1 - (1 - _FOLLOW) * np.maximum(regions.hand, regions.face))
    # In folds the surface closes over what is in there: what it shows tears when they open.
    follow *= 1 - folds(model)
    table = np.array([OUTWARD_M[part] for part in range(len(OUTWARD_M))])
    limit = smooth_over_mesh(table[regions.part][:, None], regions.edges, 10)[:, 0]
    face = np.flatnonzero(~inside & (regions.face > 0.5))
    apart = model.template[inside][:, None] - model.template[face]
    holders = face[np.argsort(np.square(apart).sum(2), axis=1)[:, :_HOLDERS]]
    return _Frame(
        around,
        np.sqrt(stiff[own] * stiff[around.members]),
        follow,
        limit,
        np.flatnonzero((follow > 0.5) | ((follow > 0) & (np.arange(len(follow)) % _EVERY == 0))),
        np.flatnonzero(inside),
        holders,
    )


def clothed_body(
    body: Body,
    sculpture: Mesh,
    skirt: Skirt | None = None,
    *,
    shoes: np.ndarray | None = None,
    most_m: float | None = None,
    things: np.ndarray | None = None,
    nape: np.ndarray | None = None,
) -> Mesh:
    """The body's mesh at rest, with the clothes of its owner.

    Args:
        body: fitted, camera frame.
        sculpture: the closed surface over it, camera frame, with ``body_vertices``.
        skirt: beneath which, and just below, the body is bare, and beneath a little slimmer.
        shoes: (V, 3) metres, from bare feet to shoes.
        most_m: how far clothes stand off at most, metres; by default as far as they may by part.
        things: (N,) bool, vertices of the sculpture that are of a bag or the like: no cloth.
        nape: (V,) 0..1, how far long hair hides the body, which is bare there.

    Returns:
        A mesh in the frame ``body`` with the body's topology and texture coordinates, and
        ``skin.soft_skin``.
    """
    model = body.model
    frame = _frame(model)
    joints, weights = soft_skin(model)
    motion = photographed_motion(body)
    turns = blended_rotations(motion, joints, weights)
    bare = body.rest()[0]
    if shoes is not None:
        bare = bare + shoes
    field = np.zeros_like(bare)
    if sculpture.body_vertices is not None:
        surface = _Surface.of(model, sculpture, things)
        area = np.clip(areas_around(body.vertices, model.faces), 0.2, 5)
        for stiffness, reach in _ROUNDS:
            vertices = motion.skinned(bare + field, joints, weights)
            gap, toward, trust = surface.sought(vertices, frame.seeking, reach)
            trust = trust * frame.follow * area
            gap, toward = (np.einsum("vba,vb->va", turns, each) for each in (gap, toward))
            field = _followed(frame, model, field, gap, toward, trust, area, stiffness)
    length = np.linalg.norm(field, axis=1)
    limit = frame.limit_m if most_m is None else np.minimum(frame.limit_m, most_m)
    field *= np.minimum(1, limit / np.maximum(length, 1e-6))[:, None]
    if nape is not None:
        field *= (1 - nape)[:, None]
    if skirt is not None:
        hidden = covered(model, skirt.bare)[:, None]
        field = (1 - hidden) * field + slimmed(body, skirt.hem)
    dressed = body.as_mesh().with_vertices(bare + field, "body")
    return replace(dressed, skin_joints=joints, skin_weights=weights)


def _followed(
    frame: _Frame,
    model: ParametricModel,
    field: np.ndarray,
    gap: np.ndarray,
    toward: np.ndarray,
    trust: np.ndarray,
    area: np.ndarray,
    stiffness: float,
) -> np.ndarray:
    """The displacements (V, 3) at rest, after one more step towards what was found."""
    mirror = model.regions.mirror
    target = field + gap
    other = field[mirror] * _MIRROR
    # What stands off on one side alone is a bag.
    outward, usual = (toward * target).sum(1), (toward * other).sum(1)
    trust = np.where(outward > np.maximum(usual, 0) + ONE_SIDED_M, 0, trust)
    unknown = (trust == 0) & (trust[mirror] > 0)
    target = np.where(unknown[:, None], other, np.where(trust[:, None] > 0, target, 0))
    mirrored = np.where(unknown, _MIRRORED * area * frame.follow, 0)
    weights = np.column_stack([trust, _SIDEWAYS * trust + mirrored + _AT_REST * area])
    field = smooth_field(target, toward, weights, frame.around, stiffness * frame.stiffness, field)
    field[frame.inside] = field[frame.holders].mean(1)
    return field


@dataclass(frozen=True)
class _Surface:
    """The sculpture, to be sought by the body's vertices."""

    model: ParametricModel
    mesh: Mesh
    normals: np.ndarray
    groups: np.ndarray
    things: np.ndarray | None

    @staticmethod
    def of(model: ParametricModel, mesh: Mesh, things: np.ndarray | None) -> _Surface:
        """Its ``groups`` (N,) uint8 say which vertices of the body may lie beneath."""
        assert mesh.body_vertices is not None
        limbs = limb_of_vertex(model)[mesh.body_vertices]
        normals = vertex_normals(mesh.vertices, mesh.faces)
        return _Surface(model, mesh, normals, groups_of_points(limbs), things)

    def sought(
        self, vertices: np.ndarray, seeking: np.ndarray, reach: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How far the surface is from each vertex (V, 3), where it faces (V, 3), and how much that
        is to be believed (V,) 0..1; 0 beyond ``reach`` metres, and of all but those ``seeking``
        (S,)."""
        model = self.model
        normals = vertex_normals(vertices, model.faces)
        normals = smooth_over_mesh(normals, model.regions.edges, _NORMAL_SMOOTHING)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        found = nearest_vertices(
            vertices[seeking],
            normals[seeking],
            self.mesh.vertices,
            self.normals,
            groups=groups_of_vertices(model)[seeking],
            body_groups=self.groups,
        )
        toward, gap = np.zeros_like(vertices), np.zeros_like(vertices)
        toward[seeking] = self.normals[found]
        gap[seeking] = self.mesh.vertices[found] - vertices[seeking]
        distance = np.linalg.norm(gap, axis=1)
        trust = np.clip(((normals * toward).sum(1) - _LEAST_COSINE) / 0.3, 0, 1)
        trust *= (distance < reach) / (1 + np.square(distance / _DOUBT_M))
        if self.things is not None:
            trust[seeking] *= ~self.things[found]
        facing = -(toward * vertices).sum(1) / np.linalg.norm(vertices, axis=1)
        return gap, toward, trust * (_BACK + (1 - _BACK) * np.clip(facing / 0.3, 0, 1))
