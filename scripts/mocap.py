"""Readers of motion capture for ``bake_pose_prior.py``: global rotations and positions of joints.

Every reader yields frames in metres or any other unit (only directions are used), y up, with the
actor's rest pose facing +z, left at +x, and rotations that are the identity at rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.geometry.rotations import matrix_from_axis_angle


@dataclass(frozen=True)
class Frame:
    """One captured pose: where segments end and how they are turned.

    Attributes:
        rotations: segment name -> (3, 3) global rotation.
        positions: joint name -> (3,) position; our own names, such as ``elbow.L``.
    """

    rotations: dict[str, np.ndarray]
    positions: dict[str, np.ndarray]


def euler(degrees: list[float], order: str) -> np.ndarray:
    """Rotation (3, 3) of angles applied one after the other about the fixed axes ``order``."""
    turn = np.eye(3)
    for axis, angle in zip(order.lower(), degrees, strict=True):
        vector = np.zeros(3)
        vector["xyz".index(axis)] = np.deg2rad(angle)
        turn = matrix_from_axis_angle(vector) @ turn
    return turn


@dataclass(frozen=True)
class Bone:
    parent: str
    offset: np.ndarray
    axes: np.ndarray
    freedoms: tuple[str, ...]


def read_asf(path: Path) -> dict[str, Bone]:
    """Bones of an Acclaim skeleton, parents first."""
    text = path.read_text(errors="ignore")
    data = text[text.index(":bonedata") : text.index(":hierarchy")]
    found = {}
    for block in re.findall(r"begin\s(.*?)\send", data, re.S):
        rows = {w[0]: w[1:] for w in map(str.split, block.splitlines()) if w}
        direction = np.array([float(v) for v in rows["direction"]])
        turn = euler([float(v) for v in rows["axis"][:3]], rows["axis"][3])
        found[rows["name"][0]] = (
            direction * float(rows["length"][0]), turn, tuple(rows.get("dof", ()))
        )  # fmt: skip
    bones = {}
    for line in text[text.index(":hierarchy") :].splitlines():
        words = line.split()
        if len(words) > 1 and words[0] not in (":hierarchy", "begin", "end"):
            for child in words[1:]:
                bones[child] = Bone(words[0], *found[child])
    return bones


# Acclaim's bone -> where it ends, in our names.
ASF_ENDS = {
    "lhipjoint": "hip.L", "lfemur": "knee.L", "ltibia": "ankle.L",
    "rhipjoint": "hip.R", "rfemur": "knee.R", "rtibia": "ankle.R",
    "lclavicle": "shoulder.L", "lhumerus": "elbow.L", "lwrist": "hand.L", "lradius": "wrist.L",
    "rclavicle": "shoulder.R", "rhumerus": "elbow.R", "rwrist": "hand.R", "rradius": "wrist.R",
    "lthumb": "thumb.L", "rthumb": "thumb.R",
}  # fmt: skip
ASF_SEGMENTS = {
    "root": "pelvis", "thorax": "chest", "head": "head",
    "lfoot": "foot.L", "rfoot": "foot.R", "ltoes": "toes.L", "rtoes": "toes.R",
}  # fmt: skip


def read_amc(path: Path, bones: dict[str, Bone], stride: int) -> Iterator[Frame]:
    """Every ``stride``-th frame of an Acclaim motion."""
    frames: list[dict[str, list[float]]] = []
    for line in path.read_text(errors="ignore").splitlines():
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if words[0].isdigit():
            frames.append({})
        else:
            frames[-1][words[0]] = [float(v) for v in words[1:]]
    for values in frames[::stride]:
        turns = {"root": euler(values["root"][3:6], "xyz")}
        ends = {"root": np.zeros(3)}
        for name, bone in bones.items():
            local = np.eye(3)
            if bone.freedoms and name in values:
                angles = dict.fromkeys(("rx", "ry", "rz"), 0.0)
                angles.update(zip(bone.freedoms, values[name], strict=True))
                turn = euler([angles["rx"], angles["ry"], angles["rz"]], "xyz")
                local = bone.axes @ turn @ bone.axes.T
            turns[name] = turns[bone.parent] @ local
            ends[name] = ends[bone.parent] + turns[name] @ bone.offset
        yield Frame(
            {ours: turns[name] for name, ours in ASF_SEGMENTS.items()},
            {ours: ends[name] for name, ours in ASF_ENDS.items()},
        )


# The CMU clips that the literature on motion prediction uses (Martinez et al., 2017): 38 joints,
# each an exponential map for row vectors, hence the minus below. Index of each joint's parent.
EXPMAP_PARENTS = [
    -1, 0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 0, 13, 14, 15, 16, 17, 18, 15, 20, 21, 22, 23, 24,
    25, 23, 27, 15, 29, 30, 31, 32, 33, 34, 32, 36,
]  # fmt: skip
EXPMAP_SEGMENTS = {
    "pelvis": 0, "chest": 15, "head": 18,
    "foot.L": 4, "foot.R": 10, "toes.L": 5, "toes.R": 11,
}  # fmt: skip
# Where a bone ends, the joint that turns it, where it begins, and its direction at rest, left.
EXPMAP_BONES = (
    ("hip", None, None, (0.0, 0, 0)),
    ("knee", 2, "hip", (0.342, -0.94, 0)),
    ("ankle", 3, "knee", (0.342, -0.94, 0)),
    ("shoulder", None, None, (0.0, 0, 0)),
    ("elbow", 21, "shoulder", (1.0, 0, 0)),
    ("wrist", 22, "elbow", (1.0, 0, 0)),
    ("hand", 23, "wrist", (1.0, 0, 0)),
    ("thumb", 23, "wrist", (0.7, 0, 0.7)),
)


def read_expmap(rows: np.ndarray, stride: int) -> Iterator[Frame]:
    """Every ``stride``-th of the rows (T, 117): root translation and 38 exponential maps."""
    for row in rows[::stride]:
        local = matrix_from_axis_angle(-row[3:].reshape(38, 3))
        turns = np.empty((38, 3, 3))
        for joint, parent in enumerate(EXPMAP_PARENTS):
            turns[joint] = local[joint] if parent < 0 else turns[parent] @ local[joint]
        positions: dict[str, np.ndarray] = {}
        for side, sign in (("L", 1.0), ("R", -1.0)):
            for end, joint, start, direction in EXPMAP_BONES:
                place = np.zeros(3)
                if joint is not None:
                    # The right leg's joints come 6 after the left's, the right arm's 9.
                    mine = joint + (0 if side == "L" else 6 if joint < 6 else 9)
                    rest = np.array(direction) * [sign, 1, 1]
                    place = positions[f"{start}.{side}"] + turns[mine] @ rest
                positions[f"{end}.{side}"] = place
        yield Frame({name: turns[j] for name, j in EXPMAP_SEGMENTS.items()}, positions)


DEEPMIMIC_JOINTS = (
    # name, parent, rest offset (x forward, y up, z to the right), numbers in a frame
    ("chest", "root", (0, 0.236151, 0), 4),
    ("neck", "chest", (0, 0.223894, 0), 4),
    ("right_hip", "root", (0, 0, 0.084887), 4),
    ("right_knee", "right_hip", (0, -0.421546, 0), 1),
    ("right_ankle", "right_knee", (0, -0.409870, 0), 4),
    ("right_shoulder", "chest", (-0.02405, 0.24350, 0.18311), 4),
    ("right_elbow", "right_shoulder", (0, -0.274788, 0), 1),
    ("left_hip", "root", (0, 0, -0.084887), 4),
    ("left_knee", "left_hip", (0, -0.421546, 0), 1),
    ("left_ankle", "left_knee", (0, -0.409870, 0), 4),
    ("left_shoulder", "chest", (-0.02405, 0.24350, -0.18311), 4),
    ("left_elbow", "left_shoulder", (0, -0.274788, 0), 1),
)
# From DeepMimic's axes to ours.
DEEPMIMIC_TURN = np.array([[0, 0, -1.0], [0, 1, 0], [1, 0, 0]])
DEEPMIMIC_NAMES = {
    "right_hip": "hip.R", "right_knee": "knee.R", "right_ankle": "ankle.R",
    "right_shoulder": "shoulder.R", "right_elbow": "elbow.R",
    "left_hip": "hip.L", "left_knee": "knee.L", "left_ankle": "ankle.L",
    "left_shoulder": "shoulder.L", "left_elbow": "elbow.L",
}  # fmt: skip
DEEPMIMIC_SEGMENTS = {
    "root": "pelvis", "chest": "chest", "neck": "head",
    "right_ankle": "foot.R", "left_ankle": "foot.L",
}  # fmt: skip


def matrix_from_quaternion(wxyz: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of a quaternion (w, x, y, z)."""
    w, vector = wxyz[0], np.asarray(wxyz[1:], float)
    length = np.linalg.norm(vector)
    return matrix_from_axis_angle(vector / max(length, 1e-12) * 2 * np.arctan2(length, w))


