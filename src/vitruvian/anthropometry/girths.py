"""The girths of ``definitions``, each a function of the body."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from vitruvian.anthropometry.measured_body import UP, MeasuredBody, Taken
from vitruvian.body.model.skeleton import ANKLES, ELBOWS, NECK, RIGHT, SHOULDERS, WRISTS
from vitruvian.body.model.skeleton import HEAD as HEAD_JOINT
from vitruvian.types.regions import HEAD, RIGHT_ARM, RIGHT_LEG, TRUNK

_ABOVE_BROWS_M = 0.045  # up to where the head's largest girth is sought
_BELOW_CROTCH_M = (0.05, 0.005)  # likewise the thigh's
# Shares of the way along a limb's part between which its girth is sought.
_UPPER_ARM, _FOREARM, _WRIST = (0.45, 0.8), (0.2, 0.6), (0.8, 1.0)
_CALF, _ANKLE = (0.4, 0.85), (0.08, 0.4)


def _head(body: MeasuredBody) -> Taken:
    brow = body.at("brow")
    return body.largest(brow, brow + _ABOVE_BROWS_M * UP, HEAD)


def _neck(body: MeasuredBody) -> Taken:
    low, high = body.joint(NECK), body.joint(HEAD_JOINT)
    return body.girth((low + high) / 2, high - low, HEAD, TRUNK)


def _neck_base(body: MeasuredBody) -> Taken:
    back, front = body.at("cervicale"), body.at("suprasternale")
    corners = back, body.at("side_neck"), front, body.at("side_neck", left=True), back
    middle = (back + front) / 2
    pieces = [
        body.over(start, end, (start + end) / 2 - middle, HEAD, TRUNK)[:-1]
        for start, end in pairwise(corners)
    ]
    return Taken.around(np.concatenate(pieces))


def _chest(body: MeasuredBody) -> Taken:
    return body.flat_girth(body.level("bust"), TRUNK)


def _underbust(body: MeasuredBody) -> Taken:
    return body.flat_girth(body.level("underbust"), TRUNK)


def _waist(body: MeasuredBody) -> Taken:
    return body.waist


def _waist_navel(body: MeasuredBody) -> Taken:
    return body.flat_girth(body.level("navel"), TRUNK)


def _hip(body: MeasuredBody) -> Taken:
    return body.hip


def _thigh(body: MeasuredBody) -> Taken:
    low, high = (body.at("crotch") - depth * UP for depth in _BELOW_CROTCH_M)
    return body.largest(low, high, RIGHT_LEG)


def _mid_thigh(body: MeasuredBody) -> Taken:
    return body.flat_girth((body.level("crotch") + body.level("knee")) / 2, RIGHT_LEG)


def _knee(body: MeasuredBody) -> Taken:
    return body.flat_girth(body.level("knee"), RIGHT_LEG)


def _calf(body: MeasuredBody) -> Taken:
    return body.largest(*_along(*_shank(body), _CALF), RIGHT_LEG)


def _ankle(body: MeasuredBody) -> Taken:
    return body.smallest(*_along(*_shank(body), _ANKLE), RIGHT_LEG)


def _upper_arm(body: MeasuredBody) -> Taken:
    return body.largest(*_along(*_bone(body, SHOULDERS, ELBOWS), _UPPER_ARM), RIGHT_ARM)


def _elbow(body: MeasuredBody) -> Taken:
    bones = _bone(body, SHOULDERS, ELBOWS), _bone(body, ELBOWS, WRISTS)
    ways = [(end - start) / np.linalg.norm(end - start) for start, end in bones]
    return body.girth(bones[1][0], ways[0] + ways[1], RIGHT_ARM)


def _forearm(body: MeasuredBody) -> Taken:
    return body.largest(*_along(*_bone(body, ELBOWS, WRISTS), _FOREARM), RIGHT_ARM)


def _wrist(body: MeasuredBody) -> Taken:
    return body.smallest(*_along(*_bone(body, ELBOWS, WRISTS), _WRIST), RIGHT_ARM)


def _bone(
    body: MeasuredBody, start: tuple[str, str], end: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """The right ones of two pairs of joints."""
    return body.joint(start[RIGHT]), body.joint(end[RIGHT])


def _shank(body: MeasuredBody) -> tuple[np.ndarray, np.ndarray]:
    """From the ankle straight up to the level of the knee: girths of legs are horizontal."""
    ankle = body.joint(ANKLES[RIGHT])
    return ankle, ankle + (body.level("knee") - ankle[1]) * UP


def _along(
    start: np.ndarray, end: np.ndarray, shares: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Two places on the way from one point to another."""
    low, high = (start + share * (end - start) for share in shares)
    return low, high


GIRTHS: dict[str, Callable[[MeasuredBody], Taken]] = {
    "head": _head,
    "neck": _neck,
    "neck_base": _neck_base,
    "chest": _chest,
    "underbust": _underbust,
    "waist": _waist,
    "waist_navel": _waist_navel,
    "hip": _hip,
    "thigh": _thigh,
    "mid_thigh": _mid_thigh,
    "knee": _knee,
    "calf": _calf,
    "ankle": _ankle,
    "upper_arm": _upper_arm,
    "elbow": _elbow,
    "forearm": _forearm,
    "wrist": _wrist,
}
