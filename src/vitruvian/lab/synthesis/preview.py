"""Contact sheets of samples and their labels."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vitruvian.lab.synthesis.parts import PART_LABELS
from vitruvian.lab.synthesis.sample import NO_DEPTH, Sample

COLUMNS = (
    "picture", "alpha", "people", "parts", "normals", "back normals", "depth", "back depth",
    "solids", "albedo", "back albedo",
)  # fmt: skip
_PALETTE = np.array(
    [[0, 0, 0], [240, 190, 160], [120, 70, 30], [70, 130, 220], [40, 70, 140], [70, 170, 120],
     [220, 90, 150], [200, 160, 60], [150, 90, 200], [230, 230, 90], [255, 255, 255],
     [160, 110, 60], [90, 200, 210], [130, 130, 130], [240, 120, 40], [180, 255, 140]], np.uint8,
)  # fmt: skip
assert len(_PALETTE) == len(PART_LABELS)


def labelled_row(sample: Sample, cell: int = 192) -> np.ndarray:
    """The picture and its labels side by side, (cell, 11 * cell, 3) uint8 RGB."""
    people = np.array([[0, 0, 0], [90, 200, 120], [230, 140, 60], [90, 140, 240]], np.uint8)
    instances = np.where(sample.instances == 255, 0, np.minimum(sample.instances, 3))
    objects = (sample.instances == 255)[..., None] * np.uint8(130)
    spans = (sample.spans != NO_DEPTH).sum(-1) // 2
    heat = np.array([[0, 0, 0], [60, 90, 200], [70, 190, 140], [240, 200, 70], [240, 80, 60]])
    pictures = [
        _with_keypoints(sample), _grey(sample.alpha), people[instances] + objects,
        _PALETTE[sample.parts], _normals(sample.front_normals), _normals(sample.back_normals),
        _relief(sample.front_depth), _relief(sample.back_depth), heat[spans].astype(np.uint8),
        sample.front_albedo, sample.back_albedo,
    ]  # fmt: skip
    cells = [cv2.resize(p, (cell, cell), interpolation=cv2.INTER_AREA) for p in pictures]
    return np.hstack(cells)


def contact_sheet(samples: Sequence[Sample], cell: int = 192) -> np.ndarray:
    """Rows of labelled samples under a line of names, uint8 RGB."""
    head = np.full((22, cell * len(COLUMNS), 3), 255, np.uint8)
    for k, name in enumerate(COLUMNS):
        cv2.putText(head, name, (k * cell + 6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1)
    return np.vstack([head, *(labelled_row(sample, cell) for sample in samples)])


def picture_sheet(samples: Sequence[Sample], columns: int, cell: int = 160) -> np.ndarray:
    """The pictures alone, uint8 RGB."""
    cells = [cv2.resize(s.image, (cell, cell), interpolation=cv2.INTER_AREA) for s in samples]
    while len(cells) % columns:
        cells.append(np.full_like(cells[0], 255))
    rows = [np.hstack(cells[k : k + columns]) for k in range(0, len(cells), columns)]
    return np.vstack(rows)


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, 2)


def _normals(values: np.ndarray) -> np.ndarray:
    """Right red, up green, towards the viewer blue."""
    signed = values.astype(np.int16) * [1, -1, -1]
    return np.where((values != 0).any(-1, keepdims=True), signed + 128, 0).astype(np.uint8)


def _relief(depth: np.ndarray) -> np.ndarray:
    known = depth != NO_DEPTH
    shade = np.clip(150 - depth.astype(np.float32) * (1 / 55), 30, 255)
    return _grey(np.where(known, shade, 0).astype(np.uint8))


def _with_keypoints(sample: Sample) -> np.ndarray:
    out = sample.image.copy()
    radius = max(1, sample.size // 128)
    for (x, y), seen in zip(sample.keypoints, sample.keypoints_visible, strict=True):
        color = (80, 255, 80) if seen else (255, 60, 60)
        if 0 <= x < sample.size and 0 <= y < sample.size:
            cv2.circle(out, (int(x), int(y)), radius, color, -1)
    return out
