"""Bodies of the SMPL family as arrays, named as its programs name them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vitruvian.errors import InputError
from vitruvian.exchange.smpl_fit import SmplPoses
from vitruvian.exchange.smpl_model import JOINT_NAMES, Kind, SmplModel
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle

EXPRESSIONS = 10  # of SMPL-X; we tell none
# Of each kind: name of the array, first joint and one after the last.
PARTS: dict[Kind, tuple[tuple[str, int, int], ...]] = {
    "smpl": (("body_pose", 1, 24),),
    "smplh": (("body_pose", 1, 22), ("left_hand_pose", 22, 37), ("right_hand_pose", 37, 52)),
    "smplx": (
        ("body_pose", 1, 22), ("jaw_pose", 22, 23), ("leye_pose", 23, 24), ("reye_pose", 24, 25),
        ("left_hand_pose", 25, 40), ("right_hand_pose", 40, 55),
    ),
}  # fmt: skip


def smpl_arrays(
    other: SmplModel,
    poses: SmplPoses,
    *,
    camera: np.ndarray | None = None,
    world: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """What ``smpl.npz`` holds of a body.

    Args:
        other: the model.
        poses: T times, in some frame.
        camera: (T, 4, 4) rigid, from that frame to the camera's at each time; None: it is that.
        world: (4, 4) rigid, from that frame to the world's; None where that is not known.
    """
    times = len(poses.rotations)
    root = other.joints(poses.betas)[0]
    here = np.tile(np.eye(4), (times, 1, 1)) if camera is None else camera
    orient, transl = _placed(poses, root, here)
    arrays = {
        "model": np.array(other.kind),
        "gender": np.array(other.gender),
        "global_orient": orient,
        "transl": transl,
        "betas": np.tile(poses.betas, (times, 1)),
        "error_m": poses.error_m,
    }
    turns = axis_angle_from_matrix(poses.rotations)
    for name, first, last in PARTS[other.kind]:
        arrays[name] = turns[:, first:last].reshape(times, -1)
    if other.kind == "smplx":
        arrays["expression"] = np.zeros((times, EXPRESSIONS))
    if world is not None:
        matrices = np.tile(world, (times, 1, 1))
        arrays["global_orient_world"], arrays["transl_world"] = _placed(poses, root, matrices)
        arrays["camera_from_world"] = here @ np.linalg.inv(world)
    return {
        name: values.astype(np.float32) if values.dtype == np.float64 else values
        for name, values in arrays.items()
    }


def _placed(
    poses: SmplPoses, root: np.ndarray, matrices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``global_orient`` and ``transl``, (T, 3) each, after rigid motions (T, 4, 4).

    The root turns about the pelvis, which is not the origin: so ``transl`` changes with it.
    """
    turned = matrices[:, :3, :3] @ poses.rotations[:, 0]
    place = np.einsum("tab,tb->ta", matrices[:, :3, :3], root + poses.translation)
    return axis_angle_from_matrix(turned), place + matrices[:, :3, 3] - root


def camera_arrays(
    focal_px: float, centre: tuple[float, float], width: int, height: int
) -> dict[str, np.ndarray]:
    """The pinhole camera of a picture, pixels."""
    cx, cy = centre
    return {
        "focal_length": np.array(focal_px),
        "camera_center": np.array(centre),
        "image_size": np.array([width, height]),
        "K": np.array([[focal_px, 0, cx], [0, focal_px, cy], [0, 0, 1.0]]),
    }


def read_smpl_arrays(
    arrays: dict[str, Any], other: SmplModel, label: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Betas (K,), local rotations (T, J, 3, 3) and ``transl`` (T, 3) of a file of parameters.

    As ``smpl_arrays`` names them, or AMASS: ``poses``, ``trans``, ``betas``. What is absent is 0.

    Raises:
        InputError: they are not of this kind of model.
    """
    count = len(JOINT_NAMES[other.kind])
    if "poses" in arrays and "global_orient" not in arrays:
        turns = _numbers(arrays["poses"], label, "poses")
        if turns.size % (3 * count):
            raise _refused(label, f"poses of {turns.shape} are not of {count} joints")
        turns = turns.reshape(-1, count, 3)
    else:
        root = _numbers(arrays.get("global_orient"), label, "global_orient").reshape(-1, 3)
        turns = np.zeros((len(root), count, 3))
        turns[:, 0] = root
        for name, first, last in PARTS[other.kind]:
            if name not in arrays and name != "body_pose":
                continue
            part = _numbers(arrays.get(name), label, name)
            if part.size != len(root) * (last - first) * 3:
                raise _refused(label, f"{name} of {part.shape} is not of {last - first} joints")
            turns[:, first:last] = part.reshape(len(root), last - first, 3)
    times = len(turns)
    given = _numbers(arrays.get("betas", np.zeros(10)), label, "betas")
    given = given.reshape(-1, given.shape[-1])[0] if given.ndim else np.zeros(0)
    betas = np.zeros(other.shape_count)
    betas[: min(len(given), len(betas))] = given[: len(betas)]
    place = _numbers(
        arrays.get("transl", arrays.get("trans", np.zeros((times, 3)))), label, "transl"
    )
    if place.size != times * 3:
        raise _refused(label, f"transl of {place.shape} is not of {times} times")
    return betas, matrix_from_axis_angle(turns), place.reshape(times, 3)


def _numbers(values: Any, label: str, name: str) -> np.ndarray:
    if values is None:
        raise _refused(label, f"there is no {name}")
    try:
        found = np.asarray(values, np.float64)
    except (ValueError, TypeError) as error:
        raise _refused(label, f"{name} holds no numbers") from error
    if not found.size or not np.isfinite(found).all() or math.prod(found.shape) > 10**8:
        raise _refused(label, f"{name} holds no usable numbers")
    return found


def _refused(label: str, reason: str) -> InputError:
    return InputError(
        f"{label} holds no body of this model ({reason}): give the parameters of a body, as its "
        "own programs write them."
    )
