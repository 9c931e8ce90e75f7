"""Cutting a volume open where a limb only touches what it lies against.

A field has no memory of which voxel belongs to what: an arm that hangs against the trunk becomes
one lump with it, and a web when it is raised. Here every voxel near a forearm or hand takes the
part of the nearest point of the body, and a gap of voxels between the arm and everything that is
not that arm is emptied, by so little that the two surfaces all but touch. Legs are separated from
each other in the same way, unless cloth spans the room between them, as a skirt does. Where exactly
the two surfaces run, between voxels, is told beside (``wall``).
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import covered
from vitruvian.surface.finish.skin_transfer import nearest_vertices
from vitruvian.surface.volume.gap import dilated, gap_between, small_components
from vitruvian.surface.volume.limbs import (
    ARM_L,
    ARM_R,
    BODY,
    LEG_L,
    LEG_R,
    LIMBS,
    SHOULDER,
    UNKNOWN,
    along_legs,
    bone_rings,
    limb_of_vertex,
    sample_vertices,
    to_the_hem,
)
from vitruvian.surface.volume.volume import GAP_VALUE, RayGrid, Volume
from vitruvian.surface.volume.wall import smooth_wall
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh

_LOOSE_M = 0.025  # beside the fitted body: what spans the room between legs is cloth
_SIGN_M = 0.02
_DISC_M = 0.008  # radius of what a vertex stands for


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
        [[vertices[ring].mean(0) for ring in bone_rings(model, label)] for label in labels]
    ).astype(np.float64)
    part = field[box]
    most = int(np.count_nonzero(part > 0))
    indices, points = np.empty((most, 3), np.int32), np.empty((most, 3), np.float32)
    cx, cy = grid.camera.principal_point
    start = np.array([side.start for side in box], np.int64)
    reach = max(LIMBS[label].reach_m for label in labels)
    count = _collect(
        part, lines, reach, grid.camera.focal_px, cx, cy, grid.near_m, grid.step_m, start,
        indices, points,
    )  # fmt: skip
    return indices[:count], points[:count]


def signed_distance(
    model: ParametricModel, points: np.ndarray, body: Mesh, normals: np.ndarray, member: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance (N,) to the vertices that are ``member`` (V,), and the nearest ones (N,).

    A vertex stands for a disc in its tangent plane, as large as vertices are apart; the distance is
    negative behind it.
    """
    chosen = sample_vertices(model)
    chosen = chosen[member[chosen]]
    vertices = body.vertices[chosen]
    nowhere = np.zeros_like(points), np.zeros_like(vertices)
    nearest = chosen[nearest_vertices(points, nowhere[0], vertices, nowhere[1], turned_m=0.0)]
    offset = points - body.vertices[nearest]
    side = np.einsum("nc,nc->n", offset, normals[nearest])
    across = np.sqrt(np.maximum(np.einsum("nc,nc->n", offset, offset) - side**2, 0))
    distance = np.hypot(side, np.maximum(across - _DISC_M, 0))
    return np.copysign(distance, side), nearest


