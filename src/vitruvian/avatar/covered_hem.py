"""Where the shape of a skirt goes on below its hem, told by the outline.

A surface closes what is between legs, so its shape ends lower than its cloth. There the picture
shows the backdrop across much of the shape's width.
"""

from __future__ import annotations

import numpy as np

from vitruvian.avatar.outline import Window
from vitruvian.texture.carried import Carried

_SAMPLES = 40  # across a ring
_LOWER = 0.7  # of a level above the shape's end, in which the hem is sought
_SHOWN = 0.6  # share of a ring's width that is on the person, less than which is below the hem
_WHOLE = 0.8  # likewise, of the rings above: else the outline tells nothing


def covered_hem(
    window: Window, points: np.ndarray, levels: np.ndarray, carried: Carried | None = None
) -> float:
    """The level down to which the person covers the rings of a shape.

    Args:
        window: around the person.
        points: (R, A, 3) of the shape, camera frame, ring by ring from the top.
        levels: (R,) of the rings, of ``tube``.
        carried: what hides it, as arms do.

    Returns:
        The last of ``levels`` where the outline does not tell that it ends above.
    """
    hem = float(levels[-1])
    camera = window.camera
    hidden = window.arms if carried is None else window.arms | carried.seen_by(camera)
    on = window.mask | hidden
    shown = np.array([_shown(on, camera.project(ring), ring[:, 2]) for ring in points])
    lower = levels > hem - _LOWER
    if not lower.any() or (~lower).sum() < 2 or np.median(shown[~lower]) < _WHOLE:
        return hem
    last = len(levels) - 1
    while lower[last] and shown[last] < _SHOWN:
        last -= 1
    if last == len(levels) - 1 or not lower[last]:
        return hem
    # Between two rings, where the share passes the limit.
    over, under = shown[last] - _SHOWN, _SHOWN - shown[last + 1]
    step = levels[last + 1] - levels[last]
    return float(levels[last] + step * over / max(over + under, 1e-6))


def _shown(on: np.ndarray, ring: np.ndarray, depth: np.ndarray) -> float:
    """Share of the width of a ring's front, pixels (A, 2) and metres (A,), that is on somebody."""
    front = ring[depth < depth.mean()]
    front = front[np.argsort(front[:, 0])]
    x = np.linspace(front[0, 0], front[-1, 0], _SAMPLES)
    y = np.interp(x, front[:, 0], front[:, 1])
    columns, rows = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (columns >= 0) & (columns < on.shape[1]) & (rows >= 0) & (rows < on.shape[0])
    # What is out of the picture tells nothing.
    return float(on[rows[inside], columns[inside]].mean()) if inside.any() else 1.0
