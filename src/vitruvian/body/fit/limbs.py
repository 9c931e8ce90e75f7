"""Limbs turned to their mirror image along the view, which a picture hardly tells from them.

Seen from a camera, a forearm that comes towards it looks like one that goes away from it by the
same angle (Taylor, "Reconstruction of Articulated Objects from Point Correspondences in a Single
Uncalibrated Image", 2000). Here what is believed of a figure is mirrored, where somebody knows
better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.fit.observations import Observations, PoseTarget
from vitruvian.body.model import skeleton
from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rotations import rotation_between
from vitruvian.hints import Direction
from vitruvian.types.keypoints import ARMS, HANDS, HEELS, LEGS, LITTLE_FINGERS, TOES

_LOOSE_SD = 1.5  # radians: what is left of an estimated rotation once its limb is mirrored


@dataclass(frozen=True)
class Limb:
    """A part of an arm or a leg.

    Attributes:
        name: one of ``hints.LIMBS``.
        ends: landmarks of its ends, from the trunk outwards.
        carried: landmarks that it carries, its own outer end first.
        joint: of the body model, at its inner end.
        end: of the body model, at its outer end.
        upper: the lower part of the limb hangs on ``end``.
    """

    name: str
    ends: tuple[int, int]
    carried: tuple[int, ...]
    joint: str
    end: str
    upper: bool


def _limbs() -> dict[str, Limb]:
    out = {}
    hands, feet = HANDS.reshape(-1, 2), np.stack([HEELS, TOES])
    assert hands[0, 0] == LITTLE_FINGERS[0]
    for number, side in enumerate(("left", "right")):
        for words, points, tips, joints in (
            (("upper arm", "forearm"), ARMS[number], hands[:, number], skeleton.ARMS[number]),
            (("thigh", "lower leg"), LEGS[number], feet[:, number], skeleton.LEGS[number]),
        ):
            inner, middle, outer = (int(point) for point in points)
            ends = (outer, *(int(tip) for tip in tips))
            first, second, third = joints
            for limb in (
                Limb(f"{side} {words[0]}", (inner, middle), (middle, *ends), first, second, True),
                Limb(f"{side} {words[1]}", (middle, outer), ends, second, third, False),
            ):
                out[limb.name] = limb
    return out


LIMBS = _limbs()


def tilt(observed: Observations, limb: Limb) -> float:
    """Sine of the angle by which the landmarks' limb goes away from the camera; negative where it
    comes towards it."""
    inner, outer = limb.ends
    along = observed.world[outer] - observed.world[inner]
    return float(along @ sight(observed, limb) / max(float(np.linalg.norm(along)), 1e-9))


def sight(observed: Observations, limb: Limb) -> np.ndarray:
    """Direction (3,) in which the camera sees the limb's inner end."""
    ray = np.append(observed.rays[limb.ends[0]], 1.0)
    return np.asarray(ray / np.linalg.norm(ray))


def directed(
    model: BodyModel,
    observed: Observations,
    target: PoseTarget | None,
    limbs: Mapping[str, Direction],
) -> tuple[Observations, PoseTarget | None]:
    """What is believed of a figure with limbs that point towards the camera or away from it.

    Limbs that do already stay. Of the others, landmarks and estimated rotations become those of
    the mirror image; what hangs on an upper arm or a thigh is moved and not turned.

    Args:
        model: of the body.
        observed: landmarks in the camera's frame.
        target: estimated pose in that frame.
        limbs: by their names.
    """
    for name, limb in LIMBS.items():  # from the trunk outwards
        away = tilt(observed, limb) > 0
        if name in limbs and away != (limbs[name] == "away"):
            observed, target = mirrored(model, observed, target, limb)
    return observed, target


def mirrored(
    model: BodyModel, observed: Observations, target: PoseTarget | None, limb: Limb
) -> tuple[Observations, PoseTarget | None]:
    """``directed`` for one limb, whichever way it points."""
    ray = sight(observed, limb)
    inner, outer = limb.ends
    world = observed.world.copy()
    along = world[outer] - world[inner]
    turned = along - 2 * (along @ ray) * ray
    carried = list(limb.carried)
    if limb.upper:
        world[carried] += turned - along
    else:
        about = world[carried] - world[inner]
        world[carried] -= 2 * (about @ ray)[:, None] * ray
    observed = replace(observed, world=world)
    if target is None:
        return observed, None
    row = {model.joint_names[joint]: row for row, joint in enumerate(model.active)}
    rotations, sd = target.rotations.copy(), target.sd.copy()
    local = np.tile(np.eye(3), (len(model.parents), 1, 1))
    local[model.active] = rotations
    joints = local.copy()
    for joint, parent in enumerate(model.parents[1:], 1):
        joints[joint] = joints[parent] @ local[joint]
    joint = model.joint_index[limb.joint]
    turn = rotation_between(along, turned)
    rotations[row[limb.joint]] = joints[model.parents[joint]].T @ turn @ joints[joint]
    sd[row[limb.joint]] = _LOOSE_SD
    if limb.upper:
        # The joint at the other end turns back, so that what hangs on it keeps its direction.
        end = model.joint_index[limb.end]
        above = turn @ joints[model.parents[end]]
        rotations[row[limb.end]] = above.T @ joints[end]
        sd[row[limb.end]] = _LOOSE_SD
    return observed, PoseTarget(rotations, sd)
