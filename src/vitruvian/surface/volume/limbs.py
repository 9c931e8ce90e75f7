"""Cutting a volume open where a limb only touches what it lies against.

A field has no memory of which voxel belongs to what: an arm that hangs against the trunk becomes
one lump with it, and a web when it is raised. Here every voxel near a forearm or hand takes the
part of the nearest point of the body, and a film of voxels between the arm and everything that is
not that arm is emptied, by so little that the two surfaces all but touch. Legs are parted from each
other in the same way, unless cloth spans the room between them, as a skirt does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.skeleton import LEFT, RIGHT
from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import nearest_members
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.envelope.inflate import merge_close
from vitruvian.surface.finish.skin_transfer import nearest_vertices
from vitruvian.surface.volume.field import RayGrid
from vitruvian.surface.volume.separation import crumbs_of, empty_film
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG

# Numbers of limbs that are cut free; ``SHOULDER`` is the rest of an arm, which is not.
BODY, SHOULDER, ARM_L, ARM_R, LEG_L, LEG_R, UNKNOWN = range(7)
_LOOSE_M = 0.025  # beside the fitted body: what spans the room between legs is cloth
_SKIRT_ROWS = 0.35  # share of the rows between two legs from which on it does in a skirt
_SAMPLE_M = 0.012
_SIGN_M = 0.02
_RING = 24  # vertices of the body around a place that stand for it


@dataclass(frozen=True)
class _Limb:
    """A limb: its number, the region and the joints (upper, middle, end) it is made of, from where
    on along the upper bone it is cut, and how far from its bones anything can be its (metres)."""

    label: int
    region: int
    joints: tuple[str, str, str]
    start: float
    reach_m: float


_LIMBS = {
    ARM_L: _Limb(ARM_L, LEFT_ARM, skeleton.ARMS[LEFT], 0.3, 0.12),
    ARM_R: _Limb(ARM_R, RIGHT_ARM, skeleton.ARMS[RIGHT], 0.3, 0.12),
    LEG_L: _Limb(LEG_L, LEFT_LEG, skeleton.LEGS[LEFT], 0.3, 0.15),
    LEG_R: _Limb(LEG_R, RIGHT_LEG, skeleton.LEGS[RIGHT], 0.3, 0.15),
}
# Which vertices of the body a point of a limb may lie over, as bits.
_BITS = {BODY: 1, SHOULDER: 1, ARM_L: 2, ARM_R: 4, LEG_L: 8, LEG_R: 16}
_MAY = {BODY: 1 | 8 | 16, ARM_L: 2, ARM_R: 4, LEG_L: 1 | 8, LEG_R: 1 | 16}


@lru_cache(maxsize=4)
def limb_of_vertex(model: ParametricModel) -> np.ndarray:
    """(V,) uint8: ``ARM_L`` to ``LEG_R`` where a limb is cut free, ``SHOULDER``, else ``BODY``."""
    regions = model.regions
    out = np.full(len(model.template), BODY, np.uint8)
    for limb in _LIMBS.values():
        upper, middle = (model.joint_template[model.joint_index[n]] for n in limb.joints[:2])
        axis = middle - upper
        along = (model.template - upper) @ axis / (axis @ axis)
        mine = regions.part == limb.region
        if limb.label in (ARM_L, ARM_R):
            out[mine] = SHOULDER
        out[mine & (along > limb.start)] = limb.label
    return out


def bits_of_vertices(model: ParametricModel) -> np.ndarray:
    """(V,) uint8 for ``attach.nearest_vertices``: groups of the body's vertices."""
    table = np.zeros(UNKNOWN + 1, np.uint8)
    for label, bits in _BITS.items():
        table[label] = bits
    return table[limb_of_vertex(model)]


def bits_of_points(limbs: np.ndarray) -> np.ndarray:
    """(N,) uint8, likewise: groups that points of limbs (N,) may lie over."""
    table = np.full(UNKNOWN + 1, _MAY[BODY], np.uint8)
    for label, bits in _MAY.items():
        table[label] = bits
    return table[limbs]


@lru_cache(maxsize=4)
def _sample_vertices(model: ParametricModel) -> np.ndarray:
    """Indices of vertices some 12 mm apart: hands alone have thousands."""
    template = model.template
    number, count = merge_close(template, _SAMPLE_M)
    first = np.full(count, len(template), np.int64)
    np.minimum.at(first, number, np.arange(len(template)))
    return first


@lru_cache(maxsize=16)
def _bone_rings(model: ParametricModel, label: int) -> tuple[np.ndarray, ...]:
    """Vertices around four places along a limb: where it begins, its two joints, its tip."""
    limb = _LIMBS[label]
    members = np.flatnonzero(limb_of_vertex(model) == label)
    points = model.template[members]
    upper, middle, end = (model.joint_template[model.joint_index[n]] for n in limb.joints)
    start = upper + limb.start * (middle - upper)
    tip = points[points[:, 2].argmax()]  # of the toes
    if label in (ARM_L, ARM_R):
        tip = points[np.abs(points[:, 0]).argmax()]  # of the fingers
    return tuple(
        nearest_members(model.template, members, place, _RING)
        for place in (start, middle, end, tip)
    )


