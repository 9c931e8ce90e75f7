"""A camera at this machine: some seconds of it recorded, to be read as any other clip."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vitruvian.errors import InputError
from vitruvian.video.film.recording import Recording
from vitruvian.video.quiet import quiet

PREFIX = "webcam:"
LEAST_S, MOST_S = 1.0, 60.0
_PATIENCE_S = 10.0  # for the first picture: cameras take a second or two to wake
_SIZE = 1280, 720  # pixels that are asked for; a camera gives what it can
_LEAST_FRAMES = 4


class Capture(Protocol):
    """What a camera is read with, as ``cv2.VideoCapture``."""

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Whether there was a picture, and the picture, (H, W, 3) uint8 BGR."""

    def release(self) -> None:
        """Give the camera back."""


def is_webcam(source: str) -> bool:
    """Whether a source names a camera, as ``webcam:0`` does."""
    return source.lower().startswith(PREFIX)


def check_webcam(source: str, seconds: float) -> int:
    """The number of the camera that a source names.

    Raises ``InputError`` where it names none, or so many seconds are not taken.
    """
    number = source[len(PREFIX) :].strip() or "0"
    if not number.isdecimal():
        raise InputError(
            f"{source} is no camera: give its number, webcam:0 for the first.", code="bad-option"
        )
    if not LEAST_S <= seconds <= MOST_S:
        raise InputError(
            f"A camera is recorded for {LEAST_S:g} to {MOST_S:g} seconds, not {seconds:g} (--for).",
            code="bad-option",
        )
    return int(number)


def record_webcam(
    source: str,
    folder: Path,
    seconds: float,
    tell: Callable[[str, int, int], None] | None = None,
    *,
    capture: Capture | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Path:
    """Record a camera into a film of its own in ``folder``, with the second of every frame.

    Args:
        source: ``webcam:0`` is the first camera.
        folder: where the film goes; made when absent.
        seconds: how long.
        tell: told how many seconds are recorded, of how many.
        capture: read in place of the camera.
        clock: seconds that ascend.

    Returns:
        The path of the film, which is named after camera and time.

    Raises:
        InputError: there is no such camera, it may not be used, it sends nothing, or the place
            cannot be written.
    """
    number = check_webcam(source, seconds)
    if capture is None:
        capture = _opened(number)
    path = folder / f"{PREFIX[:-1]}-{number}-{time.strftime('%Y%m%d-%H%M%S')}.mov"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Recording(path) as film:
            _record(capture, film, number, seconds, tell or (lambda *_: None), clock)
    except OSError as error:
        raise InputError(
            f"Cannot write {path}: choose another folder with -o.", code="cannot-write"
        ) from error
    finally:
        capture.release()
    return path


def _record(
    capture: Capture,
    film: Recording,
    number: int,
    seconds: float,
    tell: Callable[[str, int, int], None],
    clock: Callable[[], float],
) -> None:
    opened = clock()
    first: float | None = None
    while not film.full:
        there, pixels = capture.read()
        now = clock()
        if not there or pixels is None:
            if first is not None:
                break  # unplugged: what came until then is a clip, too
            if now - opened > _PATIENCE_S:
                break
            time.sleep(0.02)
            continue
        first = now if first is None else first
        if now - first >= seconds:
            break
        film.add(pixels, now - first)
        tell("recording", int(now - first), round(seconds))
    if film.frames < _LEAST_FRAMES:
        raise InputError(
            f"Camera {number} sends no pictures: close other programs that use it, and open its "
            "shutter.",
            code="not-a-clip",
        )


def _opened(number: int) -> Capture:
    device = Path(f"/dev/video{number}")
    if sys.platform == "linux" and device.exists() and not os.access(device, os.R_OK | os.W_OK):
        raise InputError(
            f"This user may not use camera {number} ({device}): add them to the group video, and "
            "log in again.",
            code="unreadable-file",
        )
    with quiet():
        camera = cv2.VideoCapture(number)
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, _SIZE[0])
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, _SIZE[1])
    if not camera.isOpened():
        raise InputError(
            f"There is no camera {number}, or it may not be used: plug it in, close other programs "
            "that use it, and let the terminal use cameras in the system's settings.",
            code="missing-file",
        )
    return camera
