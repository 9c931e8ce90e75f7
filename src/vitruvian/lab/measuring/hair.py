"""Long hair on silhouettes, which hides neck and shoulders and is no sign of another person."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.networks.measuring import HEIGHT

_HEAD_ROW, _HEAD_END = 0.085, 0.16  # shares of the picture's height: middle of a head, its chin
_SHORT, _LONG = 0.15, 0.42  # how far down hair may reach
_INSIDE = 128


def long_haired(views: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A pair (2, h, w) uint8, as of ``anthropometry.silhouette.normalised``, with hair that reaches
    from the chin to the middle of the back, on the head and behind it."""
    end = HEIGHT * rng.uniform(_SHORT, _LONG)
    loose = rng.uniform(0.9, 1.6)  # widths of the head that hair takes where it ends
    thick = rng.uniform(0.0, 3.0)  # pixels around the head
    return np.stack([_front(views[0], end, loose, thick), _side(views[1], end, thick, rng)])


def _head(view: np.ndarray) -> tuple[float, float]:
    """Left and right of the head."""
    columns = np.flatnonzero(view[round(_HEAD_ROW * HEIGHT)] >= _INSIDE)
    return (float(columns[0]), float(columns[-1])) if len(columns) else (0.0, 0.0)


def _front(view: np.ndarray, end: float, loose: float, thick: float) -> np.ndarray:
    left, right = _head(view)
    middle, half = (left + right) / 2, (right - left) / 2
    below, reach, chin = half * loose, half + thick, _HEAD_END * HEIGHT
    down = ((0.4 * half, 0.045 * HEIGHT), (reach, 0.5 * chin), (below, end))
    outline = [(middle + aside, row) for aside, row in down]
    outline += [(middle - aside, row) for aside, row in down[::-1]]
    return _over(view, outline)


def _side(view: np.ndarray, end: float, thick: float, rng: np.random.Generator) -> np.ndarray:
    left, right = _head(view)
    middle = (left + right) / 2
    # The face looks to the left. Hair falls along the back, which stands out below the neck.
    rows = view[round(_HEAD_END * HEIGHT) : max(round(end), round(_HEAD_END * HEIGHT) + 2)]
    back = np.flatnonzero((rows >= _INSIDE).any(0))
    behind = max(right, float(back[-1]) if len(back) else right) + rng.uniform(-1.0, 2.0)
    outline = [(middle, 0.045 * HEIGHT), (right + thick, 0.5 * _HEAD_END * HEIGHT)]
    outline += [(behind, end), (middle, end)]
    return _over(view, outline)


def _over(view: np.ndarray, outline: list[tuple[float, float]]) -> np.ndarray:
    mask = np.zeros_like(view)
    cv2.fillPoly(mask, [np.round(np.array(outline) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(np.maximum(view, cv2.GaussianBlur(mask, (0, 0), 0.8)))