@kernel(
    "int64(float32[:,:,:],float64[:,:,::1],float64,float64,float64,float64,float64,float64,int64[::1],"
    "int32[:,::1],float32[:,::1])"
)
def _collect(
    field: np.ndarray,
    lines: np.ndarray,
    reach: float,
    focal: float,
    cx: float,
    cy: float,
    near: float,
    step: float,
    start: np.ndarray,
    indices: np.ndarray,
    points: np.ndarray,
) -> int:
    """Voxels inside that lie within ``reach`` of every polyline, and where; returns how many."""
    height, width, depth = field.shape
    count = 0
    for y in range(height):
        for x in range(width):
            for k in range(depth):
                if field[y, x, k] <= 0:
                    continue
                pz = near + (k + start[2]) * step
                px = (x + start[1] + 0.5 - cx) / focal * pz
                py = (y + start[0] + 0.5 - cy) / focal * pz
                close = True
                for line in range(lines.shape[0]):
                    best = np.inf
                    for s in range(lines.shape[1] - 1):
                        ax, ay, az = lines[line, s, 0], lines[line, s, 1], lines[line, s, 2]
                        dx = lines[line, s + 1, 0] - ax
                        dy = lines[line, s + 1, 1] - ay
                        dz = lines[line, s + 1, 2] - az
                        along = (px - ax) * dx + (py - ay) * dy + (pz - az) * dz
                        along = min(max(along / (dx * dx + dy * dy + dz * dz + 1e-12), 0.0), 1.0)
                        ox, oy, oz = (
                            px - ax - along * dx,
                            py - ay - along * dy,
                            pz - az - along * dz,
                        )
                        best = min(best, ox * ox + oy * oy + oz * oz)
                    close = close and best < reach * reach
                if close:
                    indices[count, 0], indices[count, 1], indices[count, 2] = y, x, k
                    points[count, 0], points[count, 1], points[count, 2] = px, py, pz
                    count += 1
    return count


