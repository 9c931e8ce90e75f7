"""Motions that come with every avatar: captured ones, fitted to the legs and soles at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model.fingers import relaxed_fingers
from vitruvian.body.model.footing import Sole, grounded, soles
from vitruvian.body.model.model import DATA, BodyModel, body_model
from vitruvian.body.model.skeleton import ANKLES, HIPS, KNEES, LEFT
from vitruvian.errors import WeightsError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.mesh import Mesh

ANGLE_STEP, LENGTH_STEP = 1e-4, 1e-4  # radians and metres per unit of the file
# Motions that do not need legs, for people whose files end above their feet.
_WITHOUT_LEGS = ("idle", "wave")


@dataclass(frozen=True)
class CapturedMotion:
    """A cycle of motion of the mean adult, on the spot.

    Attributes:
        name: such as ``walk``.
        seconds: that the cycle takes.
        rotations: (T, J, 3, 3) local; after the last key comes the first again.
        roots: (T, 3) positions of the root joint above where it rests; y from the ground, metres.
        lifts: (T, 2) how high the soles of the left and the right foot are above the ground.
        advance: metres that the person walks ahead (+z) in a cycle.
    """

    name: str
    seconds: float
    rotations: np.ndarray
    roots: np.ndarray
    lifts: np.ndarray
    advance: float


@dataclass(frozen=True)
class FittedMotion:
    """A motion of one body, ready to be written: its last key is its first again.

    Attributes:
        name: such as ``walk``.
        times_s: (T,) from 0.
        rotations: (T, J, 3, 3) local.
        roots: (T, 3) positions of the root joint: y from the ground, x and z from where it rests.
        speed: metres per second at which the person would move ahead.
    """

    name: str
    times_s: np.ndarray
    rotations: np.ndarray
    roots: np.ndarray
    speed: float


@lru_cache(maxsize=1)
def captured_motions() -> tuple[CapturedMotion, ...]:
    """Idle, walk, run, wave, sit and a dance, of the mean adult.

    Written by ``scripts/bake_clips.py``. Raises ``WeightsError`` when the package is damaged.
    """
    path = DATA / "clips.npz"
    model = body_model()
    joints, fingers = relaxed_fingers(model)
    try:
        with np.load(path) as archive:
            moving = [model.joint_index[str(name)] for name in archive["joints"]]
            found = []
            for name in map(str, archive["names"]):
                turns = archive[f"{name}_turns"] * ANGLE_STEP
                rotations = np.tile(np.eye(3), (len(turns), len(model.parents), 1, 1))
                rotations[:, moving] = matrix_from_axis_angle(turns)
                rotations[:, joints] = fingers
                found.append(
                    CapturedMotion(
                        name=name,
                        seconds=float(archive[f"{name}_seconds"]),
                        rotations=rotations,
                        roots=archive[f"{name}_roots"] * LENGTH_STEP,
                        lifts=archive[f"{name}_lifts"] * LENGTH_STEP,
                        advance=float(archive[f"{name}_advance"]),
                    )
                )
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"The clips {path} cannot be read: reinstall the package.") from error
    return tuple(found)


def fitted_motions(mesh: Mesh, joints: np.ndarray, *, legs: bool = True) -> list[FittedMotion]:
    """All motions on a body, its feet on the ground.

    Where feet stand they neither slide nor sink, whatever the legs and soles are.

    Args:
        mesh: what is animated, at rest in the frame ``body``, with its skin; its soles are those
            that tread.
        joints: (J, 3) rest positions of the body model's joints in that frame.
        legs: whether the mesh has legs to walk on; without, only what needs none is returned.
    """
    model = body_model()
    feet = soles(mesh, model.joint_names, joints) if legs else None
    found = []
    for motion in captured_motions():
        if feet is None:
            if motion.name not in _WITHOUT_LEGS:
                continue
            rotations = motion.rotations.copy()
            rotations[:, [model.joint_index[one] for one in (*HIPS, *KNEES, *ANKLES)]] = np.eye(3)
            roots = motion.roots - motion.roots.mean(0)
            roots[:, 1] += joints[0, 1] - mesh.vertices[:, 1].min()
            speed = 0.0
        else:
            size = _leg(model, joints) / _leg(model, model.joint_template)
            roots = motion.roots * size
            # Legs of another length stand on soles of another thickness.
            roots[:, 1] += _ankle_height(feet) - size * _mean_ankle_height()
            step = np.array([0.0, 0.0, motion.advance * size / len(roots)])
            rotations, roots = grounded(
                model.parents,
                model.joint_index,
                joints,
                motion.rotations,
                roots,
                motion.lifts * size,
                step,
                feet,
            )
            speed = motion.advance * size / motion.seconds
        found.append(
            FittedMotion(
                name=motion.name,
                times_s=np.linspace(0, motion.seconds, len(roots) + 1),
                rotations=np.concatenate([rotations, rotations[:1]]),
                roots=np.concatenate([roots, roots[:1]]),
                speed=speed,
            )
        )
    return found


def _leg(model: BodyModel, joints: np.ndarray) -> float:
    hip, knee, ankle = (joints[model.joint_index[pair[LEFT]]] for pair in (HIPS, KNEES, ANKLES))
    return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


def _ankle_height(feet: list[Sole]) -> float:
    return float(-min(sole.points[:, 1].min() for sole in feet))


@lru_cache(maxsize=1)
def _mean_ankle_height() -> float:
    model = body_model()
    mesh = Mesh(
        model.template,
        model.faces,
        "body",
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    feet = soles(mesh, model.joint_names, model.joint_template)
    assert feet is not None  # a whole body has them
    return _ankle_height(feet)
