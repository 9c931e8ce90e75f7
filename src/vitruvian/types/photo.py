"""A photograph as every stage sees it: upright sRGB pixels and the camera that took them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.types.camera import Camera
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Photo(Record):
    """A decoded photograph.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, upright. Where the picture is transparent, it lies over
            mid-grey.
        name: what results are called after: the file's name without its suffix.
        path: the file, or None when it came from memory.
        camera: a centred pinhole camera of H x W pixels.
        alpha: (H, W) uint8 transparency of the file (255 = opaque), or None when it has none.
        original_size: (width, height) of the upright picture before reduction to the working
            size; equal to that of ``pixels`` for all but very large pictures.
        warnings: sentences about the file.
    """

    pixels: np.ndarray
    name: str
    path: Path | None
    camera: Camera
    alpha: np.ndarray | None
    original_size: tuple[int, int]
    warnings: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Width of ``pixels``."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height of ``pixels``."""
        return int(self.pixels.shape[0])