def _near_limbs(
    model: ParametricModel,
    field: np.ndarray,
    grid: RayGrid,
    box: tuple[slice, ...],
    vertices: np.ndarray,
    labels: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Indices (N, 3) within a box, and places (N, 3), of voxels inside near all of some limbs."""
    lines = np.stack(
        [[vertices[ring].mean(0) for ring in _bone_rings(model, label)] for label in labels]
    ).astype(np.float64)
    part = field[box]
    most = int(np.count_nonzero(part > 0))
    indices, points = np.empty((most, 3), np.int32), np.empty((most, 3), np.float32)
    cx, cy = grid.camera.principal_point
    start = np.array([side.start for side in box], np.int64)
    reach = max(_LIMBS[label].reach_m for label in labels)
    count = _collect(
        part, lines, reach, grid.camera.focal_px, cx, cy, grid.near_m, grid.step_m, start,
        indices, points,
    )  # fmt: skip
    return indices[:count], points[:count]


def signed_distance(
    model: ParametricModel, points: np.ndarray, body: Mesh, normals: np.ndarray, member: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance (N,) to the vertices that are ``member`` (V,), and the nearest ones (N,).

    Negative behind the nearest vertex's tangent plane.
    """
    chosen = _sample_vertices(model)
    chosen = chosen[member[chosen]]
    vertices = body.vertices[chosen]
    nowhere = np.zeros_like(points), np.zeros_like(vertices)
    nearest = chosen[nearest_vertices(points, nowhere[0], vertices, nowhere[1], turned_m=0.0)]
    offset = points - body.vertices[nearest]
    side = np.einsum("nc,nc->n", offset, normals[nearest])
    return np.copysign(np.linalg.norm(offset, axis=1), side), nearest


def part_limbs(
    model: ParametricModel, field: np.ndarray, grid: RayGrid, body: Mesh, fitted: Mesh
) -> tuple[np.ndarray, np.ndarray]:
    """Empty, in place, the film between each limb and what it only touches.

    Signed distances decide what belongs to a limb, so that what is inside the trunk is the
    trunk's, however close a hand lies.

    Args:
        model: the body model.
        field: (H, W, D) float32 of ``grid``, positive inside.
        grid: of the field.
        body: in the body model's topology, camera frame, as thick as its clothes.
        fitted: likewise, bare.

    Returns:
        (H, W, D) uint8: 1 where it must stay empty; (H, W, D) uint8: ``ARM_L`` to ``LEG_R`` at the
        inside voxels of a limb, else 0.
    """
    limbs, normals = limb_of_vertex(model), vertex_normals(body.vertices, body.faces)
    film, owner = np.zeros(field.shape, np.uint8), np.zeros(field.shape, np.uint8)
    for label in (ARM_L, ARM_R):
        box = _box(model, body.vertices, grid, (label,))
        if box is None:
            continue
        inside, points = _near_limbs(model, field, grid, box, body.vertices, (label,))
        own, _ = signed_distance(model, points, body, normals, limbs == label)
        other, nearest = signed_distance(model, points, body, normals, limbs != label)
        of = np.full(field[box].shape, UNKNOWN, np.uint8)
        # The arm is cut off above: far from it, the sign of its distance means nothing.
        mine = (own < other) & (np.abs(own) < np.abs(other) + _SIGN_M)
        of[tuple(inside.T)] = np.where(mine, label, limbs[nearest])
        of[crumbs_of(of == label)] = BODY
        rest = (field[box] > 0) & (of != label) & (of != SHOULDER)
        empty_film(field[box], film[box], of == label, rest)
        owner[box][of == label] = label
    box = _box(model, body.vertices, grid, (LEG_L, LEG_R))
    if box is not None:
        inside, points = _near_limbs(model, field, grid, box, body.vertices, (LEG_L, LEG_R))
        near = owner[box][tuple(inside.T)] == 0
        inside, points = inside[near], points[near]
        if _is_skirt(inside, _loose(grid, fitted)[box[:2]]):
            return film, owner
        left, right = (
            signed_distance(model, points, body, normals, limbs == label)[0]
            for label in (LEG_L, LEG_R)
        )
        of = np.zeros(field[box].shape, np.uint8)
        of[tuple(inside.T)] = np.where(left < right, LEG_L, LEG_R)
        crumbs = crumbs_of(of == LEG_L), crumbs_of(of == LEG_R)
        of[crumbs[0]], of[crumbs[1]] = LEG_R, LEG_L
        empty_film(field[box], film[box], of == LEG_L, of == LEG_R)
        owner[box] = np.where(of > 0, of, owner[box])
    return film, owner


def _is_skirt(between: np.ndarray, loose: np.ndarray) -> bool:
    """Whether cloth spans the room between the legs in most rows of the picture.

    Args:
        between: (N, 3) indices of voxels inside that are near both legs.
        loose: (H, W) bool, pixels away from the bare body.
    """
    rows, spanned = np.zeros(len(loose), bool), np.zeros(len(loose), bool)
    rows[between[:, 0]] = True
    spanned[between[loose[tuple(between[:, :2].T)], 0]] = True
    return bool(spanned.sum() > _SKIRT_ROWS * rows.sum())


def _loose(grid: RayGrid, fitted: Mesh) -> np.ndarray:
    """(H, W) bool, pixels of the grid away from the bare body."""
    camera = grid.camera
    mask = rasterize(
        camera.project(fitted.vertices),
        fitted.vertices[:, 2],
        fitted.faces,
        camera.width,
        camera.height,
    ).mask
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(away * grid.step_m > _LOOSE_M)


@kernel("void(float32[:,::1],float32[:,:,::1],uint8[:,:,::1],uint8[::1])")
def _ask_cells(vertices: np.ndarray, field: np.ndarray, owner: np.ndarray, out: np.ndarray) -> None:
    # A vertex on the border of two cells (where the field is exactly 0) is in both.
    for v in range(len(vertices)):
        y0, y1 = int(np.ceil(vertices[v, 0])) - 1, int(vertices[v, 0]) + 1
        x0, x1 = int(np.ceil(vertices[v, 1])) - 1, int(vertices[v, 1]) + 1
        z0, z1 = int(np.ceil(vertices[v, 2])) - 1, int(vertices[v, 2]) + 1
        for y in range(max(y0, 0), y1 + 1):
            for x in range(max(x0, 0), x1 + 1):
                for z in range(max(z0, 0), z1 + 1):
                    if field[y, x, z] > 0:
                        out[v] = max(out[v], owner[y, x, z])


def limb_of_net(vertices: np.ndarray, field: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Whose (V,) uint8 the vertices of a surface net are, by the inside voxels of their cells.

    Args:
        vertices: (V, 3) in grid coordinates.
        field: that they were taken from.
        owner: as from ``part_limbs``.
    """
    out = np.zeros(len(vertices), np.uint8)
    _ask_cells(vertices, field, owner, out)
    return out


def _box(
    model: ParametricModel, vertices: np.ndarray, grid: RayGrid, labels: tuple[int, ...]
) -> tuple[slice, ...] | None:
    """The part of the grid that holds everything near some limbs, and two voxels more."""
    points = vertices[np.isin(limb_of_vertex(model), labels)]
    pixels = grid.camera.project(points)
    reach = max(_LIMBS[label].reach_m for label in labels) / grid.step_m + 2
    slices = (points[:, 2] - grid.near_m) / grid.step_m
    low = np.array([*pixels.min(0)[::-1], slices.min()]) - reach
    high = np.array([*pixels.max(0)[::-1], slices.max()]) + reach
    shape = grid.camera.height, grid.camera.width, grid.slices
    first = np.clip(np.floor(low).astype(int), 0, shape)
    last = np.clip(np.ceil(high).astype(int), 0, shape)
    if (last - first < 2).any():
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
