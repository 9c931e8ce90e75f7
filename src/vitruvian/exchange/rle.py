"""COCO's run-length encoding of masks: runs of 0 and 1 by turns, down the columns.

As lists of counts, or compressed into text: differences to the run but one before, five bits a
letter, the sixth saying that more come (``rleToString`` of the COCO API, BSD).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def decode_rle(counts: str | bytes | Sequence[int], height: int, width: int) -> np.ndarray:
    """The mask (height, width) bool of its runs.

    Raises:
        ValueError: the runs do not fill it.
    """
    if isinstance(counts, str | bytes):
        counts = _uncompressed(counts)
    runs = np.array([int(one) for one in counts], np.int64)
    if len(runs) == 0 or (runs < 0).any() or int(runs.sum()) != height * width:
        raise ValueError(f"the runs do not fill {width} x {height} pixels")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def encode_rle(mask: np.ndarray) -> str:
    """The compressed runs of a mask (height, width) bool."""
    flat = np.asarray(mask, bool).T.reshape(-1)
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0], edges, [len(flat)]])
    runs = np.diff(bounds).tolist()
    if flat[0]:
        runs.insert(0, 0)
    letters = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            part = value & 0x1F
            value >>= 5
            more = value != (-1 if part & 0x10 else 0)
            letters.append(chr(part + (0x20 if more else 0) + 48))
    return "".join(letters)


def _uncompressed(text: str | bytes) -> list[int]:
    data = text.encode("latin-1") if isinstance(text, str) else text
    runs: list[int] = []
    value, shift = 0, 0
    for letter in data:
        part = letter - 48
        if not 0 <= part < 64 or shift > 60:
            raise ValueError("the text is no run-length encoding")
        value |= (part & 0x1F) << shift
        shift += 5
        if part & 0x20:
            continue
        if part & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise ValueError("the text ends within a run")
    return runs
