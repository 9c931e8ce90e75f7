"""Errors of a fitted body against the truth: joints and vertices, in millimetres."""

from __future__ import annotations

import numpy as np

from vitruvian.lab.evaluation.metrics.alignment import similarity_alignment


def _pair(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    predicted, true = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if predicted.shape != true.shape or predicted.ndim != 2 or predicted.shape[1] != 3:
        raise ValueError(
            f"expected two arrays of the same shape (J, 3), got {predicted.shape} and {true.shape}"
        )
    return predicted, true


def mpjpe(predicted: np.ndarray, true: np.ndarray, *, root: int | None = 0) -> float:
    """Mean per-joint position error in mm.

    Mean Euclidean distance between joints (J, 3) in metres after moving both so that joint
    ``root`` is at the origin (Ionescu et al., "Human3.6M", 2014); ``root=None`` compares absolute
    positions.
    """
    predicted, true = _pair(predicted, true)
    if root is not None:
        predicted, true = predicted - predicted[root], true - true[root]
    return float(np.linalg.norm(predicted - true, axis=1).mean() * 1000)


def pa_mpjpe(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean per-joint position error in mm after the best similarity transform.

    Rotation, translation and scale are chosen by Procrustes analysis (Umeyama 1991), as "protocol
    2" of Human3.6M and PA-MPJPE of 3DPW.
    """
    predicted, true = _pair(predicted, true)
    aligned = similarity_alignment(predicted, true).apply(predicted)
    return float(np.linalg.norm(aligned - true, axis=1).mean() * 1000)


def pve(
    predicted: np.ndarray,
    true: np.ndarray,
    *,
    predicted_root: np.ndarray | None = None,
    true_root: np.ndarray | None = None,
) -> float:
    """Mean per-vertex error in mm between bodies (V, 3) of one topology, in metres.

    Both are moved so that their root joints (3,) are at the origin, where given; without them,
    absolute positions are compared. PVE of 3DPW and AGORA (also MVE, PVPE).
    """
    predicted, true = _pair(predicted, true)
    if (predicted_root is None) != (true_root is None):
        raise ValueError("predicted_root and true_root go together")
    if predicted_root is not None and true_root is not None:
        predicted, true = predicted - predicted_root, true - true_root
    return float(np.linalg.norm(predicted - true, axis=1).mean() * 1000)
