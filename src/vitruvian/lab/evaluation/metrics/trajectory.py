"""Errors of a motion in the world, as the field measures them for moving cameras.

Definitions are those of WHAM (Shin et al., "Reconstructing world-grounded humans with accurate 3D
motion", 2024), which takes them from SLAHMR (Ye et al., "Decoupling human and camera motion from
videos in the wild", 2023), and of TRAM (Wang et al., 2024).
"""

from __future__ import annotations

import numpy as np

from vitruvian.lab.evaluation.metrics.alignment import similarity_alignment

SEGMENT = 100  # frames


def _pair(predicted: np.ndarray, true: np.ndarray, axes: int) -> tuple[np.ndarray, np.ndarray]:
    predicted, true = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if predicted.shape != true.shape or predicted.ndim != axes or predicted.shape[-1] != 3:
        raise ValueError(f"shapes must be alike, got {predicted.shape} and {true.shape}")
    if len(predicted) < 2:
        raise ValueError("at least 2 frames are needed")
    return predicted, true


def wa_mpjpe(predicted: np.ndarray, true: np.ndarray, *, segment: int = SEGMENT) -> float:
    """WA-MPJPE in mm: joints (T, J, 3) in the world, metres, aligned segment by segment.

    Each segment of 100 frames (the last may be shorter, down to two frames) is laid on the truth
    as a whole by the best similarity, scale included; the error is the mean over all frames.
    """
    return _by_segments(predicted, true, segment, segment)


def w_mpjpe(predicted: np.ndarray, true: np.ndarray, *, segment: int = SEGMENT) -> float:
    """W-MPJPE in mm: as ``wa_mpjpe``, but aligned by the first two frames of each segment alone.

    What a motion drifts, turns or grows after them counts.
    """
    return _by_segments(predicted, true, segment, 2)


def _by_segments(predicted: np.ndarray, true: np.ndarray, segment: int, aligned: int) -> float:
    predicted, true = _pair(predicted, true, 3)
    away = []
    for start in range(0, len(true), segment):
        own, truth = predicted[start : start + segment], true[start : start + segment]
        if len(own) < 2:
            continue
        laid = similarity_alignment(own[:aligned].reshape(-1, 3), truth[:aligned].reshape(-1, 3))
        away.append(np.linalg.norm(laid.apply(own) - truth, axis=2))
    return 1000 * float(np.concatenate(away).mean())


def root_translation_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """RTE in percent: roots (T, 3) in the world, metres, after the best *rigid* alignment.

    The mean distance is divided by the length of the true path, so that it is comparable between
    clips; somebody who stays on the spot has a short one and a large error. NaN where the truth
    does not move at all.
    """
    predicted, true = _pair(predicted, true, 2)
    length = float(np.linalg.norm(np.diff(true, axis=0), axis=1).sum())
    if length == 0:
        return float("nan")
    rotation = similarity_alignment(predicted, true).rotation
    laid = (predicted - predicted.mean(0)) @ rotation.T + true.mean(0)
    return 100 * float(np.linalg.norm(laid - true, axis=1).mean()) / length