def separated(
    model: ParametricModel,
    volume: Volume,
    body: Mesh,
    fitted: Mesh,
    joined: float | None = None,
) -> Volume:
    """The volume with a gap between each limb and what it only touches, and its voxels' owners.

    Signed distances decide what belongs to a limb, so that what is inside the trunk is the
    trunk's, however close a hand lies.

    Args:
        model: the body model.
        volume: in one piece.
        body: in the body model's topology, camera frame, as thick as its clothes.
        fitted: likewise, bare.
        joined: how far down the legs cloth joins them, see ``joined_legs``; by default down to the
            hem of what spans the room between them beside the body.
    """
    limbs, normals = limb_of_vertex(model), vertex_normals(body.vertices, body.faces)
    grid = volume.grid
    out = volume.copied()
    for label in (ARM_L, ARM_R):
        box = _box(model, body.vertices, grid, (label,))
        if box is None:
            continue
        inside, points = _near_limbs(model, out.field, grid, box, body.vertices, (label,))
        own, _ = signed_distance(model, points, body, normals, limbs == label)
        other, nearest = signed_distance(model, points, body, normals, limbs != label)
        of = np.full(out.field[box].shape, UNKNOWN, np.uint8)
        # The arm is cut off above: far from it, the sign of its distance means nothing.
        beyond = np.maximum(own - other, np.abs(own) - np.abs(other) - _SIGN_M)
        wall = smooth_wall(beyond / grid.step_m, inside, of.shape)
        mine = wall[tuple(inside.T)] < 0
        of[tuple(inside.T)] = np.where(mine, label, limbs[nearest])
        of[small_components(of == label)] = BODY
        _open(out, box, wall, of == label, (of != label) & (of != SHOULDER))
        out.owner[box][of == label] = label
    box = _box(model, body.vertices, grid, (LEG_L, LEG_R))
    if box is None:
        return out
    inside, points = _near_limbs(model, out.field, grid, box, body.vertices, (LEG_L, LEG_R))
    near = out.owner[box][tuple(inside.T)] == 0
    inside, points = inside[near], points[near]
    (left, over_l), (right, over_r) = (
        signed_distance(model, points, body, normals, limbs == label) for label in (LEG_L, LEG_R)
    )
    # Cloth down to a hem is one piece; below it, the legs are two.
    if joined is None:
        below = ~_within_skirt(inside, _loose(grid, fitted)[box[:2]])
    else:
        below = along_legs(model)[np.where(left < right, over_l, over_r)] > joined
    if not below.any():
        return out
    inside, left, right = inside[below], left[below], right[below]
    of = np.zeros(out.field[box].shape, np.uint8)
    wall = smooth_wall((left - right) / grid.step_m, inside, of.shape)
    of[tuple(inside.T)] = np.where(wall[tuple(inside.T)] < 0, LEG_L, LEG_R)
    small = small_components(of == LEG_L), small_components(of == LEG_R)
    of[small[0]], of[small[1]] = LEG_R, LEG_L
    _open(out, box, wall, of == LEG_L, of == LEG_R)
    out.owner[box] = np.where(of > 0, of, out.owner[box])
    return out


def _open(
    volume: Volume, box: tuple[slice, ...], wall: np.ndarray, own: np.ndarray, rest: np.ndarray
) -> None:
    """Empty the gap between two parts of a box, in a volume that is still being made; ``wall``
    tells where between them it runs."""
    gap, kept_empty = gap_between(volume.field[box] > 0, own, rest)
    volume.field[box][gap] = GAP_VALUE
    volume.gap[box] |= gap
    volume.kept_empty[box] |= kept_empty
    beside = dilated(gap, 2)
    volume.wall[box][beside] = wall[beside]


def _within_skirt(between: np.ndarray, loose: np.ndarray) -> np.ndarray:
    """Which voxels (N,) bool lie in rows that a skirt or coat covers.

    Args:
        between: (N, 3) indices of voxels inside that are near both legs.
        loose: (H, W) bool, pixels away from the bare body.
    """
    rows, spanned = np.zeros(len(loose), bool), np.zeros(len(loose), bool)
    rows[between[:, 0]] = True
    spanned[between[loose[tuple(between[:, :2].T)], 0]] = True
    return np.asarray(to_the_hem(rows, spanned)[between[:, 0]])


def _loose(grid: RayGrid, fitted: Mesh) -> np.ndarray:
    """(H, W) bool, pixels of the grid away from the bare body."""
    camera = grid.camera
    mask = covered(
        camera.project(fitted.vertices),
        fitted.vertices[:, 2],
        fitted.faces,
        camera.width,
        camera.height,
    )
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(away * grid.step_m > _LOOSE_M)


def _box(
    model: ParametricModel, vertices: np.ndarray, grid: RayGrid, labels: tuple[int, ...]
) -> tuple[slice, ...] | None:
    """The part of the grid that holds everything near some limbs, and two voxels more."""
    points = vertices[np.isin(limb_of_vertex(model), labels)]
    pixels = grid.camera.project(points)
    reach = max(LIMBS[label].reach_m for label in labels) / grid.step_m + 2
    slices = (points[:, 2] - grid.near_m) / grid.step_m
    low = np.array([*pixels.min(0)[::-1], slices.min()]) - reach
    high = np.array([*pixels.max(0)[::-1], slices.max()]) + reach
    shape = grid.camera.height, grid.camera.width, grid.slices
    first = np.clip(np.floor(low).astype(int), 0, shape)
    last = np.clip(np.ceil(high).astype(int), 0, shape)
    if (last - first < 2).any():
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
