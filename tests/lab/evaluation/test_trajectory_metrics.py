"""Errors in the world, on motions whose error is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.metrics.trajectory import (
    root_translation_error,
    w_mpjpe,
    wa_mpjpe,
)

TURN = matrix_from_axis_angle(np.array([0.3, -1.1, 0.4]))


def walk(frames: int = 150) -> np.ndarray:
    """(T, 8, 3): the corners of a box that goes 2 cm ahead in each frame."""
    corners = np.stack(np.meshgrid(*[(-0.3, 0.3)] * 3), -1).reshape(-1, 3) * (1.0, 2.5, 0.8)
    return corners + np.arange(frames)[:, None, None] * np.array([0.02, 0.0, 0.0])


def test_a_motion_seen_from_elsewhere_and_larger_has_no_error() -> None:
    moved = 1.7 * walk() @ TURN.T + (3.0, -2.0, 1.0)
    assert wa_mpjpe(moved, walk()) < 1e-6
    assert w_mpjpe(moved, walk()) < 1e-6
    same_size = walk() @ TURN.T + (3.0, -2.0, 1.0)
    assert root_translation_error(same_size.mean(1), walk().mean(1)) < 1e-6


def test_drift_counts_from_the_first_two_frames_and_starts_anew_with_each_segment() -> None:
    true = walk(100)
    drifting = true.copy()
    drifting[2:] += np.arange(1, 99)[:, None, None] * np.array([0.0, 0.0, 0.01])
    # Frame t is off by (t - 1) cm from frame 2 on, as the first two are right.
    assert w_mpjpe(drifting, true) == pytest.approx(10 * np.arange(1, 99).sum() / 100)
    assert wa_mpjpe(drifting, true) < 0.5 * w_mpjpe(drifting, true)
    jump = walk(200)
    jump[100:] += (0.0, 0.0, 5.0)
    assert w_mpjpe(jump, walk(200)) < 1e-6
    assert w_mpjpe(jump, walk(200), segment=200) == pytest.approx(2500)


def test_errors_of_the_pose_are_in_millimetres() -> None:
    true = walk(100)
    bent = true.copy()
    bent[:, 0] += (0.0, 0.0, 0.008)
    # One of eight corners is off by 8 mm; an alignment can only lessen it.
    assert 0.5 < wa_mpjpe(bent, true) <= 1.75
    with pytest.raises(ValueError, match="alike"):
        wa_mpjpe(true[:, :4], true)


def test_the_error_of_the_root_is_a_share_of_the_path() -> None:
    true = np.stack([np.linspace(0, 4, 41), np.zeros(41), np.zeros(41)], 1)
    # A path of half the length, rigidly aligned: off by up to 1 m, .5 m on average (of 41 frames).
    off = np.abs(np.linspace(-1, 1, 41)).mean() / 4
    assert root_translation_error(0.5 * true @ TURN.T, true) == pytest.approx(100 * off)
    assert np.isnan(root_translation_error(true, np.zeros_like(true)))
