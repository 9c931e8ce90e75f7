"""The inner loop of ``hanging``: its interface is there."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel, kernel_part

_ROUNDS = 6  # over all points and links, in a step
_PUSH = 0.5  # of how deep a leg is outside, per round
_MOST_M = 0.01  # that a point is pushed, per round
_LEAST = 0.05  # of the square of shares, less than which nothing is moved for a point
_LOOSEST = 1.3  # times its length that a part of a ring may have
_GIVE = 0.5  # of what is more, per round
_EVEN = 0.2  # of what a link is away from its goal goes to its neighbours, per round


@kernel_part
def _outside(
    point: np.ndarray,
    away: np.ndarray,
    shares: np.ndarray,
    normal: np.ndarray,
    capsule: np.ndarray,
    radius: float,
    at: np.ndarray,
) -> float:
    """How far a point must go along its normal until a capsule is behind it."""
    rows, columns = away.shape[0], away.shape[1]
    share, square = 0.0, 0.0
    for i in range(3):
        at[i] = point[i] - capsule[0, i]
    for r in range(rows):
        for c in range(columns):
            own = shares[r * columns + c]
            if own > 0:
                for i in range(3):
                    at[i] += own * away[r, c, i]
    for i in range(3):
        bone = capsule[1, i] - capsule[0, i]
        share += bone * at[i]
        square += bone * bone
    share = min(max(share / max(square, 1e-12), 0.0), 1.0)
    along, square = 0.0, 0.0
    for i in range(3):
        at[i] -= share * (capsule[1, i] - capsule[0, i])
        along += at[i] * normal[i]
        square += at[i] * at[i]
    square -= along * along  # to the side of the leg, as seen along the normal
    if square >= radius * radius:
        return 0.0
    return np.sqrt(radius * radius - square) - along  # type: ignore[no-any-return]


@kernel_part
def _draw_together(goals: np.ndarray, away: np.ndarray, c: int, rest: float) -> None:
    """Move a tip and that of the next column towards each other, if they are too far apart."""
    after = (c + 1) % goals.shape[0]
    square = 0.0
    for i in range(3):
        square += (goals[c, i] + away[c, i] - goals[after, i] - away[after, i]) ** 2
    length = max(np.sqrt(square), 1e-9)
    share = 0.5 * _GIVE * max(1 - _LOOSEST * rest / length, 0.0)
    for i in range(3):
        step = share * (goals[after, i] + away[after, i] - goals[c, i] - away[c, i])
        away[c, i] += step
        away[after, i] -= step


@kernel(
    "void(float64[:,:,:,::1],float64[:,:,::1],float64[:,:,::1],float64[:,::1],"
    "float64[:,:,:,::1],float64[:,::1],float64[:,::1],float64,float64,float64[:,:,:,::1])"
)
def swing(
    goals: np.ndarray,
    points: np.ndarray,
    normals: np.ndarray,
    shares: np.ndarray,
    capsules: np.ndarray,
    clear: np.ndarray,
    rings: np.ndarray,
    pull: float,
    drag: float,
    out: np.ndarray,
) -> None:
    """Fill ``out`` (T, R, C, 3) with where the tips of links are, step by step.

    Args:
        goals: (T, R, C, 3) where they are drawn to.
        points: (T, N, 3) of the cloth, when all are there.
        normals: (T, N, 3) unit vectors outwards.
        shares: (N, R C) of a tip's way that a point goes along.
        capsules: (T, K, 2, 3) where legs are.
        clear: (N, K) metres that points keep from the capsules' axes.
        rings: (R, C) metres from a link's tip to that of the next column, at rest.
        pull: share of the way to its goal that a tip goes in a step.
        drag: share of its motion that is lost in a step.
    """
    steps, rows, columns = goals.shape[0], goals.shape[1], goals.shape[2]
    count = points.shape[1]
    squares = np.zeros(count)
    for n in range(count):
        for m in range(rows * columns):
            squares[n] += shares[n, m] ** 2
    away, even = np.zeros((rows, columns, 3)), np.empty((columns, 3))
    speed = np.zeros((rows, columns, 3))
    at = np.empty(3)
    for t in range(steps):
        for r in range(rows):
            for c in range(columns):
                for i in range(3):
                    # Inertia is of places, not of distances from goals, which move themselves.
                    lag = goals[t - 1, r, c, i] - goals[t, r, c, i] if t > 0 else 0.0
                    start = away[r, c, i] + lag
                    away[r, c, i] = (1 - pull) * (start + (1 - drag) * speed[r, c, i])
        for _ in range(_ROUNDS):
            for r in range(rows):
                for c in range(columns):
                    for i in range(3):
                        around = away[r, c - 1, i] + away[r, (c + 1) % columns, i]
                        even[c, i] = (1 - _EVEN) * away[r, c, i] + _EVEN * around / 2
                for c in range(columns):
                    for i in range(3):
                        away[r, c, i] = even[c, i]
                for c in range(columns):
                    _draw_together(goals[t, r], away[r], c, rings[r, c])
            for n in range(count):
                if squares[n] < _LEAST:
                    continue
                for k in range(capsules.shape[1]):
                    if clear[n, k] == 0:
                        continue
                    deep = _outside(
                        points[t, n],
                        away,
                        shares[n],
                        normals[t, n],
                        capsules[t, k],
                        clear[n, k],
                        at,
                    )
                    deep = min(_PUSH * deep, _MOST_M) / squares[n]
                    if deep <= 0:
                        continue
                    for r in range(rows):
                        for c in range(columns):
                            share = shares[n, r * columns + c]
                            if share > 0:
                                for i in range(3):
                                    away[r, c, i] += share * deep * normals[t, n, i]
        for r in range(rows):
            for c in range(columns):
                for i in range(3):
                    here = goals[t, r, c, i] + away[r, c, i]
                    speed[r, c, i] = here - out[t - 1, r, c, i] if t > 0 else 0.0
                    out[t, r, c, i] = here
