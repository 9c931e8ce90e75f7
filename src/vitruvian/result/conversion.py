"""Files of bodies, converted to and from a model of the SMPL family."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.errors import InputError
from vitruvian.exchange.registered import correspondence
from vitruvian.exchange.smpl_arrays import read_smpl_arrays, smpl_arrays
from vitruvian.exchange.smpl_fit import OurPoses, from_smpl, to_smpl
from vitruvian.exchange.smpl_model import SmplModel
from vitruvian.formats.atomic import write_json
from vitruvian.formats.export import export_mesh
from vitruvian.geometry.rotations import axis_angle_from_matrix
from vitruvian.image.names import readable
from vitruvian.result.body_file import describe_body
from vitruvian.result.smpl_file import write_arrays
from vitruvian.types.body import Body

MAX_BYTES = 1 << 30
_MOST_TIMES = 100_000
_CAMERA_FROM_WORLD_AXES = np.diag([1.0, -1.0, -1.0])

Written = tuple[Path, float | None]  # a file, and the mean distance of the bodies in metres


def convert_file(
    source: Path, other: SmplModel, folder: Path, frame: Literal["camera", "world"] = "camera"
) -> list[Written]:
    """Convert the bodies in a file.

    Args:
        source: ``body.json`` or ``motion.npz`` of ours, or parameters of theirs, ``.npz``.
        other: their model.
        folder: where ``smpl.npz``, or ``body.json``, ``body.obj`` and ``motion.npz`` go.
        frame: axes of their parameters: ``camera`` (OpenCV) or ``world`` (glTF).

    Raises:
        InputError: the file holds no body, or one of another model, or the place cannot be written.
    """
    ours = body_model()
    content = _read(source)
    label = readable(str(source))
    if "pose" in content and "translation" in content:
        return [_still(content, other, ours, folder, label)]
    people = sorted({m[1] for m in (re.match(r"person_(\d+)_pose$", n) for n in content) if m})
    if people:
        return [
            _moving(content, number, other, ours, folder, label, several=len(people) > 1)
            for number in people
        ]
    return _from_theirs(content, other, ours, folder, label, frame)


def _read(source: Path) -> dict[str, Any]:
    label = readable(str(source))
    try:
        if source.stat().st_size > MAX_BYTES:
            raise InputError(f"{label} is too large to hold bodies: check the path.")
        if not zipfile.is_zipfile(source):
            content = json.loads(source.read_bytes())
            if not isinstance(content, dict):
                raise ValueError("no mapping")
            return content
        with np.load(source, allow_pickle=False) as archive:
            found = {}
            for name in archive.files:
                try:
                    found[name] = archive[name]
                except ValueError:  # an object, which is not looked at
                    continue
            return found
    except FileNotFoundError as error:
        raise InputError(
            f"There is no file {label}: check the path.", code="missing-file"
        ) from error
    except (InputError, MemoryError):
        raise
    except Exception as error:  # as many kinds as there are ways to damage a file
        raise InputError(
            f"{label} holds no bodies: give body.json, motion.npz or parameters of a body (.npz)."
        ) from error


def _still(
    content: dict[str, Any], other: SmplModel, ours: BodyModel, folder: Path, label: str
) -> Written:
    """``body.json`` to ``smpl.npz``."""
    try:
        pose = np.array([content["pose"][name] for name in ours.joint_names], float)
        posed = ours.forward(
            _finite(content["betas"]), _finite(pose), _finite(content["translation"])
        )
        world = content.get("world_from_camera")
        matrix = None if world is None else _finite(world).reshape(4, 4)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise InputError(
            f"{label} is no body.json of this version: write it again with vitruvian photo."
        ) from error
    poses = to_smpl(other, ours, correspondence(other, ours), [posed.vertices])
    path = write_arrays(smpl_arrays(other, poses, world=matrix), folder / "smpl.npz")
    return path, float(poses.error_m.mean())


def _moving(
    content: dict[str, Any],
    number: str,
    other: SmplModel,
    ours: BodyModel,
    folder: Path,
    label: str,
    *,
    several: bool,
) -> Written:
    """One person of ``motion.npz`` to ``smpl.npz``."""
    key = f"person_{number}_"
    try:
        betas = _finite(content[f"{key}betas"])
        turns = _finite(content[f"{key}pose"])
        places = _finite(content[f"{key}translation"])
        if turns.shape != (len(places), len(ours.parents), 3) or not len(turns):
            raise ValueError("the pose is of another body")
        to_camera = _finite(content["camera_from_world"]).reshape(4, 4)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{label} is no motion.npz of this version: write it again with vitruvian video."
        ) from error

    def surfaces() -> Iterator[np.ndarray]:
        for pose, place in zip(turns, places, strict=True):
            yield ours.forward(betas, pose, place).vertices

    poses = to_smpl(other, ours, correspondence(other, ours), surfaces())
    cameras = np.tile(to_camera, (len(turns), 1, 1))
    arrays = smpl_arrays(other, poses, camera=cameras, world=np.eye(4))
    if f"{key}times_s" in content:
        arrays["times_s"] = np.asarray(content[f"{key}times_s"])
    name = f"smpl-{number}.npz" if several else "smpl.npz"
    return write_arrays(arrays, folder / name), float(poses.error_m.mean())


def _from_theirs(
    content: dict[str, Any],
    other: SmplModel,
    ours: BodyModel,
    folder: Path,
    label: str,
    frame: Literal["camera", "world"],
) -> list[Written]:
    """Parameters of their model to ``body.json`` and ``body.obj``, of many times ``motion.npz``."""
    betas, rotations, places = read_smpl_arrays(content, other, label)
    if len(rotations) > _MOST_TIMES:
        raise InputError(f"{label} has more than {_MOST_TIMES} times: cut it into parts.")
    if frame == "world":  # the root turns about the pelvis, the axes about the origin
        pelvis = other.joints(betas)[0]
        rotations[:, 0] = _CAMERA_FROM_WORLD_AXES @ rotations[:, 0]
        places = (places + pelvis) @ _CAMERA_FROM_WORLD_AXES - pelvis
    bodies = (
        other.forward(betas, turns, place)[0]
        for turns, place in zip(rotations, places, strict=True)
    )
    poses = from_smpl(other, ours, correspondence(other, ours), bodies)
    error_m = float(poses.error_m.mean())
    body = _body(poses, ours)
    written: list[Written] = [
        (write_json(folder / "body.json", describe_body(body)), error_m),
        (export_mesh(body.as_mesh(), folder / "body.obj"), None),
    ]
    if len(rotations) > 1:
        arrays = {
            "joint_names": np.array(ours.joint_names),
            "parents": np.asarray(ours.parents),
            "camera_from_world": np.eye(4),
            "person_1_betas": poses.betas,
            "person_1_pose": axis_angle_from_matrix(poses.rotations).astype(np.float32),
            "person_1_translation": poses.translation.astype(np.float32),
        }
        written.append((write_arrays(arrays, folder / "motion.npz"), None))
    return written


def _body(poses: OurPoses, ours: BodyModel) -> Body:
    """Our body at the first time."""
    posed = ours.forward_rotations(poses.betas, poses.rotations[0], poses.translation[0])
    return Body(
        model=ours,
        betas=poses.betas,
        pose=axis_angle_from_matrix(poses.rotations[0]),
        translation=poses.translation[0],
        height_m=ours.stature(poses.betas),
        vertices=posed.vertices,
        joints=posed.joints,
        phenotype=dict(ours.describe_shape(poses.betas)),
    )


def _finite(values: Any) -> np.ndarray:
    found = np.asarray(values, np.float64)
    if not np.isfinite(found).all():
        raise ValueError("not finite")
    return found
