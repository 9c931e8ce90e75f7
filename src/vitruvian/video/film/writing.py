"""Writing a film frame by frame.

Pillow encodes AV1 for AVIF's image sequences; their pictures, put into an MP4, are a film. OpenCV's
own encoder of films takes ten times the bytes, for its rate cannot be chosen.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, features

from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.video.film.boxes import find_box, samples_of
from vitruvian.video.film.mp4 import Pictures, mp4, ticks_of

GROUP = 48  # frames from one that stands alone to the next: what seeking has to decode
QUALITY = 45  # AVIF's, 0 to 100
_SPEED = 9  # of the encoder, 0 to 10


class FilmWriter:
    """Takes frames with their seconds; ``save`` makes the file.

    Args:
        quality: 0 to 100.

    Raises:
        InputError: this Pillow cannot encode AV1.
    """

    def __init__(self, *, quality: int = QUALITY) -> None:
        if not features.check("avif"):
            raise InputError(
                "This Pillow cannot write films: pip install --upgrade pillow, or leave out mp4.",
                code="bad-option",
            )
        self._quality = quality
        self._waiting: list[Image.Image] = []
        self._samples: list[bytes] = []
        self._keys: list[int] = []
        self._times: list[float] = []
        self._size = (0, 0)
        self._codec = b""

    def add(self, pixels: np.ndarray, time_s: float) -> None:
        """The next frame: (H, W, 3) uint8 sRGB, of even height and width, shown from a second on.

        All frames have the size of the first, and times ascend.
        """
        self._waiting.append(Image.fromarray(pixels))
        self._times.append(time_s)
        if len(self._waiting) == GROUP:
            self.finish_group()

    def save(self, path: str | Path) -> Path:
        """Write the film; returns its path.

        Raises ``InputError`` when the place cannot be written, ``ValueError`` without a frame.
        """
        return write_bytes(Path(path), self.to_mp4())

    def to_mp4(self) -> bytes:
        """The film."""
        self.finish_group()
        if not self._samples:
            raise ValueError("a film needs a frame")
        sizes, ticks = [len(sample) for sample in self._samples], ticks_of(self._times)
        pictures = Pictures(sizes, self._keys, ticks, *self._size, self._codec)
        return mp4(pictures, self._samples)

    def join(self, other: FilmWriter) -> None:
        """Go on with the frames of another film of this size, encoded as this one's are."""
        for film in (self, other):
            film.finish_group()
        self._keys += [len(self._samples) + key for key in other._keys]
        self._samples += other._samples
        self._times += other._times
        self._size, self._codec = other._size, other._codec

    def finish_group(self) -> None:
        """Encode what waits for more; what comes then stands alone."""
        if not self._waiting:
            return
        first, *others = self._waiting
        buffer = io.BytesIO()
        # Its own times are not used; one picture alone is an image, of which two make a sequence.
        alone = not others
        first.save(
            buffer,
            "AVIF",
            save_all=True,
            append_images=[first] if alone else others,
            duration=33,
            quality=self._quality,
            speed=_SPEED,
        )
        data = buffer.getvalue()
        samples = samples_of(data)[: len(self._waiting)]
        self._keys.append(len(self._samples))
        self._samples += samples
        self._size = first.size
        self._codec = _codec(data)
        self._waiting = []


def _codec(data: bytes) -> bytes:
    """The content of ``av1C``, from the description of the samples."""
    description = find_box(find_box(data, b"moov"), b"stsd")
    # Behind the count of entries: one of a picture, whose own boxes begin after 86 bytes.
    return find_box(description[8 + 86 :], b"av1C")
