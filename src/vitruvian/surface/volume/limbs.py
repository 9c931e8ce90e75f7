"""The body's limbs that are separated from what they touch: which vertices are whose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.skeleton import LEFT, RIGHT
from vitruvian.geometry.adjacency import nearest_members
from vitruvian.surface.envelope.inflate import merge_close
from vitruvian.types.body import ParametricModel
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG

# Numbers of limbs that are separated; ``SHOULDER`` is the rest of an arm, which is not.
BODY, SHOULDER, ARM_L, ARM_R, LEG_L, LEG_R, UNKNOWN = range(7)
FREE = 0.3  # of the upper bone of an arm or leg, from where on it is free
_SAMPLE_M = 0.012
_SKIRT_ROWS = 0.35  # share of the rows between two legs that cloth bridges down to a hem
_RING = 24  # vertices of the body around a place that stand for it


@dataclass(frozen=True)
class Limb:
    """A limb: its number, the region and the joints (upper, middle, end) it is made of, from where
    on along the upper bone it is free, and how far from its bones anything can be its (metres)."""

    label: int
    region: int
    joints: tuple[str, str, str]
    start: float
    reach_m: float


LIMBS = {
    ARM_L: Limb(ARM_L, LEFT_ARM, skeleton.ARMS[LEFT], FREE, 0.12),
    ARM_R: Limb(ARM_R, RIGHT_ARM, skeleton.ARMS[RIGHT], FREE, 0.12),
    LEG_L: Limb(LEG_L, LEFT_LEG, skeleton.LEGS[LEFT], FREE, 0.15),
    LEG_R: Limb(LEG_R, RIGHT_LEG, skeleton.LEGS[RIGHT], FREE, 0.15),
}
# Which vertices of the body a point of a limb may lie over, as bits.
_BITS = {BODY: 1, SHOULDER: 1, ARM_L: 2, ARM_R: 4, LEG_L: 8, LEG_R: 16}
_MAY = {BODY: 1 | 8 | 16, ARM_L: 2, ARM_R: 4, LEG_L: 1 | 8, LEG_R: 1 | 16}


@lru_cache(maxsize=4)
def limb_of_vertex(model: ParametricModel) -> np.ndarray:
    """(V,) uint8: ``ARM_L`` to ``LEG_R`` where a limb is free, ``SHOULDER``, else ``BODY``."""
    regions = model.regions
    out = np.full(len(model.template), BODY, np.uint8)
    for limb in LIMBS.values():
        upper, middle = (model.joint_template[model.joint_index[n]] for n in limb.joints[:2])
        axis = middle - upper
        along = (model.template - upper) @ axis / (axis @ axis)
        mine = regions.part == limb.region
        if limb.label in (ARM_L, ARM_R):
            out[mine] = SHOULDER
        out[mine & (along > limb.start)] = limb.label
    return out


@lru_cache(maxsize=4)
def along_legs(model: ParametricModel) -> np.ndarray:
    """(V,) float32: how far down a leg each of its vertices is: 0 at the hip, 1 at the knee, 2 at
    the ankle; 0 for the rest."""
    out = np.zeros(len(model.template), np.float32)
    for label in (LEG_L, LEG_R):
        limb = LIMBS[label]
        mine = model.regions.part == limb.region
        joints = [model.joint_template[model.joint_index[name]] for name in limb.joints]
        shares = []
        for upper, lower in pairwise(joints):
            axis = lower - upper
            shares.append(np.clip((model.template[mine] - upper) @ axis / (axis @ axis), 0, 1))
        out[mine] = shares[0] + shares[1]
    return out


def groups_of_vertices(model: ParametricModel) -> np.ndarray:
    """(V,) uint8 for ``skin_transfer.nearest_vertices``: groups of the body's vertices."""
    table = np.zeros(UNKNOWN + 1, np.uint8)
    for label, bits in _BITS.items():
        table[label] = bits
    return table[limb_of_vertex(model)]


def groups_of_points(limbs: np.ndarray) -> np.ndarray:
    """(N,) uint8, likewise: groups that points of limbs (N,) may lie over."""
    table = np.full(UNKNOWN + 1, _MAY[BODY], np.uint8)
    for label, bits in _MAY.items():
        table[label] = bits
    return table[limbs]


@lru_cache(maxsize=4)
def sample_vertices(model: ParametricModel) -> np.ndarray:
    """Indices of vertices some 12 mm apart: hands alone have thousands."""
    template = model.template
    number, count = merge_close(template, _SAMPLE_M)
    first = np.full(count, len(template), np.int64)
    np.minimum.at(first, number, np.arange(len(template)))
    return first


@lru_cache(maxsize=16)
def bone_rings(model: ParametricModel, label: int) -> tuple[np.ndarray, ...]:
    """Vertices around four places along a limb: where it begins, its two joints, its tip."""
    limb = LIMBS[label]
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


def to_the_hem(rows: np.ndarray, bridged: np.ndarray) -> np.ndarray:
    """(H,) bool: the rows of a picture down to the hem of a skirt or coat, if there is one.

    A hem is the lowest row that cloth bridges where it also does in enough of the rows above.

    Args:
        rows: (H,) bool, where two legs are side by side.
        bridged: (H,) bool, where cloth spans the room between them.
    """
    out = np.zeros(len(rows), bool)
    places = np.flatnonzero(rows)
    if len(places):
        share = np.cumsum(bridged[places]) / np.arange(1, len(places) + 1)
        hems = np.flatnonzero(bridged[places] & (share > _SKIRT_ROWS))
        if len(hems):
            out[: places[hems[-1]] + 1] = True
    return out
