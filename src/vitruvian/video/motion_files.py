"""Motions as data: ``motion.npz`` with all arrays, ``motion.json``, tables of joints."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.formats.atomic import write_bytes, write_json, write_text
from vitruvian.formats.bone_names import bone_names
from vitruvian.types.motion import Motion
from vitruvian.video.pose import in_world, joints_of
from vitruvian.video.scene import Mover, MovingScene

FRAMES_NOTE = (
    "Metres, seconds, radians. World: y up, right-handed, floor at y = 0. Camera: x right, y down, "
    "z forward. pose: local axis-angle of each joint relative to its parent, where at rest all "
    "axes are parallel to the body's (y up, facing +z); the root's turns the body's frame into the "
    "world's. translation: position of the root joint."
)


def write_motion_npz(scene: MovingScene, path: Path) -> Path:
    """All arrays of everybody's motion: names begin with ``person_N_``; see docs/video.md."""
    model = scene.model
    arrays: dict[str, np.ndarray] = {
        "frame_numbers": scene.numbers,
        "frame_times_s": scene.times_s,
        "camera_from_world": np.linalg.inv(scene.world_from_camera),
        "cameras_from_world": _cameras(scene),
        "intrinsics": _intrinsics(scene),
        "focals_px": np.array([scene.camera_at(int(n)).focal_px for n in scene.numbers]),
        "joint_names": np.array(model.joint_names),
        "parents": np.asarray(model.parents),
    }
    for mover in scene.people:
        world = in_world(mover.motion, scene.world_from_camera)
        joints, _ = joints_of(mover, world)
        key = f"person_{mover.id}_"
        arrays |= {
            f"{key}numbers": mover.numbers,
            f"{key}times_s": world.times_s,
            f"{key}seen": mover.seen,
            f"{key}pose": world.pose.astype(np.float32),
            f"{key}translation": world.translation.astype(np.float32),
            f"{key}joints": joints.astype(np.float32),
            f"{key}betas": world.betas,
            f"{key}still": mover.still,
        }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return write_bytes(path, buffer.getvalue())


def write_motion_json(scene: MovingScene, path: Path) -> Path:
    """The motion of the joints that move, for programs without NumPy."""
    model = scene.model
    names = [model.joint_names[index] for index in model.active]
    people: list[dict[str, Any]] = []
    for mover in scene.people:
        world = in_world(mover.motion, scene.world_from_camera)
        joints, _ = joints_of(mover, world)
        people.append(
            {
                "id": mover.id,
                "height_m": round(mover.height_m, 4),
                "frames": mover.numbers.tolist(),
                "times_s": world.times_s.round(4).tolist(),
                "seen": mover.seen.tolist(),
                "translation": world.translation.round(4).tolist(),
                "pose": world.pose[:, model.active].round(4).tolist(),
                "joints": joints[:, model.active].round(4).tolist(),
            }
        )
    camera: dict[str, Any] = {
        "intrinsics": _intrinsics(scene).tolist(),
        "camera_from_world": np.linalg.inv(scene.world_from_camera).round(6).tolist(),
    }
    if scene.turning is not None:
        rows = zip(scene.numbers, _cameras(scene), strict=True)
        camera["cameras_from_world"] = {str(n): one.round(6).tolist() for n, one in rows}
    content = {
        "note": FRAMES_NOTE,
        "fps": round(scene.fps, 4),
        "joint_names": names,
        "camera": camera,
        "people": people,
    }
    return write_json(path, content)


def _cameras(scene: MovingScene) -> np.ndarray:
    """(F, 4, 4) from the world to the camera of every frame."""
    first = np.linalg.inv(scene.world_from_camera)
    return np.stack([scene.camera_from_reference(int(n)) @ first for n in scene.numbers])


def _intrinsics(scene: MovingScene) -> np.ndarray:
    camera = scene.camera
    cx, cy = camera.principal_point
    return np.array([[camera.focal_px, 0, cx], [0, camera.focal_px, cy], [0, 0, 1.0]])


def write_joints_csv(scene: MovingScene, mover: Mover, path: Path) -> Path:
    """A row per time: positions of the joints in the world, metres."""
    world = in_world(mover.motion, scene.world_from_camera)
    joints, _ = joints_of(mover, world)
    active = scene.model.active
    names = bone_names([scene.model.joint_names[index] for index in active], "humanoid")
    header = [f"{name}_{axis}" for name in names for axis in "xyz"]
    return _write_table(mover, world, header, joints[:, active].reshape(len(joints), -1), path, 4)


def write_angles_csv(scene: MovingScene, mover: Mover, path: Path) -> Path:
    """A row per time: rotation vectors of the joints relative to their parents, degrees."""
    world = in_world(mover.motion, scene.world_from_camera)
    active = scene.model.active
    names = bone_names([scene.model.joint_names[index] for index in active], "humanoid")
    header = [f"{name}_r{axis}" for name in names for axis in "xyz"]
    degrees = np.rad2deg(world.pose[:, active]).reshape(len(world.pose), -1)
    return _write_table(mover, world, header, degrees, path, 2)


def _write_table(
    mover: Mover, motion: Motion, header: list[str], values: np.ndarray, path: Path, digits: int
) -> Path:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["frame", "time_s", "seen", *header])
    rows = zip(mover.numbers, motion.times_s, mover.seen, values, strict=True)
    for number, time_s, seen, row in rows:
        numbers = [f"{value:.{digits}f}" for value in row]
        table.writerow([int(number), f"{time_s:.4f}", int(seen), *numbers])
    return write_text(path, text.getvalue())
