"""Synthetic clips on disk: a folder each, with the film and its truth."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np

from vitruvian.body.model.model import body_model, joint_motion
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.sequences import FPS, Sequence, drawn_frames, random_sequence
from vitruvian.types.camera import Camera
from vitruvian.types.record import Record
from vitruvian.video.floor import landmarks_of

CLIP, TRUTH = "clip.mp4", "truth.npz"
Drawing = Generator[int, None, bytes]  # of a clip: yields 1 for every frame, returns its truth


class Truth(Record):
    """What is true of a clip, kept as ``truth.npz``: a dataclass of arrays, numbers and texts."""

    def encoded(self) -> bytes:
        """The bytes of the file."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{one.name: getattr(self, one.name) for one in fields(self)})  # type: ignore[arg-type]
        return buffer.getvalue()


@dataclass(frozen=True, eq=False, repr=False)
class SequenceTruth(Truth):
    """What is true of a clip. World: y up, floor at y = 0, metres; cameras as in OpenCV.

    Attributes:
        fps: frames a second.
        size: (2,) int width and height of the frames, pixels.
        intrinsics: (3, 3) camera matrix of all frames; pixel centres are at .5.
        cameras_from_world: (F, 4, 4) of every frame.
        betas: (K,) of the body.
        pose: (F, J, 3) local axis-angle; the root's leads into the world.
        translation: (F, 3) root joint in the world.
        joints: (F, J, 3) in the world; joint_names: (J,).
        landmarks: (F, 33, 3) BlazePose's on the body, in the world.
        visible: (F,) share of the person's silhouette in the frame that nothing hides.
        stature: metres, without shoes.
        motion, camera: what the person and the camera do.
    """

    fps: float
    size: np.ndarray
    intrinsics: np.ndarray
    cameras_from_world: np.ndarray
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    joints: np.ndarray
    joint_names: np.ndarray
    landmarks: np.ndarray
    visible: np.ndarray
    stature: float
    motion: str
    camera: str

    @property
    def lens(self) -> Camera:
        """The camera of all frames."""
        (width, height), matrix = map(int, self.size), self.intrinsics
        centre = float(matrix[0, 2]), float(matrix[1, 2])
        return Camera(float(matrix[0, 0]), width, height, centre, "given")

    @staticmethod
    def read(path: Path) -> SequenceTruth:
        """The truth in a ``truth.npz``. Raises ``InputError`` where it cannot be read."""
        try:
            with np.load(path) as archive:
                found = {name: archive[name] for name in archive.files}
            for name in ("fps", "stature"):
                found[name] = float(found[name])
            for name in ("motion", "camera"):
                found[name] = str(found[name])
            return SequenceTruth(**found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is no truth of a synthetic clip: make it again with vitruvian synth "
                "--video."
            ) from error


def truth_of(sequence: Sequence, visible: np.ndarray) -> SequenceTruth:
    """What is true of a sequence; ``visible`` (F,) as in ``SequenceFrame``."""
    model, motion = body_model(), sequence.motion
    camera = sequence.path.views[0].camera
    (cx, cy), focal = camera.principal_point, camera.focal_px
    rest = model.rest(motion.betas)[1]
    joints = [
        joint_motion(model.parents, rest, local, where).heads
        for local, where in zip(
            matrix_from_axis_angle(motion.pose), motion.translation, strict=True
        )
    ]
    return SequenceTruth(
        fps=FPS,
        size=np.array([camera.width, camera.height]),
        intrinsics=np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1.0]]),
        cameras_from_world=np.stack([view.camera_from_world for view in sequence.path.views]),
        betas=motion.betas,
        pose=motion.pose,
        translation=motion.translation,
        joints=np.stack(joints),
        joint_names=np.array(motion.joint_names),
        landmarks=landmarks_of(model, motion),
        visible=visible,
        stature=float(model.stature(motion.betas)),
        motion=sequence.doing,
        camera=f"{sequence.path.kind}, occluded" if sequence.occluded else sequence.path.kind,
    )


def write_sequences(
    folder: Path, seed: int, count: int, frames: int, size: int, library: AssetLibrary
) -> Iterator[int]:
    """Write ``count`` clips, as ``write_clips`` does."""

    def drawn(number: int, film: Film) -> Drawing:
        sequence = random_sequence(seed, number, frames, size, library)
        visible = []
        for frame in drawn_frames(sequence, library):
            film.add(frame.image)
            visible.append(frame.visible)
            yield 1
        return truth_of(sequence, np.array(visible)).encoded()

    yield from write_clips(folder, count, frames, drawn)


def clip_folders(folder: Path, command: str) -> list[Path]:
    """The folders in a folder that hold a clip and its truth.

    Raises:
        InputError: there are none; ``command`` makes some.
    """
    found = [path.parent for path in sorted(folder.glob(f"*/{CLIP}"))]
    found = [one for one in found if (one / TRUTH).is_file()]
    if not found:
        raise InputError(f"{folder} holds no clips with a truth: make some with {command}.")
    return found


def write_clips(
    folder: Path, count: int, frames: int, drawn: Callable[[int, Film], Drawing]
) -> Iterator[int]:
    """Write ``count`` clips as ``00000/clip.mp4`` and ``truth.npz``; yields frames as they end.

    Clips that are there already stay.

    Args:
        folder: for all of them.
        count: of clips.
        frames: of each.
        drawn: adds the frames of a clip, by its number, to a film, yields 1 for each, and returns
            the bytes of its truth.

    Raises:
        InputError: the place cannot be written.
    """
    for number in range(count):
        place = folder / f"{number:05d}"
        if (place / TRUTH).exists():
            yield frames
            continue
        film = Film(place / CLIP)
        truth = yield from drawn(number, film)
        film.close()
        # The truth comes last: a folder that has it is whole.
        write_bytes(place / TRUTH, truth)


class Film:
    """An MP4 that OpenCV reads everywhere (MPEG-4 Visual).

    Args:
        path: where it goes; until ``close`` it has another name.

    Raises:
        InputError: the place cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Half-finished films keep the suffix that tells OpenCV the format.
        self._temporary = path.with_name(f".part-{path.name}")
        self._writer: cv2.VideoWriter | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable() from error

    def add(self, pixels: np.ndarray) -> None:
        """The next frame (H, W, 3) uint8 sRGB; all have the size of the first."""
        if self._writer is None:
            height, width = pixels.shape[:2]
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._temporary), codec, FPS, (width, height))
            if not self._writer.isOpened():
                raise self._unwritable()
        self._writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        assert self._writer is not None
        self._writer.release()
        os.replace(self._temporary, self._path)

    def _unwritable(self) -> InputError:
        return InputError(
            f"Cannot write {self._path}: choose a folder that can be written to.",
            code="cannot-write",
        )
