"""Joint names that animation programs recognise, for the joints of the body model.

The body model keeps MakeHuman's names ("upperarm01.L"). Unity, VRM and retargeting add-ons look
for a humanoid's ("LeftUpperArm"), so files carry those; the original stays in the node's extras.
A limb of two bones, the second of which only takes up twist, is named for its first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MIDDLE = {
    "root": "Hips",
    "spine05": "Spine",
    "spine04": "SpineMiddle",
    "spine03": "Chest",
    "spine02": "ChestMiddle",
    "spine01": "UpperChest",
    "neck01": "Neck",
    "neck02": "NeckMiddle",
    "neck03": "NeckUpper",
    "head": "Head",
    "jaw": "Jaw",
}
_FINGERS = {1: "Thumb", 2: "Index", 3: "Middle", 4: "Ring", 5: "Little"}
_TOES = {2: "Second", 3: "Third", 4: "Fourth", 5: "Little"}
_PHALANGES = {1: "Proximal", 2: "Intermediate", 3: "Distal"}
_SIDED = {
    "pelvis": "Pelvis",
    "upperleg01": "UpperLeg",
    "upperleg02": "UpperLegTwist",
    "lowerleg01": "LowerLeg",
    "lowerleg02": "LowerLegTwist",
    "foot": "Foot",
    "toes": "Toes",
    "toe1-1": "BigToeProximal",
    "toe1-2": "BigToeDistal",
    "clavicle": "Shoulder",
    "shoulder01": "ShoulderTwist",
    "upperarm01": "UpperArm",
    "upperarm02": "UpperArmTwist",
    "lowerarm01": "LowerArm",
    "lowerarm02": "LowerArmTwist",
    "wrist": "Hand",
    "eye": "Eye",
    "breast": "Breast",
    **{f"metacarpal{n - 1}": f"{_FINGERS[n]}Metacarpal" for n in range(2, 6)},
    **{
        f"finger{finger}-{phalanx}": name + part
        for finger, name in _FINGERS.items()
        for phalanx, part in _PHALANGES.items()
    },
    **{
        f"toe{toe}-{phalanx}": f"{name}Toe{part}"
        for toe, name in _TOES.items()
        for phalanx, part in _PHALANGES.items()
    },
}
_SIDES = {"L": "Left", "R": "Right"}


def humanoid_name(joint_name: str) -> str:
    """The humanoid's name of a joint of the body model, such as "LeftUpperArm".

    Names outside the table become words with capitals: "oculi01.R" -> "RightOculi01".
    """
    stem, _, side = joint_name.rpartition(".")
    if side in _SIDES and stem:
        return _SIDES[side] + (_SIDED.get(stem) or _capitals(stem))
    return _MIDDLE.get(joint_name) or _capitals(joint_name)


def humanoid_names(joint_names: Iterable[str]) -> tuple[str, ...]:
    """``humanoid_name`` of each; unique when the given names are."""
    names: list[str] = []
    for joint_name in joint_names:
        name, number = humanoid_name(joint_name), 2
        while name in names:
            name, number = f"{humanoid_name(joint_name)}{number}", number + 1
        names.append(name)
    return tuple(names)


def _capitals(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
