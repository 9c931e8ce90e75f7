"""Cutting a volume open where an arm only touches what it lies against.

A field has no memory of which voxel belongs to what: an arm that hangs against the trunk becomes
one lump with it, and a web when it is raised. Here every voxel near a forearm or hand takes the
part of the nearest point of the body, and a film of voxels between the arm and everything that is
not that arm is emptied, by so little that the two surfaces all but touch.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numba
import numpy as np

from vitruvian.body.model import body_model
from vitruvian.body.regions import LEFT_ARM, RIGHT_ARM, body_regions
from vitruvian.geometry.mesh import Mesh
from vitruvian.surface.attach import nearest_vertices
from vitruvian.surface.field import RayGrid
from vitruvian.surface.nets import FILM
from vitruvian.surface.swell import merge_close

_NEAR_BONES_M = 0.11  # around an arm's bones; beyond, nothing can be the arm's
_REACH_M = 0.13  # around its skin: a box that holds all of that
_FROM_SHOULDER = 0.4  # of the upper arm, from where on it is cut free
BODY, SHOULDER, LEFT, RIGHT, UNKNOWN = range(5)


@lru_cache(maxsize=1)
def limb_of_vertex() -> np.ndarray:
    """(V,) uint8: ``LEFT`` or ``RIGHT`` free arm, ``SHOULDER`` the rest of it, else ``BODY``."""
    model, regions = body_model(), body_regions()
    out = np.full(len(model.template), BODY, np.uint8)
    for part, label, side in ((LEFT_ARM, LEFT, "L"), (RIGHT_ARM, RIGHT, "R")):
        shoulder = model.joint_template[model.joint_index[f"upperarm01.{side}"]]
        elbow = model.joint_template[model.joint_index[f"lowerarm01.{side}"]]
        axis = elbow - shoulder
        along = (model.template - shoulder) @ axis / (axis @ axis)
        out[regions.part == part] = SHOULDER
        out[(regions.part == part) & (along > _FROM_SHOULDER)] = label
    return out


@lru_cache(maxsize=1)
def _sample_vertices() -> np.ndarray:
    """Indices of vertices some 12 mm apart: hands alone have thousands."""
    template = body_model().template
    number, count = merge_close(template, 0.012)
    first = np.full(count, len(template), np.int64)
    np.minimum.at(first, number, np.arange(len(template)))
    return first


@lru_cache(maxsize=2)
def _bone_rings(label: int) -> tuple[np.ndarray, ...]:
    """Vertices around four places along a free arm: its upper end, elbow, wrist, finger tips."""
    model = body_model()
    side = "L" if label == LEFT else "R"
    members = np.flatnonzero(limb_of_vertex() == label)
    points = model.template[members]
    rings = []
    places = [
        model.joint_template[model.joint_index[f"{j}.{side}"]] for j in ("lowerarm01", "wrist")
    ]
    shoulder = model.joint_template[model.joint_index[f"upperarm01.{side}"]]
    start = shoulder + _FROM_SHOULDER * (places[0] - shoulder)
    tip = points[np.abs(points[:, 0]).argmax()]
    for place in (start, *places, tip):
        distance = np.linalg.norm(points - place, axis=1)
        rings.append(members[np.argsort(distance)[:24]])
    return tuple(rings)


def _bones(vertices: np.ndarray, label: int) -> np.ndarray:
    """(4, 3) points of a polyline through a free arm."""
    return np.stack([vertices[ring].mean(0) for ring in _bone_rings(label)])


def _near_bones(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """(N,) bool, which points lie near a polyline."""
    near = np.zeros(len(points), bool)
    for a, b in pairwise(line):
        along = b - a
        t = np.clip((points - a) @ along / (along @ along), 0, 1)
        offset = points - a - t[:, None] * along
        near |= np.einsum("nc,nc->n", offset, offset) < _NEAR_BONES_M**2
    return near


def limb_of_points(points: np.ndarray, body: Mesh) -> np.ndarray:
    """Which limb (N,) uint8 of the body each point (N, 3) belongs to.

    That with the least signed distance, so that what is inside the trunk is the trunk's, however
    close a hand lies. The sign is that of the side of the nearest vertex's tangent plane.
    """
    chosen = _sample_vertices()
    limbs = limb_of_vertex()[chosen]
    vertices, normals = body.vertices[chosen], body.vertex_normals()[chosen]
    out = np.full(len(points), UNKNOWN, np.uint8)
    for label in (LEFT, RIGHT):
        near = np.flatnonzero(_near_bones(points, _bones(body.vertices, label)))
        if len(near) == 0:
            continue
        at = points[near]
        arm, rest = (
            _signed_distance(at, vertices, normals, limbs == label, wanted)
            for wanted in (True, False)
        )
        out[near] = np.where(arm[0] < rest[0], label, limbs[rest[1]])
    return out


def _signed_distance(
    points: np.ndarray, vertices: np.ndarray, normals: np.ndarray, member: np.ndarray, wanted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance (N,) to the vertices whose ``member`` is ``wanted``, and the nearest (N,)."""
    nearest = nearest_vertices(
        points,
        np.zeros_like(points),
        vertices,
        np.zeros_like(vertices),
        groups=np.full(len(points), wanted, np.uint8),
        body_groups=member.astype(np.uint8),
        turned_m=0.0,
    )
    offset = points - vertices[nearest]
    side = np.einsum("nc,nc->n", offset, normals[nearest])
    return np.copysign(np.linalg.norm(offset, axis=1), side), nearest


