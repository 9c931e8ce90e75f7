"""What people of synthetic clips do: captured motions on their bodies, from place to place."""

from __future__ import annotations

import numpy as np

from vitruvian.body.model.clips import FittedMotion, fitted_motions
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ARM_STEMS, CLAVICLES, ELBOWS, NECK, SHOULDERS, SPINE
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.mesh import Mesh
from vitruvian.types.motion import Motion

MOTIONS = ("walk", "run", "dance", "wave", "idle")
_SHARES = (0.36, 0.12, 0.28, 0.14, 0.1)
_OTHER_ARMS = 0.35  # share of clips in which the arms do something else than the legs
_LEAN = 0.06  # radians by which a person's posture differs from the captured one


def random_motion(
    rng: np.random.Generator, betas: np.ndarray, seconds: np.ndarray
) -> tuple[str, Motion]:
    """A captured motion on a body, and its name.

    The person crosses the origin half way. Bare soles of feet that stand neither slide nor sink:
    the floor is at y = 0.

    Args:
        rng: random numbers.
        betas: (K,) of the body.
        seconds: (F,) from 0.

    Returns:
        name, and the motion in the frame ``world``.
    """
    model = body_model()
    vertices, joints = model.rest(betas)
    mesh = Mesh(
        vertices, model.faces, "body", skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )  # fmt: skip
    motions = {motion.name: motion for motion in fitted_motions(mesh, joints)}
    name = str(rng.choice(MOTIONS, p=_SHARES))
    motion = motions[name]
    pose, roots = sampled(motion, seconds + rng.uniform(0, motion.times_s[-1]))
    if rng.random() < _OTHER_ARMS:
        other = motions[str(rng.choice(MOTIONS))]
        arms = [j for n, j in model.joint_index.items() if n.startswith(("clavicle", *ARM_STEMS))]
        pose[:, arms] = sampled(other, seconds + rng.uniform(0, other.times_s[-1]))[0][:, arms]
        name = f"{name}, arms of {other.name}"
    posture = [model.joint_index[n] for n in (*SPINE, NECK, *CLAVICLES, *SHOULDERS, *ELBOWS)]
    pose[:, posture] += rng.normal(0, _LEAN, (len(posture), 3))
    if rng.random() < 0.5:
        pose = np.stack([model.mirrored_pose(one) for one in pose])
        roots = roots * [-1, 1, 1]
    roots = roots + [0, 0, 1] * (motion.speed * (seconds - seconds[-1] / 2))[:, None]
    heading = matrix_from_axis_angle(np.array([0, rng.uniform(-np.pi, np.pi), 0]))
    pose[:, 0] = axis_angle_from_matrix(heading @ matrix_from_axis_angle(pose[:, 0]))
    names = tuple(model.joint_names)
    return name, Motion(seconds, pose, roots @ heading.T, betas, names, "world")


def sampled(motion: FittedMotion, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pose (F, J, 3) and root (F, 3) of a motion that repeats itself, at any times, on the spot."""
    at = np.interp(seconds % motion.times_s[-1], motion.times_s, np.arange(len(motion.times_s)))
    key = np.minimum(at.astype(int), len(motion.times_s) - 2)
    share = at - key
    before, after = motion.rotations[key], motion.rotations[key + 1]
    turn = axis_angle_from_matrix(before.swapaxes(-1, -2) @ after)
    turns = before @ matrix_from_axis_angle(share[:, None, None] * turn)
    roots = motion.roots[key] + share[:, None] * (motion.roots[key + 1] - motion.roots[key])
    return axis_angle_from_matrix(turns), roots
