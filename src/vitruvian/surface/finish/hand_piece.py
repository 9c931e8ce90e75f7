"""The body model's hand as a piece of surface: open at the wrist, bent there, fitted to a cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model.skeleton import LEFT, WRISTS, finger
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.surface.finish.simplify import simplify
from vitruvian.surface.finish.wrist_seam import simple_loop
from vitruvian.surface.volume.limbs import ARM_L, ARM_R
from vitruvian.types.body import ParametricModel
from vitruvian.types.regions import LEFT_ARM

FACES = 1000  # of each hand; the body's have three times as many
REACH_M = 0.30  # no hand is longer
_BEFORE_WRIST_M = 0.024  # of the template, so that a ring of the body's own edges is the border
_CAP_M = 5.0  # so far away that no edge of the border is cheap to collapse
_SECTION_M = 0.045  # from its border on, over which a hand bends and is made as thick as the cut
_THINNER, _THICKER = 0.85, 1.4
_SLEEVE = 1.5  # a cut so much wider than the wrist is a sleeve's, which the hand comes out of
_ANGLES = np.linspace(-np.pi, np.pi, 16, endpoint=False)


@dataclass(frozen=True)
class Hand:
    """A hand of the body model, coarser, open at the wrist.

    Attributes:
        vertices: (N,) int64 of the body's vertices.
        faces: (M, 3) int32 into ``vertices``.
        border: (B,) int32 into ``vertices``, in the order of the faces' edges.
        along: (N,) float64 metres from the border, along the hand of the template.
    """

    vertices: np.ndarray
    faces: np.ndarray
    border: np.ndarray
    along: np.ndarray


@lru_cache(maxsize=8)
def hand_of(model: ParametricModel, label: int) -> Hand:
    """The hand of ``ARM_L`` or ``ARM_R``."""
    if label == ARM_R:
        left = hand_of(model, ARM_L)
        mirrored = model.vertex_mirror[left.vertices].astype(np.int64)
        return Hand(
            mirrored,
            np.ascontiguousarray(left.faces[:, ::-1]),
            np.ascontiguousarray(left.border[::-1]),
            left.along,
        )
    wrist = model.joint_template[model.joint_index[WRISTS[LEFT]]]
    knuckle = model.joint_template[model.joint_index[finger(3, 1)[LEFT]]]
    axis = (knuckle - wrist) / np.linalg.norm(knuckle - wrist)
    height = (model.template - wrist) @ axis
    near = np.linalg.norm(model.template - wrist, axis=1) < REACH_M
    mine = near & (height > -_BEFORE_WRIST_M) & (model.regions.part == LEFT_ARM)
    used, faces = np.unique(model.faces[mine[model.faces].all(1)], return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    border = simple_loop(directed_edges(faces))
    assert border is not None  # of the package's own body
    points = model.template[used]
    # Closed by a tip far away, whose long faces hold the border where it is.
    tip = len(used)
    cap = np.stack([np.roll(border, -1), border, np.full(len(border), tip)], axis=1)
    closed = np.concatenate([points, points[border].mean(0, keepdims=True) - _CAP_M * axis])
    places, coarse, source = simplify(
        closed, np.concatenate([faces, cap]).astype(np.int32), FACES + len(border)
    )
    # Each vertex becomes the body's own that is nearest: the surface between hardly changes.
    gap = ((places[:, None] - points[None]) ** 2).sum(2)
    nearest = gap.argmin(1)
    kept = (source[coarse] != tip).all(1)
    ids, coarse = np.unique(nearest[coarse[kept]], return_inverse=True)
    number = np.zeros(len(used), np.int32)
    number[ids] = np.arange(len(ids))
    along = (points[ids] - points[border].mean(0)) @ axis
    return Hand(used[ids], coarse.reshape(-1, 3).astype(np.int32), number[border], along)


def border_plane(points: np.ndarray, hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """Middle (3,) of a hand's border and the unit normal (3,) of its plane, towards the hand."""
    ring = points[hand.border]
    middle = ring.mean(0)
    spokes = ring - middle
    normal = np.cross(spokes, np.roll(spokes, -1, 0)).sum(0)
    normal /= max(float(np.linalg.norm(normal)), 1e-9)
    return middle, np.copysign(1.0, (points.mean(0) - middle) @ normal) * normal


def turned(
    points: np.ndarray, hand: Hand, middle: np.ndarray, angle: float, size: float
) -> np.ndarray:
    """The hand larger by a factor, and bent by an angle (radians) in the picture's plane about
    the ``middle`` (3,) of its border, softly: the border does not turn."""
    share = np.clip(hand.along / _SECTION_M, 0, 1)
    by = angle * share * share * (3 - 2 * share)
    x, y, z = size * (points - middle).T
    turned_x, turned_y = np.cos(by) * x - np.sin(by) * y, np.sin(by) * x + np.cos(by) * y
    return middle + np.stack([turned_x, turned_y, z], axis=1)


def as_thick(points: np.ndarray, hand: Hand, ring: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The hand (N, 3), at its border as thick all round as the cut (L, 3), unless a sleeve's."""
    border = points[hand.border]
    middle = border.mean(0)
    first = border[0] - middle
    first = first - (first @ normal) * normal
    first /= max(float(np.linalg.norm(first)), 1e-9)
    second = np.cross(normal, first)

    def polar(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        across, up = (places - middle) @ first, (places - middle) @ second
        return np.arctan2(up, across), np.hypot(across, up)

    own = _radius_at(*polar(border))
    cut = _radius_at(*polar(ring))
    if cut.mean() > _SLEEVE * own.mean():
        return points
    ratio = np.clip(cut / np.maximum(own, 1e-6), _THINNER, _THICKER)
    ratio = sum(np.roll(ratio, k) for k in (-1, 0, 1)) / 3
    angle, _ = polar(points)
    at = np.interp(angle, _ANGLES, ratio, period=2 * np.pi)
    share = np.clip(1 - hand.along / _SECTION_M, 0, 1)
    grow = (at - 1) * share * share * (3 - 2 * share)
    axial = ((points - middle) @ normal)[:, None] * normal
    return points + grow[:, None] * (points - middle - axial)


def _radius_at(angle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Radii (16,) at ``_ANGLES`` of a ring by angle (L,) and radius (L,)."""
    return np.interp(_ANGLES, angle, radius, period=2 * np.pi)
