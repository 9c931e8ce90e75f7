"""Writing a film while it is taken: JPEGs with the seconds at which they came, never in memory."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Self

import cv2
import numpy as np

from vitruvian.video.film.mp4 import Pictures, file_type, movie, ticks_of

_QUALITY = 92  # of the JPEGs: a film that is looked at closely afterwards
MOST_BYTES = 2**32 - 2**20  # of all pictures: their box tells its length in 32 bits


class Recording:
    """A film that grows; as a context it is complete when the block ends well.

    Args:
        path: of the file. ``OSError`` is raised where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: list[int] = []
        self._times: list[float] = []
        self._shape = (0, 0)
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        self._file.write(file_type())
        self._box = self._file.tell()
        self._file.write(struct.pack(">I4s", 0, b"mdat"))  # its length is filled in at the end
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if kind is None and self._sizes:
                self._finish()
                return
        self._path.unlink()

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self._sizes)

    @property
    def full(self) -> bool:
        """There is no room for more."""
        return sum(self._sizes) > MOST_BYTES - 2**24

    def add(self, pixels: np.ndarray, time_s: float) -> None:
        """The next frame, (H, W, 3) uint8 BGR, all of one size, and when it came; times ascend."""
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        self._file.write(data.tobytes())
        self._sizes.append(len(data))
        self._times.append(time_s)
        self._shape = pixels.shape[:2]

    def _finish(self) -> None:
        height, width = self._shape
        count = len(self._sizes)
        pictures = Pictures(self._sizes, range(count), ticks_of(self._times), width, height)
        self._file.write(movie(pictures, self._box + 8))
        self._file.seek(self._box)
        self._file.write(struct.pack(">I", 8 + sum(self._sizes)))
