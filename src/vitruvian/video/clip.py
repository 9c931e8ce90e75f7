"""Clips and their frames: upright sRGB pixels with the second at which each is shown."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.image.names import expanded, readable
from vitruvian.types.camera import Camera
from vitruvian.types.photo import Photo
from vitruvian.video.calibration import Lens
from vitruvian.video.decoding import (
    FOLDER_RATE_HZ,
    Reader,
    Steps,
    animation_steps,
    folder_steps,
    frame_files,
    picture_reader,
    video_steps,
)
from vitruvian.video.quiet import quiet

MAX_BYTES = 4 * 1024**3
MAX_SECONDS = 600.0  # of the part that is asked for
MAX_SIDE = 8192
MIN_SIDE = 64
MAX_WORKING_SIDE = 1920  # larger frames are made smaller: nobody is easier to find in more
FULL_RATE_HZ = 30.0  # more frames a second than these say nothing new
HEAD_BYTES = 512  # tell what a file is
_PICTURE_STARTS = (b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")  # JPEG, BMP, TIFF
_SOUND = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3")

Kind = Literal["video", "animation", "folder"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a clip.

    Attributes:
        number: in the clip, from 0.
        time_s: seconds from the clip's first frame.
        pixels: (H, W, 3) uint8 sRGB, upright.
    """

    number: int
    time_s: float
    pixels: np.ndarray

    def as_photo(self, camera: Camera) -> Photo:
        """The frame as a photograph that a camera of its size took."""
        return Photo(self.pixels, "frame", None, camera, None, (camera.width, camera.height))


