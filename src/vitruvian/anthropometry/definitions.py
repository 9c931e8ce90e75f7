"""What is measured: every measure's name and its definition.

The definitions follow ISO 8559-1:2017 (anthropometric definitions for body measurement) as far as a
body without bones can, and name the column of ANSUR II, the 2012 survey of U.S. Army personnel
(Gordon et al., 2014), that is defined alike or nearly so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["girth", "breadth", "length", "height"]


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        name: in files and columns, such as ``upper_arm``.
        label: for people.
        kind: a girth lies around, a breadth is straight, a length follows the surface or a limb, a
            height is vertical from the floor or between two levels.
        definition: what is measured, on the right side of the body.
        ansur: column of ANSUR II with the same or nearly the same definition, or None.
    """

    name: str
    label: str
    kind: Kind
    definition: str
    ansur: str | None = None


MEASURES: tuple[Measure, ...] = (
    Measure("stature", "Height", "height", "From the floor to the top of the head.", "stature"),
    Measure(
        "head",
        "Head",
        "girth",
        "Level, the largest above the brows.",
        "headcircumference",
    ),
    Measure(
        "neck", "Neck", "girth", "Around the middle of the neck, square to it.", "neckcircumference"
    ),
    Measure(
        "neck_base",
        "Neck base",
        "girth",
        "Around the foot of the neck, over the nape and the pit between the collarbones.",
        "neckcircumferencebase",
    ),
    Measure(
        "chest",
        "Chest / bust",
        "girth",
        "Level, over the fullest part of the chest or bust.",
        "chestcircumference",
    ),
    Measure("underbust", "Underbust", "girth", "Level, close beneath the bust."),
    Measure(
        "waist",
        "Waist",
        "girth",
        "Level, halfway between the lowest rib and the top of the hip bone.",
    ),
    Measure(
        "waist_navel",
        "Waist at the navel",
        "girth",
        "Level, over the navel.",
        "waistcircumference",
    ),
    Measure(
        "hip",
        "Hip",
        "girth",
        "Level, over the fullest part of the seat.",
        "buttockcircumference",
    ),
    Measure(
        "thigh",
        "Thigh",
        "girth",
        "Level, the largest just below the crotch.",
        "thighcircumference",
    ),
    Measure("mid_thigh", "Mid-thigh", "girth", "Halfway between crotch and knee."),
    Measure("knee", "Knee", "girth", "At the middle of the kneecap."),
    Measure("calf", "Calf", "girth", "The largest between knee and ankle.", "calfcircumference"),
    Measure("ankle", "Ankle", "girth", "The smallest between calf and foot.", "anklecircumference"),
    Measure(
        "upper_arm",
        "Upper arm",
        "girth",
        "The largest across the arm between armpit and elbow, arm relaxed.",
        "bicepscircumferenceflexed",
    ),
    Measure("elbow", "Elbow", "girth", "Around the elbow, across half its bend."),
    Measure(
        "forearm",
        "Forearm",
        "girth",
        "The largest across the forearm, relaxed.",
        "forearmcircumferenceflexed",
    ),
    Measure("wrist", "Wrist", "girth", "The smallest at the wrist.", "wristcircumference"),
    Measure(
        "shoulder_breadth",
        "Shoulder breadth",
        "breadth",
        "Straight between the tops of the shoulders.",
        "biacromialbreadth",
    ),
    Measure("hip_breadth", "Hip breadth", "breadth", "The largest across the hips.", "hipbreadth"),
    Measure(
        "back_width",
        "Back width",
        "length",
        "Over the back between the arms, halfway between shoulder and armpit.",
    ),
    Measure(
        "shoulder_length",
        "Shoulder length",
        "length",
        "From the side of the neck to the top of the shoulder.",
        "shoulderlength",
    ),
    Measure(
        "arm_length",
        "Arm length",
        "length",
        "From the top of the shoulder over the elbow to the wrist.",
    ),
    Measure(
        "sleeve",
        "Sleeve from nape",
        "length",
        "From the nape over shoulder and elbow to the wrist.",
    ),
    Measure(
        "waist_back",
        "Nape to waist",
        "length",
        "From the nape down the back to the level of the waist.",
    ),
    Measure("inside_leg", "Inside leg", "height", "From the crotch to the floor.", "crotchheight"),
    Measure(
        "outside_leg",
        "Outside leg",
        "length",
        "From the waist at the side over the hip to the floor.",
    ),
    Measure("waist_height", "Waist height", "height", "From the floor to the level of the waist."),
    Measure(
        "hip_height",
        "Hip height",
        "height",
        "From the floor to the fullest part of the seat.",
        "buttockheight",
    ),
    Measure(
        "knee_height",
        "Knee height",
        "height",
        "From the floor to the middle of the kneecap.",
        "kneeheightmidpatella",
    ),
    Measure("rise", "Rise", "height", "From the level of the waist down to the crotch."),
    Measure("head_height", "Head height", "height", "From the chin to the top of the head."),
    Measure(
        "hand_length",
        "Hand",
        "length",
        "From the wrist to the middle fingertip.",
        "handlength",
    ),
    Measure(
        "foot_length",
        "Foot",
        "length",
        "From the heel to the tip of the longest toe.",
        "footlength",
    ),
)

BY_NAME = {measure.name: measure for measure in MEASURES}
