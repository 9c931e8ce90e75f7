"""Which vertices of the body are of which of ``types.seen.BODY_PARTS``."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.types.body import ParametricModel
from vitruvian.types.figure import Figure
from vitruvian.types.seen import BODY_PARTS

# How the names of a part's joints begin; ``.L`` and ``.R`` are the sides.
_STEMS = {
    "head": (*skeleton.HEAD_STEMS, "jaw"),
    "hips": (skeleton.ROOT, skeleton.LOWER_SPINE, "spine04", "pelvis"),
    "upper arm": ("upperarm",),
    "forearm": ("lowerarm",),
    "hand": skeleton.HAND_STEMS,
    "thigh": ("upperleg",),
    "lower leg": ("lowerleg",),
    "foot": skeleton.FOOT_STEMS,
}
_SIDES = {".L": "left ", ".R": "right "}
_IN_FULL = 0.75  # or more is the probability of legs in plain view, in quick motion too


def _part_of_joint(name: str) -> int:
    stem = next((part for part, stems in _STEMS.items() if name.startswith(stems)), "chest")
    if stem not in BODY_PARTS:
        stem = _SIDES[name[-2:]] + stem
    return BODY_PARTS.index(stem)


@lru_cache(maxsize=4)
def part_of_vertex(model: ParametricModel) -> np.ndarray:
    """(V,) uint8: the part whose joints carry most of each vertex."""
    of_joint = np.array([_part_of_joint(name) for name in model.joint_names])
    weights = np.zeros((len(model.template), len(BODY_PARTS)), np.float32)
    vertices = np.arange(len(weights))
    for joints, share in zip(model.skin_joints.T, model.skin_weights.T, strict=True):
        np.add.at(weights, (vertices, of_joint[joints]), share)
    return weights.argmax(axis=1).astype(np.uint8)


@lru_cache(maxsize=4)
def area_of_part(model: ParametricModel) -> np.ndarray:
    """(15,) share of the skin at rest that each part has, summing to 1."""
    a, b, c = model.template[model.faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    skin = model.components[model.faces[:, 0]] == 0
    part = part_of_vertex(model)[model.faces[:, 0]]
    total = np.bincount(part[skin], area[skin], len(BODY_PARTS))
    return np.asarray(total / total.sum())


def legs_and_feet_shown(figure: Figure) -> tuple[float, float]:
    """How far legs and feet are in view, 0..1, by the body estimate; 1 without one.

    Where somebody else is near, estimates take legs for hidden that are largely in view, and
    without them a jump is smoothed away. So they count in full where another's box overlaps.
    """
    if figure.estimate is None or figure.overlapped:
        return 1.0, 1.0
    told = [1 - figure.estimate.part(part)["hidden"] for part in ("legs", "feet")]
    legs, feet = (min(1.0, share / _IN_FULL) for share in told)
    return legs, min(legs, feet)


def legs_shown(model: ParametricModel, figure: Figure) -> np.ndarray:
    """(V,) 0..1, how far the leg of each vertex is in view, see ``legs_and_feet_shown``.

    Hips go with the legs; 1 elsewhere: what hides arms is the own body more often than not.
    """
    legs, feet = legs_and_feet_shown(figure)
    shown = np.ones(len(BODY_PARTS))
    for index, part in enumerate(BODY_PARTS):
        if part.endswith(("hips", "thigh", "lower leg")):
            shown[index] = legs
        elif part.endswith("foot"):
            shown[index] = feet
    return shown[part_of_vertex(model)]
