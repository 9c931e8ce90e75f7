"""Poses for synthetic people: motion capture, MakeHuman's poses, hands, noise."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import DATA, body_model
from vitruvian.body.model.skeleton import ANKLES, HEAD, LEFT, LEGS, RIGHT, ROOT, finger
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle


def read_bvh(path: Path) -> np.ndarray:
    """Poses (N, J, 3) axis-angle of a MakeHuman BVH, for the body model's joints.

    MakeHuman's rotations are about the rest axes (y up), chained from the root: the body model's
    convention. Joints that the body model lacks stay at rest.
    """
    head, _, motion = path.read_text(encoding="utf-8", errors="ignore").partition("MOTION")
    names: list[str] = []
    channels: list[list[str]] = []
    for line in head.splitlines():
        token = line.split()
        if token and token[0] in ("ROOT", "JOINT"):
            names.append(token[1])
        elif token and token[0] == "CHANNELS":
            channels.append(token[2:])
    rows = [line.split() for line in motion.splitlines()]
    frames = [[float(x) for x in row] for row in rows if len(row) == sum(map(len, channels))]
    if not frames:
        raise InputError(f"The pose {path} has no frames: restore it from the asset pack.")
    index = body_model().joint_index
    poses = np.zeros((len(frames), len(index), 3))
    for frame, pose in zip(frames, poses, strict=True):
        at = 0
        for name, wanted in zip(names, channels, strict=True):
            turn = np.eye(3)
            for channel in wanted:
                if channel.endswith("rotation"):
                    turn = turn @ _axis_rotation("XYZ".index(channel[0]), np.deg2rad(frame[at]))
                at += 1
            if name in index and name != ROOT:
                pose[index[name]] = axis_angle_from_matrix(turn)
    return poses


def _axis_rotation(axis: int, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    out = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[i, i] = out[j, j] = c
    out[i, j], out[j, i] = -s, s
    return out


@lru_cache(maxsize=1)
def captured_poses() -> tuple[np.ndarray, np.ndarray]:
    """Motion capture for the body model: poses (N, J, 3) float32, root upright, and clip names."""
    body = body_model()
    with np.load(DATA / "poses.npz") as archive:
        names = [str(n) for n in archive["joint_names"]]
        poses = archive["poses"].astype(np.float32)
        clips = archive["clips"]
    out = np.zeros((len(poses), len(body.joint_names), 3), np.float32)
    out[:, [body.joint_index[n] for n in names]] = poses
    return out, clips


def posed_joints(poses: np.ndarray) -> np.ndarray:
    """Joints (N, J, 3) of the mean body in poses (N, J, 3), the root at the origin, metres."""
    body = body_model()
    local = matrix_from_axis_angle(poses)
    turned = np.empty_like(local)
    joints = np.zeros((len(poses), len(body.parents), 3))
    for j, parent in enumerate(body.parents):
        if parent < 0:
            turned[:, j] = local[:, j]
            continue
        bone = body.joint_template[j] - body.joint_template[parent]
        turned[:, j] = turned[:, parent] @ local[:, j]
        joints[:, j] = joints[:, parent] + turned[:, parent] @ bone
    return joints


@lru_cache(maxsize=1)
def standing_poses() -> np.ndarray:
    """Indices of the captured poses in which somebody stands, walks or runs upright."""
    body = body_model()
    heads = posed_joints(captured_poses()[0])
    index = body.joint_index
    spine = heads[:, index[HEAD]] - heads[:, index[ROOT]]
    upright = spine[:, 1] > 0.93 * np.linalg.norm(spine, axis=1)
    feet = heads[:, [index[name] for name in ANKLES], 1].min(1)
    at_rest = body.joint_template[index[ROOT], 1] - body.joint_template[index[ANKLES[LEFT]], 1]
    return np.flatnonzero(upright & (-feet > 0.85 * at_rest))


@lru_cache(maxsize=1)
def sitting_poses() -> np.ndarray:
    """Indices of the captured poses of somebody upright on a seat."""
    return np.flatnonzero(on_seats(captured_poses()[0]))


def on_seats(poses: np.ndarray) -> np.ndarray:
    """(N,) bool, who of poses (N, J, 3) sits upright: thighs level, shanks down."""
    index = body_model().joint_index
    joints = posed_joints(poses)
    trunk = joints[:, index[HEAD]] - joints[:, index[ROOT]]
    sits = trunk[:, 1] > 0.85 * np.linalg.norm(trunk, axis=1)
    for hip, middle, ankle in LEGS:
        knee = joints[:, index[middle]]
        thigh = knee - joints[:, index[hip]]
        shank = joints[:, index[ankle]] - knee
        sits &= np.abs(thigh[:, 1]) < 0.6 * np.linalg.norm(thigh, axis=1)
        sits &= -shank[:, 1] > 0.7 * np.linalg.norm(shank, axis=1)
    return np.asarray(sits)


def gripping(pose: np.ndarray, side: str, amount: float) -> np.ndarray:
    """The pose (J, 3) with the fingers of one hand ("L" or "R") bent around something."""
    index = body_model().joint_index
    bent = curled_hands(pose, amount, amount)
    out = np.array(pose, np.float64)
    own = [j for name, j in index.items() if name.startswith("finger") and name.endswith(side)]
    out[own] = bent[own]
    return out


def facing_forward(pose: np.ndarray) -> np.ndarray:
    """The pose turned about the vertical until the pelvis faces +z; lying, it stays as it is."""
    out = np.array(pose, np.float64)
    pelvis = matrix_from_axis_angle(out[0])
    ahead = pelvis[[0, 2], 2]
    if np.hypot(*ahead) < 0.3:
        return out
    out[0] = axis_angle_from_matrix(_axis_rotation(1, -np.arctan2(*ahead)) @ pelvis)
    return out


def curled_hands(pose: np.ndarray, left: float, right: float, spread: float = 0.0) -> np.ndarray:
    """The pose with fingers bent by ``left`` and ``right`` radians at the first joints."""
    index = body_model().joint_index
    out = np.array(pose, np.float64)
    for side, amount, sign in ((LEFT, left, 1.0), (RIGHT, right, -1.0)):
        for number in range(2, 6):
            for joint, share in ((1, 0.8), (2, 1.0), (3, 0.7)):
                # Fingers point along the arm, out to the side at rest: they curl about z.
                bend = amount * share * (1 + 0.06 * (number - 2))
                out[index[finger(number, joint)[side]]] = [0.0, 0.0, -sign * bend]
            out[index[finger(number, 1)[side]], 1] = -sign * spread * (number - 3.5)
        out[index[finger(1, 2)[side]]] = [0.0, sign * 0.3 * amount, 0.0]
    return out
