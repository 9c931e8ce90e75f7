"""The body model's hands in place of mittens.

The volume's voxels are as wide as a finger, so that a hand comes out of it as a mitten. The fitted
body has fingers. Where a hand is free (all its own beyond the wrist, nothing held, in sight, and
where the matte says), the surface is cut off at the wrist, across the forearm, and the body's hand
sewn on: turned a little about the wrist to lie where the mitten lay, and as thick as the cut where
it begins. Else the mitten stays.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.geometry.rasterizer import covered
from vitruvian.surface.finish.giving_way import given_way
from vitruvian.surface.finish.hand_piece import (
    REACH_M,
    Hand,
    as_thick,
    border_plane,
    hand_of,
    turned,
)
from vitruvian.surface.finish.wrist_seam import Stump, any_corner, beyond_plane, cut_off, strip
from vitruvian.surface.volume.limbs import ARM_L, ARM_R
from vitruvian.surface.volume.volume import Volume
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

_LOG = logging.getLogger(__name__)

_GAP_M = 0.006  # between the cut and the hand's border, for the strip
_LEAST_MITTEN, _LEAST_JOINED = 12, 0.85  # vertices over the hand; share of them in one piece
_MOST_SHIFT_M = 0.04
_WIDEST = 3.0  # of a sleeve, in wrists
_TURNS_DEG, _FINER_DEG = (0, -14, 14), 7
_SIZES = (0.88, 1.12)  # of what the fit says
_TURN_PENALTY, _SIZE_PENALTY = 0.004, 0.3  # of intersection over union, for each degree, and for 1
_HEM_M = 0.03
_LEAST_IOU = 0.42
_HELD_M, _MOST_HELD = 0.03, 0.12  # share of the mitten that is farther than this from the hand
_OUTSIDE_M, _MOST_OUTSIDE = 0.012, 0.12  # share of the hand that is farther outside the matte
_DEEP, _MOST_DEEP = 0.3, 0.08  # in the field's truncation; share of the hand inside something else
_FINE, _PIXEL_MARGIN = 2, 6  # pixels to the voxel in which hand and mitten are compared


@dataclass(frozen=True)
class Evidence:
    """What says where hands are.

    Attributes:
        volume: that the surface was extracted from.
        alpha: the person's matte.
        camera: the photograph's.
    """

    volume: Volume
    alpha: Alpha
    camera: Camera


class _MittenStaysError(Exception):
    """Says why."""


def with_hands(
    model: ParametricModel,
    mesh: Mesh,
    limbs: np.ndarray,
    beneath: np.ndarray,
    fitted: Mesh,
    evidence: Evidence,
) -> tuple[Mesh, np.ndarray, np.ndarray]:
    """The surface with the body's hands wherever they may take the mittens' place.

    Args:
        model: the body model.
        mesh: closed and manifold, camera frame.
        limbs: (V,) uint8, which free limb each vertex is of, see ``surface_nets.owners``.
        beneath: (V,) the body vertex beneath each vertex.
        fitted: the bare body, camera frame.
        evidence: of the surface and the picture.

    Returns:
        The mesh, closed and manifold as before; the body vertex (V',) beneath each of its
        vertices; and whether a vertex is that vertex of the body's hand (V',) bool.
    """
    exact = np.zeros(len(mesh.vertices), bool)
    for label in (ARM_L, ARM_R):
        try:
            mesh, limbs, beneath, exact = _with_hand(
                model, mesh, limbs, beneath, exact, fitted, evidence, label
            )
        except _MittenStaysError as reason:
            _LOG.debug("hand %d stays a mitten: %s", label, reason)
    if not exact.any():
        return mesh, beneath, exact
    used = np.zeros(len(exact), bool)  # of the mittens nothing is left but their vertices
    used[mesh.faces] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    mesh = replace(mesh, vertices=mesh.vertices[used], faces=number[mesh.faces])
    return mesh, beneath[used], exact[used]


def _with_hand(
    model: ParametricModel,
    mesh: Mesh,
    limbs: np.ndarray,
    beneath: np.ndarray,
    exact: np.ndarray,
    fitted: Mesh,
    evidence: Evidence,
    label: int,
) -> tuple[Mesh, np.ndarray, np.ndarray, np.ndarray]:
    hand = hand_of(model, label)
    points = fitted.vertices[hand.vertices].astype(np.float64)
    if (points[:, 2] <= 0.05).any():
        raise _MittenStaysError("behind the camera")
    middle, normal = border_plane(points, hand)
    origin = middle - _GAP_M * normal
    offset = mesh.vertices - origin
    near = np.einsum("vc,vc->v", offset, offset) < REACH_M**2
    around = any_corner(near, mesh.faces)  # nothing else is looked at: most of it is elsewhere
    part = mesh.faces[around]
    mine = near & (limbs == label) & (model.regions.hand[beneath] > 0.5)
    stump = _stump(mesh.vertices, part, offset, offset @ normal, near, mine, points)
    if (limbs[part[stump.gone]] != label).any():
        raise _MittenStaysError("grown together with something else")
    _check_width(stump.vertices[stump.loop], points[hand.border])
    mitten = mesh.vertices, part[stump.gone]
    points = _placed(points, hand, stump, middle, normal, mitten, evidence.volume.grid.camera)
    _check_matte(points, evidence.alpha, evidence.camera)
    _check_room(points, evidence.volume, label)
    points = as_thick(points, hand, stump.vertices[stump.loop], normal)
    start = len(stump.vertices)
    elsewhere = limbs[stump.source] != label
    beside = given_way(stump.vertices, stump.faces, elsewhere, points.astype(np.float32))
    vertices = np.concatenate([beside, points.astype(np.float32)])
    joined = strip(vertices, stump.loop, hand.border + start)
    if joined is None:
        raise _MittenStaysError("it cannot be sewn on")
    faces = np.concatenate([mesh.faces[~around], stump.faces, joined, hand.faces + start])
    faces = faces.astype(np.int32)
    beneath = np.concatenate([beneath[stump.source], hand.vertices.astype(beneath.dtype)])
    limbs = np.concatenate([limbs[stump.source], np.full(len(points), label, np.uint8)])
    exact = np.concatenate([exact[stump.source], np.ones(len(points), bool)])
    return replace(mesh, vertices=vertices, faces=faces), limbs, beneath, exact


def _stump(
    vertices: np.ndarray,
    faces: np.ndarray,
    offset: np.ndarray,
    height: np.ndarray,
    near: np.ndarray,
    mine: np.ndarray,
    points: np.ndarray,
) -> Stump:
    """The faces around a wrist without their mitten.

    Args:
        vertices: (V, 3).
        faces: (F, 3), those around the wrist.
        offset, height: (V, 3) from a point of the plane of the cut, (V,) above it.
        near: (V,) bool, within a hand's reach.
        mine: (V,) bool, over the hand that is meant.
        points: (N, 3), that hand.
    """
    candidates = np.flatnonzero(mine & (height > 0))
    if len(candidates) < _LEAST_MITTEN:
        raise _MittenStaysError("no mitten")
    start = np.linalg.norm(vertices[candidates] - points.mean(0), axis=1).argmin()
    end = beyond_plane(faces, height, near, int(candidates[start]))
    if np.linalg.norm(offset[end], axis=1).max() > 0.9 * REACH_M:
        raise _MittenStaysError("longer than a hand")
    if end[candidates].mean() < _LEAST_JOINED:
        raise _MittenStaysError("in pieces")
    stump = cut_off(vertices, faces, height, end)
    if stump is None:
        raise _MittenStaysError("the cut is not one loop")
    return stump


def _check_width(ring: np.ndarray, wrist: np.ndarray) -> None:
    """That what was cut (L, 3) is no wider than a sleeve around the wrist (B, 3)."""
    cut, own = (np.linalg.norm(r - r.mean(0), axis=1).mean() for r in (ring, wrist))
    if cut > _WIDEST * own:
        raise _MittenStaysError(f"the cut is {cut / own:.1f} times as wide as the wrist")


def _placed(
    points: np.ndarray,
    hand: Hand,
    stump: Stump,
    middle: np.ndarray,
    normal: np.ndarray,
    mitten: tuple[np.ndarray, np.ndarray],
    window: Camera,
) -> np.ndarray:
    """The hand (N, 3) moved to the middle of the cut, and turned and sized to cover the mitten."""
    shift = _ring_middle(stump.vertices[stump.loop]) - middle
    shift -= (shift @ normal) * normal
    if np.linalg.norm(shift) > _MOST_SHIFT_M:
        raise _MittenStaysError(f"{np.linalg.norm(shift) * 100:.1f} cm beside the cut")
    points, middle = points + shift, middle + shift
    window = window.scaled(_FINE, _FINE * window.width, _FINE * window.height)
    vertices, faces = mitten
    # What is beside the wrist may be a sleeve's hem: only what is beyond is compared.
    faces = faces[((vertices[faces].mean(1) - middle) @ normal) > _HEM_M]
    palm = hand.faces[hand.along[hand.faces].mean(1) > _HEM_M]
    if len(faces) == 0:
        raise _MittenStaysError("no longer than a sleeve")
    used, local = np.unique(faces, return_inverse=True)
    local = local.reshape(-1, 3).astype(np.int32)
    corners = window.project(vertices[used])
    flat = window.project(points)
    low = np.floor(np.minimum(corners.min(0), flat.min(0))) - _PIXEL_MARGIN
    high = np.ceil(np.maximum(corners.max(0), flat.max(0))) + _PIXEL_MARGIN
    width, height = (high - low).astype(int)
    wanted = covered(corners - low, vertices[used, 2], local, width, height)

    def tried(degrees: float, size: float) -> tuple[float, float, float, float]:
        """Score and overlap, and what they are of."""
        mask = shown(degrees, size)
        overlap = float((mask & wanted).sum() / max((mask | wanted).sum(), 1))
        penalty = _TURN_PENALTY * abs(degrees) + _SIZE_PENALTY * abs(size - 1)
        return overlap - penalty, overlap, degrees, size

    def shown(degrees: float, size: float) -> np.ndarray:
        bent = turned(points, hand, middle, np.deg2rad(degrees), size)
        flat = window.project(bent) - low
        return covered(flat, bent[:, 2], palm, width, height)

    best = max(tried(degrees, 1.0) for degrees in _TURNS_DEG)
    best = max(best, *(tried(best[2] + by, 1.0) for by in (-_FINER_DEG, _FINER_DEG)))
    _, overlap, degrees, size = max(best, *(tried(best[2], size) for size in _SIZES))
    if overlap < _LEAST_IOU:
        raise _MittenStaysError(f"covers the mitten by {overlap:.2f} only")
    away = cv2.distanceTransform(
        (~shown(degrees, size)).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3
    )
    held = float((away[wanted] * middle[2] / window.focal_px > _HELD_M).mean())
    if held > _MOST_HELD:
        raise _MittenStaysError(f"{held:.0%} of the mitten is something else")
    return turned(points, hand, middle, np.deg2rad(degrees), size)


def _ring_middle(ring: np.ndarray) -> np.ndarray:
    """The middle (3,) of a closed line (L, 3), by length."""
    length = np.linalg.norm(np.roll(ring, -1, 0) - ring, axis=1)
    weight = length + np.roll(length, 1)
    return (weight @ ring) / max(float(weight.sum()), 1e-9)


def _check_matte(points: np.ndarray, alpha: Alpha, camera: Camera) -> None:
    """That the picture shows the hand where it is: in the frame and in the matte."""
    pixels = camera.project(points)
    size = np.array([alpha.width, alpha.height])
    if (pixels < 0).any() or (pixels > size).any():
        raise _MittenStaysError("out of the frame")
    low = np.floor(pixels.min(0)).astype(int) - 1
    high = np.ceil(pixels.max(0)).astype(int) + 2
    matte = alpha.window(low[0], low[1], high[0], high[1]) > 127
    pixel_m = float(np.median(points[:, 2])) / camera.focal_px
    away = cv2.distanceTransform((~matte).astype(np.uint8), cv2.DIST_L2, 3) * pixel_m
    column, row = (pixels - low).astype(int).T
    outside = float((away[row, column] > _OUTSIDE_M).mean()) if matte.any() else 1.0
    if outside > _MOST_OUTSIDE:
        raise _MittenStaysError(f"{outside:.0%} of it is outside the matte")


def _check_room(points: np.ndarray, volume: Volume, label: int) -> None:
    """That the hand is not inside the trunk, a leg or the other arm."""
    grid = volume.grid
    pixels = grid.camera.project(points)
    index = np.stack(
        [pixels[:, 1] - 0.5, pixels[:, 0] - 0.5, (points[:, 2] - grid.near_m) / grid.step_m], 1
    )
    index = np.clip(np.rint(index).astype(int), 0, np.array(volume.field.shape) - 1)
    at = tuple(index.T)
    deep = float(((volume.field[at] > _DEEP) & (volume.owner[at] != label)).mean())
    if deep > _MOST_DEEP:
        raise _MittenStaysError(f"{deep:.0%} of it is inside something else")
