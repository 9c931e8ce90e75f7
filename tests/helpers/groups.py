"""Groups pasted together from cut-outs of single people, so that it is known who hides whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HEIGHT = 560  # pixels of everybody


def paste_group(
    ccp: Path, people: Sequence[tuple[int, int, int]], size: tuple[int, int] = (640, 760)
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """A picture of people one before another, on grey, and whose each pixel is.

    Args:
        ccp: folder with ``photos`` and ``labels``.
        people: number of the photograph, middle and lowest row of each, the farthest first.
        size: width and height of the picture.

    Returns:
        (H, W, 3) uint8; for each person what of them is seen, and all of them, (H, W) bool.
    """
    width, height = size
    picture = np.full((height, width, 3), 176, np.uint8)
    picture[round(0.6 * height) :] = 112
    owner = np.full((height, width), -1)
    whole = []
    for index, (number, middle, foot) in enumerate(people):
        pixels, mask = _cut_out(ccp, number)
        h, w = mask.shape
        x, y = middle - w // 2, foot - h
        part, share = picture[y : y + h, x : x + w], mask[..., None] / 255
        part[:] = part * (1 - share) + pixels * share
        everything = np.zeros((height, width), bool)
        everything[y : y + h, x : x + w] = mask > 127
        owner[everything] = index
        whole.append(everything)
    return picture, [owner == index for index in range(len(people))], whole


def _cut_out(ccp: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The person of a photograph at ``HEIGHT``: (h, w, 3) uint8 and matte (h, w) uint8."""
    pixels = np.asarray(Image.open(ccp / "photos" / f"{number:04d}.jpg").convert("RGB"))
    labels = np.asarray(Image.open(ccp / "labels" / f"{number:04d}.png")) > 0
    _, parts, stats, _ = cv2.connectedComponentsWithStats(labels.astype(np.uint8))
    mask = (parts == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8) * 255
    x, y, w, h = cv2.boundingRect(mask)
    new = (round(w * HEIGHT / h), HEIGHT)
    window = np.s_[y : y + h, x : x + w]
    small = cv2.resize(pixels[window], new, interpolation=cv2.INTER_AREA)
    return small, cv2.resize(mask[window], new, interpolation=cv2.INTER_AREA)
