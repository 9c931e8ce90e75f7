"""Rows and columns of a table of scores in pairs."""

from __future__ import annotations

import numpy as np


def best_pairs(scores: np.ndarray, least: float) -> dict[int, int]:
    """Rows of ``scores`` (N, M) to columns, greedily: the best pair first, each used once.

    Pairs of less than ``least`` are left alone. Greedy rather than optimal, so that a perfect match
    is never given up for the sake of the others.
    """
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        row, column = (int(v) for v in np.unravel_index(flat, scores.shape))
        if scores[row, column] < least:
            break
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs
