"""How long the path of a travelling camera is: with its true length, feet that stand stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SPANS = np.geomspace(0.1, 60.0, 641)  # metres that are tried for the unit of a path
_NOISE = 0.25  # m/s, of feet that stand in a first motion
_ROUNDS = 10
_GROUND_SD = 0.15  # of the logarithm of what the floor says


def path_unit(
    soles: Sequence[np.ndarray],
    times_s: Sequence[np.ndarray],
    places: Sequence[np.ndarray],
    ground: float | None = None,
) -> float | None:
    """The length in metres of a path's unit; None where nobody's feet tell it.

    Every length gives feet another motion in the world; that with which most soles stand most of
    the time is it, the nearer to what the floor says the likelier. Where there is no floor, the
    least squares over those that do, robustly.

    Args:
        soles: of each motion (T, 2, 2, 3), heels and tips as seen from the camera, turned into
            the axes of the world, metres.
        times_s: of each (T,) seconds; at least two.
        places: of each (T, 3) the camera, in the path's unit and the same axes.
        ground: as of ``ground.ground_unit``.
    """
    speeds, moves = [], []
    for own, seconds, path in zip(soles, times_s, places, strict=True):
        speeds.append(np.gradient(own, seconds, axis=0).reshape(len(own), -1, 3))
        gone = np.gradient(path, seconds, axis=0)
        moves.append(np.repeat(gone[:, None], speeds[-1].shape[1], axis=1))
    speed = np.concatenate([one.reshape(-1, 3) for one in speeds])
    move = np.concatenate([one.reshape(-1, 3) for one in moves])

    def weights(span: float) -> np.ndarray:
        left = ((speed + span * move) ** 2).sum(1)
        return np.asarray(1 / (1 + left / _NOISE**2))

    scores = np.array([weights(span).sum() for span in _SPANS])
    if ground is not None:
        scores *= np.exp(-0.5 * (np.log(_SPANS / ground) / _GROUND_SD) ** 2)
    best = int(np.argmax(scores))
    if best in (0, len(_SPANS) - 1):
        return None
    span = float(_SPANS[best])
    if ground is not None:
        return span
    for _ in range(_ROUNDS):
        weight = weights(span) ** 2
        below = float(weight @ (move**2).sum(1))
        span = -float(weight @ (speed * move).sum(1)) / max(below, 1e-12)
    return span if _SPANS[0] < span < _SPANS[-1] else None
