"""A silhouette as the measuring network takes it: of one size, whatever the picture was."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.errors import InputError
from vitruvian.networks.measuring import HEIGHT, WIDTH

_MARGIN = 4  # pixels above and below the person
_INSIDE = 128
_LEAST_ROWS = 96  # of a person in the picture; fewer tell nothing in centimetres


def normalised(matte: np.ndarray) -> np.ndarray:
    """Cut a person out of a matte and scale them to one height.

    Args:
        matte: (H, W) uint8, 255 on the person, who is upright and whole.

    Returns:
        (``HEIGHT``, ``WIDTH``) uint8: the person from the top to the bottom of the picture but for
        a small margin, their middle in its middle.

    Raises:
        InputError: nobody is in the matte, or somebody too small to be measured.
    """
    inside = _largest(matte >= _INSIDE)
    rows = np.flatnonzero(inside.any(1))
    if len(rows) == 0:
        raise InputError("The silhouette is empty: give a picture with one whole person.")
    top, bottom = _edge(matte, rows[0], -1), _edge(matte, rows[-1], 1)
    if bottom - top < _LEAST_ROWS:
        raise InputError(
            f"The person is {bottom - top:.0f} pixels tall: come closer, so that they fill most of "
            f"a picture of at least {2 * _LEAST_ROWS} pixels."
        )
    scale = (HEIGHT - 2 * _MARGIN) / (bottom - top)
    columns = np.flatnonzero(inside.any(0))
    weight = inside[:, columns].sum(0)
    middle = float((columns + 0.5) @ weight / weight.sum())
    matrix = np.array(
        [[scale, 0, WIDTH / 2 - scale * middle], [0, scale, _MARGIN - scale * top]], np.float64
    )
    # Continuous coordinates, pixel centres at halves; OpenCV's are whole numbers.
    matrix[:, 2] += (scale - 1) / 2
    if scale < 1:  # as much as the smaller picture can hold
        matte = cv2.GaussianBlur(matte, (0, 0), 0.4 / scale)
    return np.asarray(cv2.warpAffine(matte, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR))


def _largest(inside: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask (H, W) bool."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    if len(stats) < 2:
        return inside
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def _edge(matte: np.ndarray, row: int, outwards: int) -> float:
    """Where the person ends above (-1) or below (1) their last row, to a part of a pixel."""
    beyond = row + outwards
    share = 0.0
    if 0 <= beyond < len(matte):
        share = float(matte[beyond].max()) / 255
    return row + (1 + share if outwards > 0 else -share)
