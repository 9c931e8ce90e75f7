"""Soles that stand, of feet that walk, jump and wander."""

from __future__ import annotations

import numpy as np

from vitruvian.video.contacts import standing, staying

UP = np.array([0.0, -1, 0])
FAR = np.tile([0.0, 0.0, -4.0], (60, 1))


def walking(rate: float = 30.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Soles (60, 2, 2, 3) of two steps by each foot across the view, times, and which stand."""
    times = np.arange(60) / rate
    stands = np.zeros((60, 2, 2), bool)
    soles = np.zeros((60, 2, 2, 3))
    for foot, phase in ((0, 0.0), (1, 0.5)):
        cycle, share = np.divmod(times + phase, 1.0)
        swing = np.clip((share - 0.6) / 0.4, 0, 1)
        stands[:, foot] = (swing == 0)[:, None]
        soles[:, foot, :, 0] = (1.2 * (cycle + (1 - np.cos(np.pi * swing)) / 2))[:, None]
        soles[:, foot, :, 1] = -0.12 * np.sin(np.pi * swing)[:, None]
    soles[:, :, 1, 0] += 0.18  # the tip is before the heel
    wander = np.random.default_rng(seed).normal(0, 0.004, soles.shape)
    return soles + wander, times, stands


def test_feet_stand_between_their_steps():
    soles, times, stands = walking()
    found = standing(soles, times, UP, FAR)
    assert (found == stands).mean() > 0.9
    both = staying(found)
    assert both.shape == (59, 2, 2)
    assert not (both & ~found[:-1]).any()


def test_what_wanders_along_the_view_alone_stands_the_rather():
    soles, times, _ = walking()
    soles = np.tile(soles[:1], (60, 1, 1, 1))
    soles[..., 2] += 0.1 * np.sin(9 * times)[:, None, None]
    assert standing(soles, times, UP, FAR).mean() > 0.9
    assert standing(soles, times, UP).mean() < standing(soles, times, UP, FAR).mean()


def test_a_foot_that_is_held_up_or_whoever_jumps_does_not_stand():
    soles, times, _ = walking()
    held = np.tile(soles[:1], (60, 1, 1, 1))
    held[:, 1, :, 1] -= 0.6 * np.abs(np.sin(4 * times))[:, None]
    found = standing(held, times, UP, FAR)
    assert found[:, 0].all()
    assert found[:, 1].mean() < 0.3
    jump = np.tile(soles[:1], (60, 1, 1, 1))
    jump[..., 1] -= 2 * np.abs(np.sin(4 * times))[:, None, None]
    assert standing(jump, times, UP, FAR).mean() < 0.3