@dataclass(frozen=True)
class Clip:
    """A clip and the part of it that is asked for.

    Attributes:
        path: the file, or the folder of frames.
        kind: how it is read.
        name: what results are called after.
        width, height: of a frame as it is handed out, upright.
        fps: frames per second, as the file says.
        declared: number of frames that the file says it has; 0 where it does not say.
        start_s, end_s: seconds that are asked for, end excluded.
        every: every how many frames.
        full_width, full_height: of a frame in the file, upright.
        lens: whose distortion is taken out of the frames; None where it is not known.
        label: what sentences and reports call it: what was given, or its name.
    """

    path: Path
    kind: Kind
    name: str
    width: int
    height: int
    fps: float
    declared: int
    start_s: float
    end_s: float
    every: int
    full_width: int
    full_height: int
    lens: Lens | None = None
    label: str = ""

    @property
    def expected(self) -> int:
        """About how many frames there will be; 0 where the file does not say."""
        if self.declared <= 0:
            return 0
        first = int(np.ceil(self.start_s * self.fps))
        last = min(self.declared, int(np.ceil(min(self.end_s * self.fps, 1e9))))
        return max(0, -(-(last - first) // self.every))

    @property
    def stems(self) -> list[str]:
        """Names of its files without suffix, by number, where it is a folder of frames."""
        return [file.stem for file in frame_files(self.path)] if self.kind == "folder" else []

    def frames(self, only: Container[int] | None = None) -> Iterator[Frame]:
        """The frames that are asked for, in order; it ends where the clip does.

        One frame at a time is in memory. Frames between are decoded, too: seeking is not exact in
        many files.

        Args:
            only: numbers of the frames that are wanted; all by default.
        """
        for step in self.steps():
            if only is not None and step[0] not in only:
                continue
            frame = self.decoded(*step)
            if frame is None:
                return
            yield frame

    def steps(self) -> Steps:
        """Number, seconds and reader of the frames that are asked for, none decoded yet."""
        steps: Steps
        if self.kind == "video":
            steps = video_steps(self.path, self.fps)
        elif self.kind == "animation":
            steps = animation_steps(self.path)
        else:
            steps = folder_steps(self.path)
        for number, time_s, read in steps:
            if time_s >= self.end_s:
                return
            if number % self.every == 0 and time_s >= self.start_s:
                yield number, time_s, read

    def decoded(self, number: int, time_s: float, read: Reader) -> Frame | None:
        """The frame of a step, while that is the last one taken; None where it is damaged."""
        pixels = read()
        if pixels is None:
            return None
        if pixels.shape[:2] != (self.height, self.width):
            pixels = cv2.resize(pixels, (self.width, self.height), interpolation=cv2.INTER_AREA)
        if self.lens is not None:
            pixels = self.lens.straightened(pixels)
        return Frame(number, time_s, pixels)


def open_clip(
    source: str | Path,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    every: int | None = None,
    name: str | None = None,
    most_s: float = MAX_SECONDS,
) -> Clip:
    """Look at a clip without decoding it.

    Args:
        source: a video file, an animated GIF, WebP or PNG, or a folder of frames, which are taken
            in the order of their names.
        start_s, end_s: the part to read, in seconds; by default all of it.
        every: take every how many frames; by default so many that about 30 a second are left.
        name: what sentences, pages and reports call it; by default what the path says.
        most_s: longest part, in seconds.

    Raises:
        InputError: the source is no clip that can be read, with the reason in one sentence.
    """
    label = readable(str(source)) if name is None else name
    path = expanded(source)
    if not path.exists():
        raise InputError(f"There is no file {label}: check the path.", code="missing-file")
    if end_s is not None and end_s <= start_s:
        raise InputError(
            f"The part from {start_s:g} s to {end_s:g} s is empty: give an end behind the start.",
            code="bad-option",
        )
    kind, width, height, fps, count = (
        _look_at_folder(path, label) if path.is_dir() else _look_at_file(path, label)
    )
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
        raise InputError(
            f"The frames of {label} have {width} x {height} pixels: give a clip of {MIN_SIDE} to "
            f"{MAX_SIDE} pixels a side.",
            code="too-small" if min(width, height) < MIN_SIDE else "too-large",
        )
    if count == 1:
        raise InputError(
            f"{label} has a single frame: reconstruct it as a photograph (vitruvian photo).",
            code="not-a-clip",
        )
    declared_s = count / fps if count else 0.0
    asked_s = min(declared_s, end_s or np.inf) - start_s
    if count and asked_s <= 0:
        raise InputError(
            f"{label} lasts {declared_s:.1f} s, so nothing is left from {start_s:g} s on: begin "
            "earlier.",
            code="bad-option",
        )
    if asked_s > most_s:
        raise InputError(
            f"{label} lasts {_spoken(declared_s)}: give a part of {_spoken(most_s)} at most, "
            "by the seconds at which it begins and ends (--from and --to).",
            code="too-long",
        )
    if every is None:
        every = max(1, round(fps / FULL_RATE_HZ))
    scale = min(1.0, MAX_WORKING_SIDE / max(width, height))
    full = width, height
    width, height = round(width * scale), round(height * scale)
    if name is None:
        name = readable(path.resolve().name if path.is_dir() else path.stem)
    end = np.inf if end_s is None else end_s
    clip = Clip(path, kind, name, width, height, fps, count, start_s, end, every, *full)
    return replace(clip, label=label)


def _look_at_file(path: Path, label: str) -> tuple[Kind, int, int, float, int]:
    """Kind, width, height, frames per second, and number of frames (0: not said) of a file."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(
            f"{label} has {size / 1024**3:.1f} GB: cut it to {MAX_BYTES / 1024**3:.0f} GB at most.",
            code="too-large",
        )
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    check_head(head, label)
    if is_animation(head):
        return _look_at_animation(path, label)
    with quiet():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise InputError(
                f"{label} is damaged, cut short or has no pictures: copy or convert it again.",
                code="damaged-clip",
            )
        fps, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if not 0 < fps < 1000:
            fps = FOLDER_RATE_HZ
        done, pixels = capture.read()
        if not done:
            raise InputError(
                f"No frame of {label} can be decoded, as where it is damaged or AV1: convert it to "
                "MP4 with H.264.",
                code="damaged-clip",
            )
        height, width = pixels.shape[:2]
        if count <= 1 and not capture.grab():
            count = 1
    finally:
        capture.release()
    return "video", width, height, float(fps), max(count, 0)


def check_head(head: bytes, label: str) -> None:
    """Refuse what is no clip by its first ``HEAD_BYTES``.

    Raises:
        InputError: it is empty, sound, a picture, or nothing that is known.
    """
    if not head:
        raise InputError(f"{label} is empty (0 bytes): copy it again.", code="damaged-clip")
    if head.startswith(_SOUND) or head[8:12] == b"WAVE":
        raise InputError(f"{label} is a sound file: give a video.", code="not-a-clip")
    if is_animation(head):
        return
    if head.startswith(_PICTURE_STARTS):
        raise InputError(
            f"{label} is a picture: reconstruct it as a photograph (vitruvian photo).",
            code="not-a-clip",
        )
    if not _is_container(head):
        raise InputError(
            f"{label} is no video that can be read: convert it to MP4.", code="not-a-clip"
        )


def is_animation(head: bytes) -> bool:
    """Whether a file begins as GIF, PNG or WebP do, which may move."""
    return head.startswith((b"GIF8", b"\x89PNG")) or head[8:12] == b"WEBP"


def _is_container(head: bytes) -> bool:
    """Whether a file begins as MP4, MOV, WebM, Matroska, AVI, MPEG, FLV, Ogg or WMV does.

    Text files, such as playlists that name other files and hosts, are not opened.
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return True
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return True
    starts = (b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"FLV", b"OggS")
    if head.startswith((*starts, b"\x30\x26\xb2\x75")):
        return True
    return len(head) > 188 and head[0] == 0x47 and head[188] == 0x47


def _look_at_animation(path: Path, label: str) -> tuple[Kind, int, int, float, int]:
    try:
        with Image.open(path) as image:
            count = int(getattr(image, "n_frames", 1))
            image.seek(min(1, count - 1))
            milliseconds = float(image.info.get("duration") or 1000 / FOLDER_RATE_HZ)
            width, height = image.size
    except MemoryError:
        raise
    except Exception as error:  # as many kinds as there are ways to damage a file
        raise InputError(
            f"{label} is damaged or cut short: copy it again.", code="damaged-clip"
        ) from error
    return "animation", width, height, 1000 / max(milliseconds, 1.0), count


def _look_at_folder(path: Path, label: str) -> tuple[Kind, int, int, float, int]:
    files = frame_files(path)
    if not files:
        raise InputError(
            f"{label} holds no frames: put PNG or JPEG files into the folder.", code="not-a-clip"
        )
    pixels = picture_reader(files[0])()
    if pixels is None:
        raise InputError(f"{files[0]} cannot be read: save it again.", code="damaged-clip")
    return "folder", pixels.shape[1], pixels.shape[0], FOLDER_RATE_HZ, len(files)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
