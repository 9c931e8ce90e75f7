"""Decoding: the steps from frame to frame through a file or a folder, none decoded unasked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

# FFmpeg, inside of OpenCV, prints what it thinks of a damaged file; the sentence is ours to say.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

FOLDER_RATE_HZ = 25.0  # of a folder of frames, which tells none
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")

Reader = Callable[[], np.ndarray | None]  # decodes the frame that is at hand; None where it cannot
Steps = Iterator[tuple[int, float, Reader]]  # number, seconds from the first frame, and reader


def frame_files(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _PICTURES)


def picture_reader(path: Path) -> Reader:
    """What decodes a picture, upright."""

    def read() -> np.ndarray | None:
        try:
            with Image.open(path) as image:
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except MemoryError:
            raise
        except Exception:  # as many kinds as there are ways to damage a file
            return None

    return read


def folder_steps(folder: Path) -> Steps:
    """Through the frames in a folder, at ``FOLDER_RATE_HZ``."""
    for number, path in enumerate(frame_files(folder)):
        yield number, number / FOLDER_RATE_HZ, picture_reader(path)


def video_steps(path: Path, fps: float) -> Steps:
    """Through a file that FFmpeg reads; ``fps`` where it has no times of its own."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)

    def read() -> np.ndarray | None:
        done, pixels = capture.retrieve()
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if done else None

    number, first, last = 0, 0.0, -1.0
    try:
        while capture.grab():
            shown = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if number == 0:
                first = shown
            time_s = shown - first
            if time_s <= last:  # a file without timestamps, or with ones that do not ascend
                time_s = last + 1 / fps if number else 0.0
            last = time_s
            yield number, time_s, read
            number += 1
    finally:
        capture.release()


def animation_steps(path: Path) -> Steps:
    """Through an animated GIF, WebP or PNG."""
    with Image.open(path) as image:
        time_s = 0.0
        for number in range(int(getattr(image, "n_frames", 1))):
            try:
                image.seek(number)
                pixels = np.asarray(image.convert("RGB"))
            except MemoryError:
                raise
            except Exception:  # likewise
                return
            yield number, time_s, partial(_same, pixels)
            time_s += float(image.info.get("duration") or 1000 / FOLDER_RATE_HZ) / 1000


def _same(pixels: np.ndarray) -> np.ndarray:
    return pixels
