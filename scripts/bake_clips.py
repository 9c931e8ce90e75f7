"""Bake the motions that come with avatars: idle, walk, run, wave, sit and a dance.

    python scripts/bake_clips.py --mocap DIR [-o src/vitruvian/body/data/clips.npz]

``DIR`` is as for ``bake_pose_prior.py``. CMU Graphics Lab motion capture database: free for any
use. DeepMimic (Peng et al., 2018): MIT. Only rotations of the body's joints that were fitted to
their frames are stored, as cycles on the spot, with the heights of the soles above the ground.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bake_pose_prior import Retargeter
from mocap import DEEPMIMIC_TURN, read_deepmimic, read_expmap

from vitruvian.body.model.clips import ANGLE_STEP, LENGTH_STEP
from vitruvian.body.model.footing import global_turns, soles, tread
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.body.model.skeleton import (
    ANKLES,
    ELBOWS,
    HEAD,
    HIPS,
    KNEES,
    RIGHT,
    SHOULDERS,
    SPINE,
    TOES,
    WRISTS,
)
from vitruvian.body.model.skeleton import ROOT as ROOT_JOINT
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.mesh import Mesh

ROOT = Path(__file__).resolve().parents[1]
RATE = 30.0
LOOKS_DOWN_DEG = 5.0
SOURCE = (
    "walk, run: body rotations fitted to walking_5 and running_3 of the CMU Graphics Lab Motion "
    "Capture Database (mocap.cs.cmu.edu), free for any use; created with funding from NSF "
    "EIA-0196217. dance: fitted to humanoid3d_dance_b of DeepMimic, Copyright 2018 Xue Bin Peng, "
    "MIT License. idle, wave, sit: constructed."
)


@dataclass
class Take:
    """Captured frames on the mean adult: rotations (T, J, 3, 3), roots (T, 3) in metres, seconds
    from frame to frame."""

    rotations: np.ndarray
    roots: np.ndarray
    step_s: float


class Baker:
    """Fits captured frames to the mean adult, closes their cycles and finds what stands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model: BodyModel = body_model()
        self.index = self.model.joint_index
        self.retargeter = Retargeter(self.model)
        model = self.model
        mesh = Mesh(
            model.template, model.faces, "body",
            skin_joints=model.skin_joints, skin_weights=model.skin_weights,
        )  # fmt: skip
        feet = soles(mesh, model.joint_names, model.joint_template)
        assert feet is not None
        self.feet = feet

    def expmap(self, clip: str, first: int, last: int) -> Take:
        """Rows of a CMU clip, 60 a second."""
        with np.load(self.folder / "cmu_expmap_train.npz") as archive:
            rows = archive[clip][first:last]
        fitted = [self.retargeter.fit(frame, 40) for frame in read_expmap(rows, 1)]
        print(f"{clip}: bones off by {np.mean([error for _, error in fitted]):.1f} degrees")
        return Take(np.array([turns for turns, _ in fitted]), rows[:, :3].astype(float), 1 / 60)

    def deepmimic(self, clip: str) -> Take:
        """All frames of a clip of DeepMimic."""
        path = self.folder / "deepmimic" / f"{clip}.txt"
        frames = np.array(json.loads(path.read_text())["Frames"], float)
        fitted = [self.retargeter.fit(frame, 40) for frame in read_deepmimic(path, 1)]
        print(f"{clip}: bones off by {np.mean([error for _, error in fitted]):.1f} degrees")
        roots = frames[:, 1:4] @ DEEPMIMIC_TURN.T
        return Take(np.array([turns for turns, _ in fitted]), roots, float(frames[0, 0]))

    def tread(self, rotations: np.ndarray) -> np.ndarray:
        """(T, 2, N, 3) points of both soles from the root joint."""
        turns, joints = global_turns(self.model.parents, rotations), self.model.joint_template
        treads = [
            tread(sole, side, self.index, joints, turns) for side, sole in enumerate(self.feet)
        ]
        return np.stack([ankle[:, None] + points for ankle, points in treads], 1)

    def metric(self, take: Take, ahead: bool) -> Take:
        """The take with roots in the mean adult's metres, on the ground, facing +z.

        The scale follows from feet: where one stands, the root moves as much as it goes back.
        """
        turn = global_turns(self.model.parents, take.rotations)[:, 0]
        way = take.roots[-1] - take.roots[0] if ahead else turn[:, :, 2].mean(0)
        yaw = matrix_from_axis_angle(np.array([0.0, -np.arctan2(way[0], way[2]), 0.0]))
        rotations = take.rotations.copy()
        rotations[:, 0] = yaw @ rotations[:, 0]
        roots = take.roots @ yaw.T
        points = self.tread(rotations)
        lowest = points[..., 1].min(2)
        frames = np.arange(len(roots) - 1)
        side = lowest[:-1].argmin(1)
        point = points[frames, side, :, 1].argmin(1)
        back = points[frames + 1, side, point] - points[frames, side, point]
        moved = np.diff(roots, axis=0)
        low = lowest.min(1)[:-1]
        if ahead:
            chosen = low < np.quantile(low, 0.5)
            scale = -np.median(back[chosen, 2] / moved[chosen, 2])
        else:
            scale = -np.median(low) / np.median(roots[:, 1])
        roots = roots * scale
        roots[:, 1] -= np.quantile(roots[:, 1] + lowest.min(1), 0.15)
        return Take(rotations, roots, take.step_s)

    def on_its_feet(self, take: Take) -> Take:
        """The take with its roots corrected so that the lower foot neither slides nor sinks.

        For actors whose legs are not in proportion to the mean adult's.
        """
        roots = take.roots.copy()
        points = self.tread(take.rotations)
        heights = roots[:, 1] + points[..., 1].min((1, 2))
        reach = round(0.15 / take.step_s)
        padded = np.pad(heights, 2 * reach, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
        lower = np.lib.stride_tricks.sliding_window_view(windows.min(1), 2 * reach + 1)
        heights -= lower.mean(1)
        roots[:, 1] -= lower.mean(1)
        for now in range(len(roots) - 1):
            feet = points[now, :, :, 1].min(1) + roots[now, 1]
            share = np.exp(-np.maximum(feet - feet.min(), 0) / 0.02)
            share *= 1 - _ramp((feet.min() - 0.03) / 0.05)  # in the air: as captured
            back = np.zeros(3)
            for side in (0, 1):
                pivot = (points[now, side] + points[now + 1, side])[:, 1].argmin()
                back += share[side] * (points[now + 1, side, pivot] - points[now, side, pivot])
            total = max(share.sum(), 1.0)
            free = take.roots[now + 1] - take.roots[now]
            moved = -back / total + (1 - share.sum() / total) * free
            roots[now + 1, [0, 2]] = roots[now, [0, 2]] + moved[[0, 2]]
        return Take(take.rotations, roots, take.step_s)

    def cycle(self, take: Take, first: int, last: int) -> Take:
        """Frames ``first`` to ``last``, of which the last is made the first again, 30 a second.

        What is between the two is spread over the cycle; the way ahead stays.
        """
        rotations, roots = take.rotations[first : last + 1], take.roots[first : last + 1].copy()
        share = np.linspace(0, 1, len(roots))
        back = axis_angle_from_matrix(rotations[-1].swapaxes(1, 2) @ rotations[0])
        print(f"  cycle closes by {np.rad2deg(np.linalg.norm(back, axis=1).max()):.1f} degrees")
        rotations = rotations @ matrix_from_axis_angle(share[:, None, None] * back)
        drift = roots[-1] - roots[0]
        roots -= share[:, None] * drift * (1, 1, 0)
        seconds = (len(roots) - 1) * take.step_s
        count = round(seconds * RATE)
        at = np.linspace(0, len(roots) - 1, count + 1)[:-1]
        low = at.astype(int)
        part = at - low
        between = axis_angle_from_matrix(rotations[low].swapaxes(-1, -2) @ rotations[low + 1])
        turns = rotations[low] @ matrix_from_axis_angle(part[:, None, None] * between)
        places = roots[low] + part[:, None] * (roots[low + 1] - roots[low])
        return Take(turns, places, seconds / count)

    def level_head(self, take: Take) -> None:
        """Let the head look a little down on average; captured ones are calibrated to caps."""
        head = self.index[HEAD]
        turns = global_turns(self.model.parents, take.rotations)[:, head]
        down = np.arcsin(np.clip(-turns[:, 1, 2], -1, 1)).mean()
        change = matrix_from_axis_angle(np.array([np.deg2rad(LOOKS_DOWN_DEG) - down, 0, 0]))
        take.rotations[:, head] = take.rotations[:, head] @ change


def finished(
    baker: Baker,
    take: Take,
    *,
    advance: float,
    stands: bool = False,
    near_m: float = 0.035,
    still_m: float = 0.016,
) -> dict[str, Any]:
    """What the file holds of a cycle whose roots go ahead by ``advance`` metres.

    Both feet always stand where ``stands``; else those that are lower than ``near_m`` and move
    less than ``still_m`` from key to key.
    """
    count = len(take.roots)
    roots = take.roots.copy()
    roots[:, 2] -= np.arange(count) / count * advance
    roots[:, [0, 2]] -= roots[:, [0, 2]].mean(0)
    points = baker.tread(take.rotations) + take.roots[:, None, None]
    heights = points[..., 1].min(2)
    if stands:
        lifts = np.zeros_like(heights)
    else:
        near, still = near_m, still_m
        lifts = np.stack(
            [_lifts(points[:, s], heights[:, s], advance, near, still) for s in (0, 1)], 1
        )
    share = (lifts <= 0).mean(0)
    print(
        f"  {count} keys, {count * take.step_s:.2f} s, {advance:.2f} m ahead, feet stand "
        f"{share[0]:.0%} and {share[1]:.0%}, soles from {heights.min() * 100:.1f} cm"
    )
    turns = axis_angle_from_matrix(take.rotations)[:, baker.model.active]
    return {
        "turns": np.round(turns / ANGLE_STEP).astype(np.int16),
        "roots": np.round(roots / LENGTH_STEP).astype(np.int16),
        "lifts": np.round(lifts / LENGTH_STEP).astype(np.int16),
        "seconds": np.float64(count * take.step_s),
        "advance": np.float64(advance),
    }


def _lifts(
    points: np.ndarray, heights: np.ndarray, advance: float, near_m: float, still_m: float
) -> np.ndarray:
    """(T,) heights of a sole, 0 while it stands: low, and its lowest point hardly moves."""
    count = len(points)
    after = np.roll(points, -1, 0)
    after[-1] = points[0] + (0, 0, advance)
    lowest = points[..., 1].argmin(1)
    rows = np.arange(count)
    moved = np.linalg.norm((after - points)[rows, lowest][:, [0, 2]], axis=1)
    stands = (heights < near_m) & ((moved < still_m) | (np.roll(moved, 1) < still_m))
    # No gaps and no steps of one or two keys.
    for value, longest in ((False, 2), (True, 2)):
        for start in np.flatnonzero((stands == value) & (np.roll(stands, 1) != value)):
            run = [start]
            while stands[(run[-1] + 1) % count] == value and len(run) <= longest:
                run.append(run[-1] + 1)
            if len(run) <= longest:
                stands[np.array(run) % count] = not value
    out = np.where(stands, 0.0, np.maximum(heights, 0.0))
    # It leaves the ground and comes down to it without a jump.
    near = np.ones(count)
    for away in (1, 2):
        beside = np.roll(stands, away) | np.roll(stands, -away)
        near = np.where(~stands & beside & (near == 1), away / 3, near)
    return np.where(stands, 0.0, np.maximum(out * near, 1.01 * LENGTH_STEP))


def idle(baker: Baker, seconds: float, step_s: float) -> Take:
    """Somebody at ease: arms hang, the weight shifts, the chest breathes, the head looks about."""
    count = round(seconds / step_s)
    turn = 2 * np.pi * np.arange(count) / count
    ones = np.ones(count)
    model, index = baker.model, baker.index
    take = Take(
        np.tile(np.eye(3), (count, len(model.parents), 1, 1)),
        np.zeros((count, 3)),
        step_s,
    )
    take.roots[:, 0] = 0.012 * np.sin(turn)
    take.roots[:, 2] = 0.006 * np.sin(2 * turn + 0.5)

    def lean(name: str, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> None:
        take.rotations[:, index[name]] = matrix_from_axis_angle(np.deg2rad(np.stack([x, y, z], 1)))

    breath = np.sin(2 * turn)
    lean(ROOT_JOINT, 0.5 * np.sin(2 * turn), 1.2 * np.sin(turn + 1), -0.9 * np.sin(turn))
    lean(SPINE[0], 0.5 * np.sin(turn), 0 * ones, 0.8 * np.sin(turn))
    lean(SPINE[1], -0.5 * breath, -1.0 * np.sin(turn + 1), 0.4 * np.sin(turn))
    lean(SPINE[2], -1.0 * breath, 0 * ones, 0 * ones)
    lean(HEAD, 1 + 1.0 * breath, 4 * np.sin(turn + 2), 0.7 * np.sin(turn))
    for side, sign in ((0, 1.0), (1, -1.0)):
        shoulder, elbow, wrist = (index[p[side]] for p in (SHOULDERS, ELBOWS, WRISTS))
        sway = 0.02 * np.sin(turn + 0.6 * sign)
        out = np.stack([(0.2 + 0.01 * breath) * sign, -ones, 0.0 + sway], 1)
        aimed(baker, take, shoulder, elbow, out, 0.15 * sign)
        out = np.stack([0.08 * sign * ones, -ones, 0.2 + 1.5 * sway], 1)
        aimed(baker, take, elbow, wrist, out, 0.35 * sign)
    take.roots[:, 1] = -baker.tread(take.rotations)[..., 1].min((1, 2)) - 0.006
    return take


def stand_still(baker: Baker, take: Take) -> None:
    """Let both feet lie flat where they are on average."""
    for side in (0, 1):
        knee, ankle, toes = (baker.index[p[side]] for p in (KNEES, ANKLES, TOES))
        turns = global_turns(baker.model.parents, take.rotations)
        mean = turns[:, ankle].mean(0)
        yaw = np.arctan2(mean[0, 2], mean[2, 2])
        flat = matrix_from_axis_angle(np.array([0.0, yaw, 0.0]))
        take.rotations[:, ankle] = turns[:, knee].swapaxes(1, 2) @ flat
        take.rotations[:, toes] = np.eye(3)


def aimed(baker: Baker, take: Take, start: int, end: int, along: np.ndarray, twist: float) -> None:
    """Turn a joint so that its bone points ``along`` (T, 3), in the file's axes, and twist it."""
    turns, joints = global_turns(baker.model.parents, take.rotations), baker.model.joint_template
    parent = baker.model.parents[start]
    rest = joints[end] - joints[start]
    rest = rest / np.linalg.norm(rest)
    goal = along / np.linalg.norm(along, axis=1, keepdims=True)
    axis = np.cross(rest, goal)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, (goal @ rest)[:, None])
    swing = matrix_from_axis_angle(axis / np.maximum(sine, 1e-9) * angle)
    spin = matrix_from_axis_angle(goal * twist)
    take.rotations[:, start] = turns[:, parent].swapaxes(1, 2) @ spin @ swing


def _ramp(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def wave(baker: Baker, ease: Take) -> Take:
    """The idle with the right hand raised and waved."""
    take = Take(ease.rotations.copy(), ease.roots.copy(), ease.step_s)
    t = np.arange(len(take.roots)) * take.step_s
    up = _ramp(t / 0.7) * _ramp((t[-1] + take.step_s - t) / 0.8)
    swing = 0.45 * np.sin(2 * np.pi * 1.5 * (t - 0.6)) * _ramp((t - 0.5) / 0.3)
    swing *= _ramp((t[-1] - 0.7 - t) / 0.3)
    raised = Take(ease.rotations.copy(), ease.roots, ease.step_s)
    ones = np.ones_like(t)
    shoulder, elbow, wrist = (baker.index[p[RIGHT]] for p in (SHOULDERS, ELBOWS, WRISTS))
    aimed(baker, raised, shoulder, elbow, np.stack([-ones, -0.35 * ones, 0.35 * ones], 1), 0.0)
    aimed(baker, raised, elbow, wrist, np.stack([-0.25 - swing, ones, 0.3 * ones], 1), -1.2)
    raised.rotations[:, wrist] = np.eye(3)
    for joint in (shoulder, elbow, wrist):
        way = axis_angle_from_matrix(
            take.rotations[:, joint].swapaxes(1, 2) @ raised.rotations[:, joint]
        )
        take.rotations[:, joint] = take.rotations[:, joint] @ matrix_from_axis_angle(
            up[:, None] * way
        )
    return take


def sit(baker: Baker, ease: Take) -> Take:
    """The idle's trunk on a chair: thighs level, shanks upright, hands on the thighs."""
    take = Take(ease.rotations.copy(), ease.roots.copy(), ease.step_s)
    ones = np.ones(len(take.roots))
    take.rotations[:, 0] = np.eye(3)
    for side, sign in ((0, 1.0), (1, -1.0)):
        hip, knee, ankle, toes = (baker.index[p[side]] for p in (HIPS, KNEES, ANKLES, TOES))
        shoulder, elbow, wrist = (baker.index[p[side]] for p in (SHOULDERS, ELBOWS, WRISTS))
        aimed(baker, take, hip, knee, np.stack([0.16 * sign * ones, -0.06 * ones, ones], 1), 0.0)
        aimed(baker, take, knee, ankle, np.stack([0.02 * sign * ones, -ones, -0.02 * ones], 1), 0.0)
        flat = matrix_from_axis_angle(np.array([0.0, 0.12 * sign, 0.0]))
        take.rotations[:, ankle] = (
            global_turns(baker.model.parents, take.rotations)[:, knee].swapaxes(1, 2) @ flat
        )
        take.rotations[:, toes] = np.eye(3)
        aimed(
            baker, take, shoulder, elbow, np.stack([0.22 * sign * ones, -ones, 0.22 * ones], 1), 0
        )
        aimed(
            baker, take, elbow, wrist, np.stack([-0.12 * sign * ones, -0.42 * ones, ones], 1), 0.0
        )
        take.rotations[:, wrist] = np.eye(3)
    points = baker.tread(take.rotations)
    take.roots[:] = 0
    take.roots[:, 1] = -points[..., 1].min((1, 2)).mean()
    return take


def main() -> None:
    """Fit, close and write all clips."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mocap", type=Path, required=True)
    output = ROOT / "src/vitruvian/body/data/clips.npz"
    parser.add_argument("-o", "--output", type=Path, default=output)
    arguments = parser.parse_args()
    baker = Baker(arguments.mocap)
    clips: dict[str, dict[str, Any]] = {}

    slow, fast = 1 / 15, 1 / RATE
    take = idle(baker, 6.0, slow)
    stand_still(baker, take)
    clips["idle"] = finished(baker, take, advance=0.0, stands=True)
    for name, clip, first, last in (("walk", "walking_5", 40, 105), ("run", "running_3", 18, 62)):
        take = baker.metric(baker.expmap(clip, 0, last + 15), True)
        take = baker.cycle(take, first, last)
        baker.level_head(take)
        count = len(take.roots)
        advance = (take.roots[-1] - take.roots[0])[2] * count / (count - 1)
        clips[name] = finished(baker, take, advance=float(advance))
    take = idle(baker, 4.0, fast)
    stand_still(baker, take)
    clips["wave"] = finished(baker, wave(baker, take), advance=0.0, stands=True)
    clips["sit"] = finished(baker, sit(baker, idle(baker, 6.0, slow)), advance=0.0, stands=True)
    take = baker.metric(baker.deepmimic("humanoid3d_dance_b"), False)
    take = baker.cycle(baker.on_its_feet(take), 0, len(take.roots) - 1)
    take.roots[:, 2] -= np.linspace(0, 1, len(take.roots)) * (take.roots[-1] - take.roots[0])[2]
    clips["dance"] = finished(baker, take, advance=0.0, near_m=0.04, still_m=0.02)

    data = {f"{name}_{key}": value for name, clip in clips.items() for key, value in clip.items()}
    joints = [baker.model.joint_names[joint] for joint in baker.model.active]
    np.savez_compressed(
        arguments.output,
        source=np.array(SOURCE),
        names=np.array(list(clips)),
        joints=np.array(joints),
        **data,
    )
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
