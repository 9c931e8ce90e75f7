"""Soles that stand: told from a first motion, by how fast they go and how high they are."""

from __future__ import annotations

import numpy as np

from vitruvian.types.keypoints import HEELS, TOES

SOLES = np.stack([HEELS, TOES], axis=1)  # landmarks of the left and the right foot

# Log-odds that a sole stands. Fitted to clips of synthetic people whose contacts are known; a foot
# that stands wanders by about .3 m/s in a first motion, for its landmarks do.
_SPEED, _SPEED_FROM = -2.3, 0.1  # per log of the speed across the view, m/s
_ALONG, _ALONG_FROM = -0.9, 0.3  # the same along the view, where distance is a guess
_HEIGHT, _HIGHEST = -8.0, 0.2  # per metre above the lowest sole
_EVEN = -1.0
_CHANGE = 2.0  # for every beginning and end of a stand
_RATE_HZ = 30  # of those clips
_LEAST_S = 0.06  # shorter stands are none


def standing(
    soles: np.ndarray, times_s: np.ndarray, up: np.ndarray, eyes: np.ndarray | None = None
) -> np.ndarray:
    """Which soles stand: (T, 2, 2) bool, left and right, heel and tip.

    The likeliest sequence of standing and moving of each sole (Viterbi, 1967).

    Args:
        soles: (T, 2, 2, 3) landmarks of heels and tips in a frame that stands still, metres.
        times_s: (T,) seconds, ascending; at least two.
        up: (3,) unit vector, about upright.
        eyes: (T, 3) where the camera is, which sees little of what moves along its view; None
            where several cameras see.
    """
    step = float(np.median(np.diff(times_s)))
    # Where frames are rare a step goes between two of them: what counts is how far it went.
    velocity = np.gradient(soles, times_s, axis=0) * max(1.0, _RATE_HZ * step)
    of_depth: np.ndarray | float = 0.0
    if eyes is not None:
        rays = soles - eyes[:, None, None]
        rays = rays / np.linalg.norm(rays, axis=3, keepdims=True)
        along = (velocity * rays).sum(3)
        velocity = velocity - along[..., None] * rays
        of_depth = _ALONG * np.log(np.abs(along) + _ALONG_FROM)
    across = np.linalg.norm(velocity, axis=3)
    heights = soles @ up
    above = np.minimum(heights - heights.min((1, 2), keepdims=True), _HIGHEST)
    odds = _EVEN + _SPEED * np.log(across + _SPEED_FROM) + of_depth + _HEIGHT * above
    # More frames a second are more numerous, not more telling.
    odds = odds * min(1.0, _RATE_HZ * step)
    states = _likeliest(odds.reshape(len(odds), -1))
    return _lasting(states, max(1, round(_LEAST_S / step))).reshape(odds.shape)


def staying(stands: np.ndarray) -> np.ndarray:
    """(T - 1, 2, 2) bool, soles that stand at successive times of ``standing``, so stay between."""
    return np.asarray(stands[:-1] & stands[1:])


def _likeliest(odds: np.ndarray) -> np.ndarray:
    """(T, N) bool, the sequences that sum the greatest log-odds (T, N) less ``_CHANGE`` for each
    change."""
    count, width = odds.shape
    best = np.stack([np.zeros(width), odds[0]])  # moving, standing
    back = np.zeros((count, 2, width), int)
    for time in range(1, count):
        kept, changed = best, best[::-1] - _CHANGE
        back[time] = np.where(kept >= changed, [[0], [1]], [[1], [0]])
        best = np.maximum(kept, changed)
        best[1] += odds[time]
    state = best.argmax(0)
    out = np.zeros((count, width), bool)
    for time in range(count - 1, -1, -1):
        out[time] = state == 1
        state = back[time, state, np.arange(width)]
    return out


def _lasting(states: np.ndarray, least: int) -> np.ndarray:
    """States (T, N) without stands of fewer than ``least`` + 1 times."""
    out = states.copy()
    for column in out.T:
        ends = np.flatnonzero(np.diff(np.concatenate([[False], column, [False]])))
        for first, end in ends.reshape(-1, 2):
            if end - first <= least:
                column[first:end] = False
    return out
