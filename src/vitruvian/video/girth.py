"""The girth of an avatar, settled on the outlines of many frames rather than on one.

What a frame's outline says of somebody's clothes, shoes and hair is wrong by what its pose, its
matte and a fold of that moment are wrong by. Outlines of many frames agree on the rest: every
vertex that is on them says by how much they are beyond it, and a smooth field along the normals
follows what most of them say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.avatar.field import smooth_field
from vitruvian.body.fit.clothes import Clothes
from vitruvian.body.fit.contour import extract_outline, match_outline, model_edges
from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.adjacency import neighbors_of_edges
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rotations import matrix_from_axis_angle, transformed
from vitruvian.geometry.stretch import areas_around
from vitruvian.types.avatar import Avatar
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.motion import Motion

MOST_LOOKS = 40  # frames that are asked
_ROUNDS = 6  # of weighing what agrees
_DOUBT_M = 0.012  # away from the others, at which what a frame says counts half
_STIFFNESS = 8.0  # of the field, relative to what one frame says of one vertex
_AT_REST = 0.005  # weight of staying
_ITERATIONS = 60
_MOST_M = 0.035


@dataclass(frozen=True, eq=False)
class Look:
    """Somebody's outline at one time of their motion.

    Attributes:
        time: of the motion.
        alpha: their matte.
        camera: that took it.
        place: (4, 4) from the motion's frame to the camera's; None where they are the same.
    """

    time: int
    alpha: Alpha
    camera: Camera
    place: np.ndarray | None


def with_girth(
    model: BodyModel, avatar: Avatar, clothes: Clothes, motion: Motion, looks: Sequence[Look]
) -> Avatar:
    """An avatar moved along its normals to where the outlines of many frames are.

    Hands and the face keep their shape.

    Args:
        model: of the body.
        avatar: of the person.
        clothes: the avatar's, as ``clothes_of`` finds them.
        motion: of the person.
        looks: what is asked.
    """
    count = clothes.count
    vertices, gaps = _gaps(model, clothes, motion, looks)
    if not len(vertices):
        return avatar
    regions = model.regions
    normals = vertex_normals(avatar.mesh.vertices[:count], model.faces)
    area = areas_around(avatar.mesh.vertices[:count], model.faces)
    around = neighbors_of_edges(regions.edges, count)
    stiffness = np.full(len(around.members), _STIFFNESS, np.float32)
    follow = 1 - np.maximum(regions.hand, regions.face)
    follow[model.components > 0] = 0
    axis = np.tile(np.array([1, 0, 0], np.float32), (count, 1))  # the field has but one component
    field = np.zeros((count, 3), np.float32)
    for _ in range(_ROUNDS):
        away = (gaps - field[vertices, 0]) / _DOUBT_M
        weights = follow[vertices] / (1 + np.square(away))
        total = np.bincount(vertices, weights, count)
        mean = np.bincount(vertices, weights * gaps, count) / np.maximum(total, 1e-6)
        both = np.column_stack([total, _AT_REST * area])
        field = smooth_field(
            mean[:, None] * axis, axis, both, around, stiffness, field, iterations=_ITERATIONS
        )
    along = field[:, 0] * follow
    moved = avatar.mesh.vertices.copy()
    moved[:count] += np.clip(along, -_MOST_M, _MOST_M)[:, None] * normals
    return replace(avatar, mesh=replace(avatar.mesh, vertices=moved))


def _gaps(
    model: BodyModel, clothes: Clothes, motion: Motion, looks: Sequence[Look]
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N,) of the body that were on an outline, and how far (N,) metres that was beyond
    them."""
    edges = model_edges(model)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for look in looks:
        outline = extract_outline(look.alpha, look.camera)
        if outline is None:
            continue
        turns = matrix_from_axis_angle(motion.pose[look.time])
        posed = clothes.posed(turns, motion.translation[look.time])
        posed = transformed(posed, look.place).astype(np.float32)
        targets = match_outline(
            outline, posed, model.faces, edges, first_round=False, shown=clothes.faces
        )
        if targets is None:
            continue
        points = posed[targets.vertices]
        beyond = targets.rays - points[:, :2] / points[:, 2:]
        # Outlines run through the middle of the outermost pixels.
        beyond_px = (beyond * targets.normals).sum(1) * outline.camera.focal_px + 0.5
        gap = beyond_px * points[:, 2] / outline.camera.focal_px
        found.append((targets.vertices, gap))
    if not found:
        return np.zeros(0, int), np.zeros(0)
    vertices, gaps = zip(*found, strict=True)
    return np.concatenate(vertices), np.concatenate(gaps)
