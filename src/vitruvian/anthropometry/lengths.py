"""The breadths, lengths and heights of ``definitions``, each a function of the body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vitruvian.anthropometry.measured_body import UP, MeasuredBody, Taken
from vitruvian.body.model.skeleton import ANKLES, RIGHT, WRISTS, finger
from vitruvian.types.regions import HEAD, RIGHT_ARM, RIGHT_LEG, TRUNK

_BACKWARDS = np.array([0.0, 0.0, -1.0])
_TO_THE_RIGHT = np.array([-1.0, 0.0, 0.0])
_LATERAL, _DEPTH = 0, 2  # axes


def _stature(body: MeasuredBody) -> Taken:
    return Taken.down(body.at("crown"), body.floor)


def _head_height(body: MeasuredBody) -> Taken:
    return Taken.down(body.at("crown"), body.level("menton"))


def _waist_height(body: MeasuredBody) -> Taken:
    return Taken.down(body.at("waist"), body.floor)


def _hip_height(body: MeasuredBody) -> Taken:
    return Taken.down(body.buttock, body.floor)


def _inside_leg(body: MeasuredBody) -> Taken:
    return Taken.down(body.at("crotch"), body.floor)


def _knee_height(body: MeasuredBody) -> Taken:
    return Taken.down(body.at("knee"), body.floor)


def _rise(body: MeasuredBody) -> Taken:
    return Taken.down(body.at("waist"), body.level("crotch"))


def _shoulder_breadth(body: MeasuredBody) -> Taken:
    return Taken.along([body.at("acromion"), body.at("acromion", left=True)])


def _hip_breadth(body: MeasuredBody) -> Taken:
    right, left = _ends(body.hip.line, _LATERAL)
    return Taken.along([right, np.array([left[0], *right[1:]])])


def _back_width(body: MeasuredBody) -> Taken:
    level = (body.level("acromion") + body.level("axilla")) / 2
    right, left = _ends(body.flat_girth(level, TRUNK).line, _LATERAL)
    return Taken.along(body.over(right, left, _BACKWARDS, TRUNK))


def _shoulder_length(body: MeasuredBody) -> Taken:
    return Taken.along(_over_shoulder(body, "side_neck"))


def _over_shoulder(body: MeasuredBody, start: str) -> np.ndarray:
    """The tape from a landmark over the slope of the shoulder to its top."""
    return body.over(body.at(start), body.at("acromion"), UP, TRUNK, RIGHT_ARM)


def _arm_length(body: MeasuredBody) -> Taken:
    return Taken.along([body.at(mark) for mark in ("acromion", "elbow", "wrist")])


def _sleeve(body: MeasuredBody) -> Taken:
    over = _over_shoulder(body, "cervicale")
    return Taken.along([*over, body.at("elbow"), body.at("wrist")])


def _waist_back(body: MeasuredBody) -> Taken:
    start, waist = body.at("cervicale"), body.waist.line
    rear, _ = _ends(waist, _DEPTH)
    end = np.array([start[0], rear[1], rear[2]])
    return Taken.along(body.over(start, end, _BACKWARDS, HEAD, TRUNK))


def _outside_leg(body: MeasuredBody) -> Taken:
    top, _ = _ends(body.waist.line, _LATERAL)
    ankle = body.joint(ANKLES[RIGHT])
    end = np.array([ankle[0], body.floor, ankle[2]])
    return Taken.along(body.over(top, end, _TO_THE_RIGHT, TRUNK, RIGHT_LEG))


def _hand_length(body: MeasuredBody) -> Taken:
    knuckles = [body.joint(finger(3, number)[RIGHT]) for number in (1, 2, 3)]
    return Taken.along([body.joint(WRISTS[RIGHT]), *knuckles, body.at("fingertip")])


def _foot_length(body: MeasuredBody) -> Taken:
    heel = body.at("heel")
    way = (body.at("toe") - heel) * [1, 0, 1]
    way /= np.linalg.norm(way)
    low = body.points[:, 1] < body.joint(ANKLES[RIGHT])[1]
    foot = body.points[low & (body.model.regions.part == RIGHT_LEG)]
    along = (foot - heel) @ way
    return Taken.along([heel + along.min() * way, heel + along.max() * way])


def _ends(line: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The points (3,) of a line with the least and the greatest coordinate."""
    return line[line[:, axis].argmin()], line[line[:, axis].argmax()]


LENGTHS: dict[str, Callable[[MeasuredBody], Taken]] = {
    "stature": _stature,
    "shoulder_breadth": _shoulder_breadth,
    "hip_breadth": _hip_breadth,
    "back_width": _back_width,
    "shoulder_length": _shoulder_length,
    "arm_length": _arm_length,
    "sleeve": _sleeve,
    "waist_back": _waist_back,
    "inside_leg": _inside_leg,
    "outside_leg": _outside_leg,
    "waist_height": _waist_height,
    "hip_height": _hip_height,
    "knee_height": _knee_height,
    "rise": _rise,
    "head_height": _head_height,
    "hand_length": _hand_length,
    "foot_length": _foot_length,
}
