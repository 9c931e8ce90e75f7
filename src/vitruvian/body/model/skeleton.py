"""What the joints of the body model are: the one place that knows the rig's names.

The rig is MakeHuman's. Of pairs, the subject's left comes first. A limb's second bones
("upperarm02") only take up twist and are no joints of the limb.
"""

from __future__ import annotations

LEFT, RIGHT = range(2)


def _pair(name: str) -> tuple[str, str]:
    return f"{name}.L", f"{name}.R"


ROOT, MIDDLE_SPINE, NECK, UPPER_NECK, HEAD = "root", "spine03", "neck01", "neck02", "head"
LOWER_SPINE, UPPER_SPINE = "spine05", "spine01"
SPINE = (LOWER_SPINE, MIDDLE_SPINE, UPPER_SPINE)
CLAVICLES = _pair("clavicle")
SHOULDERS, ELBOWS, WRISTS = _pair("upperarm01"), _pair("lowerarm01"), _pair("wrist")
HIPS, KNEES, ANKLES, TOES = _pair("upperleg01"), _pair("lowerleg01"), _pair("foot"), _pair("toes")
THIGH_TWISTS, SHANK_TWISTS = _pair("upperleg02"), _pair("lowerleg02")

# Of either side, from the trunk outwards.
ARMS = tuple(zip(SHOULDERS, ELBOWS, WRISTS, strict=True))
LEGS = tuple(zip(HIPS, KNEES, ANKLES, strict=True))

# Joints that a photograph says something about; the others stay at rest in a fit.
ACTIVE_JOINTS = (
    ROOT, *SPINE, NECK, HEAD, *CLAVICLES, *SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES,
    *TOES,
)  # fmt: skip

# Active joints that carry each of ``types.seen.BODY_PARTS``; chest and hips are the spine's.
PART_JOINTS: dict[str, tuple[str, ...]] = {
    "head": (NECK, HEAD),
    "chest": (),
    "hips": (),
    **{
        f"{side} {part}": joints
        for part, pairs in (
            ("upper arm", (SHOULDERS,)), ("forearm", (ELBOWS,)), ("hand", (WRISTS,)),
            ("thigh", (HIPS,)), ("lower leg", (KNEES,)), ("foot", (ANKLES, TOES)),
        )
        for side, joints in zip(("left", "right"), zip(*pairs, strict=True), strict=True)
    },
}  # fmt: skip

# How the names of all joints of a part begin, on either side.
ARM_STEMS = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")
HAND_STEMS = ARM_STEMS[2:]
LEG_STEMS = ("upperleg", "lowerleg", "foot", "toe")
FOOT_STEMS = LEG_STEMS[2:]
HEAD_STEMS = (UPPER_NECK, "neck03", HEAD, "eye")


def finger(number: int, joint: int) -> tuple[str, str]:
    """Either hand's joint 1 (knuckle) to 3 of a finger, 1 (thumb) to 5 (little finger)."""
    return _pair(f"finger{number}-{joint}")


# All joints of both hands' fingers, from the thumb's knuckle on.
FINGERS = tuple(
    joint for number in range(1, 6) for bone in (1, 2, 3) for joint in finger(number, bone)
)
