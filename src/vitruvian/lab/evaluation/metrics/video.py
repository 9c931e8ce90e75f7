"""Steadiness of a moving body: jitter, acceleration, sliding feet."""

from __future__ import annotations

import numpy as np


def _track(joints: np.ndarray, frames: int) -> np.ndarray:
    joints = np.asarray(joints, np.float64)
    if joints.ndim != 3 or joints.shape[2] != 3:
        raise ValueError(f"joints must have shape (T, J, 3), got {joints.shape}")
    if len(joints) < frames:
        raise ValueError(f"at least {frames} frames are needed, got {len(joints)}")
    return joints


def acceleration_error(predicted: np.ndarray, true: np.ndarray, *, fps: float) -> float:
    """Mean difference of the joints' accelerations, in m/s².

    Accelerations are second differences ``(x[t-1] - 2 x[t] + x[t+1]) fps²`` of the joints
    (T, J, 3) in metres, T >= 3; the error is the mean Euclidean distance over frames and joints
    (Kanazawa et al., "HMMR", 2019, who report it in mm per frame²: multiply by 1000 / fps²).
    """
    predicted, true = _track(predicted, 3), _track(true, 3)
    if predicted.shape != true.shape:
        raise ValueError(f"shapes differ: {predicted.shape} and {true.shape}")
    difference = np.diff(predicted - true, n=2, axis=0)
    return float(np.linalg.norm(difference, axis=2).mean() * fps**2)


def jitter(joints: np.ndarray, *, fps: float) -> float:
    """Mean jerk of the joints (T, J, 3) in metres, T >= 4, in m/s³.

    Jerk is the third difference of position times fps³ (Yi et al., "Physical inertial poser",
    2022). It needs no truth; real walking is in the order of 10²: lower than the truth's is
    over-smoothed.
    """
    joints = _track(joints, 4)
    return float(np.linalg.norm(np.diff(joints, n=3, axis=0), axis=2).mean() * fps**3)


def foot_slide(
    feet: np.ndarray,
    *,
    contact: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    threshold_m: float = 0.01,
) -> float:
    """Mean movement of standing feet from one frame to the next, in mm.

    Foot sliding as in WHAM (Shin et al. 2024): over the frames in which a foot stands, the mean
    distance it moves to the next frame. Standing is either given, or means that the same points of
    the true motion move less than ``threshold_m``.

    Args:
        feet: (T, F, 3) points of the feet in the world frame, metres.
        contact: (T - 1, F) bool, True where a point stands from frame t to t + 1.
        reference: (T, F, 3) true motion that ``contact`` is taken from instead.
        threshold_m: how little a standing point moves between frames.

    Returns:
        The slide, or NaN when no foot ever stands.
    """
    feet = _track(feet, 2)
    if (contact is None) == (reference is None):
        raise ValueError("give either contact or reference")
    if reference is not None:
        moved = np.linalg.norm(np.diff(_track(reference, 2), axis=0), axis=2)
        contact = moved < threshold_m
    standing = np.asarray(contact, bool)
    steps = np.linalg.norm(np.diff(feet, axis=0), axis=2)
    if standing.shape != steps.shape:
        raise ValueError(f"contact must have shape {steps.shape}, got {standing.shape}")
    return float(steps[standing].mean() * 1000) if standing.any() else float("nan")
