"""What animation programs call the joints of a person: one table for all of them.

The body model keeps MakeHuman's names (``upperarm01.L``), which stay in files beside the others.

Sources:
    humanoid: Unity's ``HumanBodyBones`` and the humanoid of VRM 1.0 (there with a small first
        letter), https://github.com/vrm-c/vrm-specification/blob/master/specification/
        VRMC_vrm-1.0/humanoid.md. What a humanoid does not have gets a name in its manner.
    unreal: the skeleton of Unreal Engine 5's mannequins, SK_Mannequin. A rig of three
        spine joints has the first, the middle and the last of its five.
    mixamo: the skeleton of mixamo.com, ``mixamorig:`` in front of every name.
A limb of two bones, the second of which only takes up twist, is named for its first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vitruvian.options import BoneNames

# joint of the body -> (humanoid, unreal, mixamo); None where the program has no such bone.
_MIDDLE: dict[str, tuple[str, str | None, str | None]] = {
    "root": ("Hips", "pelvis", "Hips"),
    "spine05": ("Spine", "spine_01", "Spine"),
    "spine04": ("SpineMiddle", "spine_02", None),
    "spine03": ("Chest", "spine_03", "Spine1"),
    "spine02": ("ChestMiddle", "spine_04", None),
    "spine01": ("UpperChest", "spine_05", "Spine2"),
    "neck01": ("Neck", "neck_01", "Neck"),
    "neck02": ("NeckMiddle", "neck_02", None),
    "neck03": ("NeckUpper", None, None),
    "head": ("Head", "head", "Head"),
    "jaw": ("Jaw", None, None),
}
_FINGERS = {
    1: ("Thumb", "thumb", "Thumb"),
    2: ("Index", "index", "Index"),
    3: ("Middle", "middle", "Middle"),
    4: ("Ring", "ring", "Ring"),
    5: ("Little", "pinky", "Pinky"),
}
_TOES = {2: "Second", 3: "Third", 4: "Fourth", 5: "Little"}
_PHALANGES = {1: "Proximal", 2: "Intermediate", 3: "Distal"}
# Unreal puts the side behind, the others in front.
_SIDED: dict[str, tuple[str, str | None, str | None]] = {
    "pelvis": ("Pelvis", None, None),
    "upperleg01": ("UpperLeg", "thigh", "UpLeg"),
    "upperleg02": ("UpperLegTwist", "thigh_twist_01", None),
    "lowerleg01": ("LowerLeg", "calf", "Leg"),
    "lowerleg02": ("LowerLegTwist", "calf_twist_01", None),
    "foot": ("Foot", "foot", "Foot"),
    "toes": ("Toes", "ball", "ToeBase"),
    "toe1-1": ("BigToeProximal", None, None),
    "toe1-2": ("BigToeDistal", None, None),
    "clavicle": ("Shoulder", "clavicle", "Shoulder"),
    "shoulder01": ("ShoulderTwist", None, None),
    "upperarm01": ("UpperArm", "upperarm", "Arm"),
    "upperarm02": ("UpperArmTwist", "upperarm_twist_01", None),
    "lowerarm01": ("LowerArm", "lowerarm", "ForeArm"),
    "lowerarm02": ("LowerArmTwist", "lowerarm_twist_01", None),
    "wrist": ("Hand", "hand", "Hand"),
    "eye": ("Eye", None, None),
    "breast": ("Breast", None, None),
    **{
        f"metacarpal{n - 1}": (f"{_FINGERS[n][0]}Metacarpal", f"{_FINGERS[n][1]}_metacarpal", None)
        for n in range(2, 6)
    },
    **{
        f"finger{n}-{k}": (name + _PHALANGES[k], f"{unreal}_0{k}", f"Hand{mixamo}{k}")
        for n, (name, unreal, mixamo) in _FINGERS.items()
        for k in (1, 2, 3)
    },
    **{
        f"toe{toe}-{k}": (f"{name}Toe{part}", None, None)
        for toe, name in _TOES.items()
        for k, part in _PHALANGES.items()
    },
}
_SIDES = {"L": ("Left", "l"), "R": ("Right", "r")}

# The armature's own bone, on the ground between the feet, that Unreal moves people by.
UNREAL_ROOT = "root"


def humanoid_name(joint_name: str) -> str:
    """The humanoid's name of a joint of the body model, such as "LeftUpperArm".

    Names outside the table become words with capitals: "oculi01.R" -> "RightOculi01".
    """
    stem, side = _split(joint_name)
    if side:
        return _SIDES[side][0] + (_SIDED[stem][0] if stem in _SIDED else _capitals(stem))
    return _MIDDLE[joint_name][0] if joint_name in _MIDDLE else _capitals(joint_name)


def bone_name(joint_name: str, scheme: BoneNames) -> str:
    """What a joint of the body model is called in ``scheme``.

    A joint that the program's own skeleton lacks has the humanoid's name in its manner.
    """
    if scheme == "original":
        return joint_name
    stem, side = _split(joint_name)
    known = _SIDED.get(stem) if side else _MIDDLE.get(joint_name)
    if scheme == "unreal":
        name = known[1] if known else None
        if name is not None:
            return f"{name}_{_SIDES[side][1]}" if side else name
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", humanoid_name(joint_name)).lower()
    if scheme == "mixamo":
        name = known[2] if known else None
        if name is not None:
            return "mixamorig:" + (_SIDES[side][0] if side else "") + name
        return "mixamorig:" + humanoid_name(joint_name)
    return humanoid_name(joint_name)


def bone_names(joint_names: Iterable[str], scheme: BoneNames = "humanoid") -> tuple[str, ...]:
    """``bone_name`` of each; unique when the given names are."""
    names: list[str] = []
    for joint_name in joint_names:
        name, number = bone_name(joint_name, scheme), 2
        while name in names:
            name, number = f"{bone_name(joint_name, scheme)}{number}", number + 1
        names.append(name)
    return tuple(names)


def _split(joint_name: str) -> tuple[str, str]:
    stem, _, side = joint_name.rpartition(".")
    return (stem, side) if stem and side in _SIDES else (joint_name, "")


def _capitals(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