def read_deepmimic(path: Path, stride: int) -> Iterator[Frame]:
    """Every ``stride``-th frame of a clip of DeepMimic (Peng et al., 2018)."""
    c = DEEPMIMIC_TURN
    for row in json.loads(path.read_text())["Frames"][::stride]:
        values = np.array(row, float)
        turns = {"root": matrix_from_quaternion(values[4:8])}
        heads = {"root": np.zeros(3)}
        at = 8
        for name, parent, offset, size in DEEPMIMIC_JOINTS:
            part = values[at : at + size]
            at += size
            local = (
                matrix_from_quaternion(part)
                if size == 4
                else matrix_from_axis_angle(np.array([0, 0, part[0]]))
            )
            heads[name] = heads[parent] + turns[parent] @ np.array(offset, float)
            turns[name] = turns[parent] @ local
        for side in ("right", "left"):
            elbow = f"{side}_elbow"
            heads[f"{side}_wrist"] = heads[elbow] + turns[elbow] @ np.array([0, -0.258947, 0])
        names = {**DEEPMIMIC_NAMES, "right_wrist": "wrist.R", "left_wrist": "wrist.L"}
        yield Frame(
            {ours: c @ turns[name] @ c.T for name, ours in DEEPMIMIC_SEGMENTS.items()},
            {ours: c @ heads[name] for name, ours in names.items()},
        )