def part_limbs(field: np.ndarray, grid: RayGrid, body: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Empty, in place, the film between each free arm and everything else, and tell whose is what.

    Args:
        field: (H, W, D) float32 of ``grid``, positive inside.
        grid: of the field.
        body: in the body model's topology, camera frame.

    Returns:
        (H, W, D) uint8: 1 where it must stay empty; (H, W, D) uint8: ``LEFT`` and ``RIGHT`` at the
        inside voxels of a free arm, else 0.
    """
    limbs = limb_of_vertex()
    film, owner = np.zeros(field.shape, np.uint8), np.zeros(field.shape, np.uint8)
    for label in (LEFT, RIGHT):
        box = _box(body.vertices[limbs == label], grid)
        if box is None:
            continue
        part = field[box]
        inside = np.argwhere(part > 0)
        points = grid.points(inside + np.array([side.start for side in box]))
        near = _near_bones(points, _bones(body.vertices, label))
        inside, points = inside[near], points[near]
        if len(inside) == 0:
            continue
        of = np.full(part.shape, UNKNOWN, np.uint8)
        of[tuple(inside.T)] = limb_of_points(points, body)
        _empty_film(part, film[box], of, label)
        owner[box][of == label] = label
    return film, owner


@numba.njit(
    "void(float32[:,::1],float32[:,:,::1],uint8[:,:,::1],uint8[::1])", cache=True, nogil=True
)
def _ask_cells(vertices: np.ndarray, field: np.ndarray, owner: np.ndarray, out: np.ndarray) -> None:
    for v in range(len(vertices)):
        y, x, z = int(vertices[v, 0]), int(vertices[v, 1]), int(vertices[v, 2])
        for a in range(2):
            for b in range(2):
                for c in range(2):
                    if field[y + a, x + b, z + c] > 0:
                        out[v] = max(out[v], owner[y + a, x + b, z + c])


def limb_of_net(vertices: np.ndarray, field: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Whose (V,) uint8 the vertices of a surface net are, by the inside voxels of their cells.

    Args:
        vertices: (V, 3) in grid coordinates; field: that they were taken from.
        owner: as from ``part_limbs``.
    """
    out = np.zeros(len(vertices), np.uint8)
    _ask_cells(vertices, field, owner, out)
    return out


def _empty_film(part: np.ndarray, film: np.ndarray, of: np.ndarray, arm: int) -> None:
    """Empty the voxels of other parts that touch the arm, corners included.

    What is outside between the two is marked as well, so that it stays so.
    """
    inside = part > 0
    is_arm = inside & (of == arm)
    rest = inside & (of != arm) & (of != SHOULDER)
    between = rest & _widened(is_arm, 1)
    part[between] = FILM
    film[between | (~inside & _widened(is_arm, 2) & _widened(rest, 2))] = 1


def _widened(mask: np.ndarray, voxels: int) -> np.ndarray:
    """A volume's mask dilated by a cube."""
    out = np.pad(mask, voxels)
    for axis in range(3):
        once = out
        for shift in range(1, voxels + 1):
            once = once | np.roll(out, shift, axis) | np.roll(out, -shift, axis)
        out = once
    inner = slice(voxels, -voxels)
    return out[inner, inner, inner]


def _box(arm: np.ndarray, grid: RayGrid) -> tuple[slice, ...] | None:
    """The part of the grid around an arm."""
    pixels = grid.camera.project(arm)
    reach = _REACH_M / grid.step_m
    low = np.array([*(pixels.min(0)[::-1] - reach), (arm[:, 2].min() - grid.near_m) / grid.step_m])
    high = np.array([*(pixels.max(0)[::-1] + reach), (arm[:, 2].max() - grid.near_m) / grid.step_m])
    low[2] -= reach
    high[2] += reach
    shape = grid.camera.height, grid.camera.width, grid.slices
    first = np.clip(np.floor(low).astype(int), 0, shape)
    last = np.clip(np.ceil(high).astype(int), 0, shape)
    if (last - first < 2).any():
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
