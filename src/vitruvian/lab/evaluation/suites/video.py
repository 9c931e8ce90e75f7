"""The suite ``video``: every frame reconstructed by itself, the baseline for video."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ANKLES
from vitruvian.errors import InputError
from vitruvian.geometry.pairing import best_pairs
from vitruvian.geometry.render import render_mesh
from vitruvian.lab.evaluation.matching import mask_overlaps
from vitruvian.lab.evaluation.metrics.silhouette import iou
from vitruvian.lab.evaluation.metrics.video import acceleration_error, foot_slide, jitter
from vitruvian.lab.evaluation.pictures import PALETTE, faded, outlined, resized
from vitruvian.lab.evaluation.rendering import silhouette
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.networks.nanodet import box_iou
from vitruvian.types.keypoints import HEELS, TOES

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")
DESCRIPTION = "clips.json"
_OPTIONS = ("people", "every")
RATE_HZ = 10.0  # frames looked at per second, unless clips.json says every how many
WINDOW = 20  # frames looked at in a case
_LEAST_OVERLAP = 0.2  # IoU of boxes in successive frames from which on they are one person's
_LEAST_MASK_OVERLAP = 0.25
_LEAST_FRAMES = 4  # of a track that says something of motion
# A foot stands while its landmarks move less than this share of the person's height in the picture.
_STANDING = 0.006
_ENDS = np.stack([HEELS, TOES], axis=1)  # landmarks of either foot
_SHOWN = 5

# Ranges of frames (first, end, count) in which so many people are in view.
Expected = tuple[tuple[int, float, int], ...]


@dataclass(frozen=True)
class ClipCase:
    """A stretch of a clip: frames ``start``, ``start + every``... ``frames`` of them at most."""

    name: str
    clip: Path
    start: int
    every: int
    frames: int
    fps: float
    expected: Expected
    masks: Path | None


@dataclass(frozen=True)
class Seen:
    """A person in a frame.

    Attributes:
        index: of the frame among those looked at.
        person: as reconstructed.
        alpha: (H, W) bool.
    """

    index: int
    person: Any
    alpha: np.ndarray


@dataclass(frozen=True)
class VideoSuite:
    """A folder of clips, ``NAME.mp4``, with an optional ``clips.json`` and optional masks.

    Ten frames a second are reconstructed as photographs that know nothing of each other, and people
    are linked by their boxes: the baseline for whatever uses the time. The numbers describe
    steadiness and agreement with each frame; the truth of the motion is not known.

    ``clips.json``: ``{"NAME.mp4": {"people": 2, "every": 3}}``; ``people`` may also be ranges
    ``[[first, end, count], ...]`` of frames. ``masks/NAME/00123.png`` (five or six digits)
    labels frame 123: 0 is nobody, every other value one person.

    Attributes:
        folder: holds the clips.
        reconstruct: from a frame to a scene; the pipeline unless a test says otherwise.
        window: frames looked at in a case.
    """

    folder: Path
    reconstruct: Callable[..., Any] = default_reconstruct
    window: int = WINDOW

    name = "video"
    ranking = "jitter"
    concurrent = True
    metrics = (
        Metric("people", "people found per frame", better="neither", digits=2),
        Metric("right_count", "frames with the expected count"),
        Metric("tracks", "tracks per person", better="lower", digits=2),
        Metric("jitter", "jitter about the root", "m/s³", "lower", 1),
        Metric("acceleration", "acceleration about the root", "m/s²", "lower", 2),
        Metric("root_jitter", "jitter of the root", "m/s³", "lower", 1),
        Metric("root_acceleration", "acceleration of the root", "m/s²", "lower", 2),
        Metric("foot_slide_mm", "standing feet move per frame", "mm", "lower", 1),
        Metric("surface_iou", "surface against matte IoU"),
        Metric("surface_iou_worst", "· worst frame"),
        Metric("mask_iou", "matte against mask IoU"),
        Metric("stature_sd_cm", "stature, sd over frames", "cm", "lower", 2),
        Metric("seconds", "time per frame", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> VideoSuite:
        """The suite on ``data/video`` or on ``data`` itself."""
        folder = data / "video"
        return VideoSuite(folder if folder.is_dir() else data)

    def cases(self) -> Sequence[ClipCase]:
        """Stretches of every clip; the first of each, then the second of each, and so on."""
        clips = sorted(p for p in self.folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
        if not clips:
            raise InputError(f"{self.folder} holds no clips: put MP4 files there.")
        described = _description(self.folder / DESCRIPTION)
        stretches = [
            (round_, case)
            for clip in clips
            for round_, case in enumerate(self._stretches(clip, described.get(clip.name, {})))
        ]
        return [case for _, case in sorted(stretches, key=lambda item: item[0])]

    def _stretches(self, clip: Path, options: Mapping[str, Any]) -> Iterator[ClipCase]:
        fps, count = clip_length(clip)
        every = int(options.get("every", max(1, round(fps / RATE_HZ))))
        people = options.get("people", ())
        if isinstance(people, int):
            people = ((0, float("inf"), people),)
        masks = self.folder / "masks" / clip.stem
        for start in range(0, count, every * self.window):
            frames = min(self.window, -(-(count - start) // every))
            if start and frames < self.window / 2:
                continue  # a remainder that says little
            name = f"{clip.stem}-{start:05d}"
            expected = tuple((int(a), float(b), int(n)) for a, b, n in people)
            yield ClipCase(
                name, clip, start, every, frames, fps, expected, masks if masks.is_dir() else None
            )

    def run(self, case: ClipCase) -> Outcome:
        """Reconstruct the frames of a stretch one by one, link the people, and measure."""
        tracks: list[list[Seen]] = []
        counts, seconds, mask_ious = [], [], []
        right: list[bool] = []
        pictures: list[Picture] = []
        shown = set(np.linspace(0, case.frames - 1, min(_SHOWN, case.frames)).round().astype(int))
        fits: dict[int, list[float]] = {}
        for index, (number, pixels) in enumerate(read_frames(case)):
            scene = self.reconstruct(pixels, texture=False, check=False)
            seen = [Seen(index, p, p.figure.alpha.full() >= 128) for p in scene.people]
            link(tracks, seen)
            counts.append(len(seen))
            seconds.append(sum(scene.timings_s.values()))
            right += [len(seen) == n for a, b, n in case.expected if a <= number < b]
            fits[index] = [iou(silhouette(s.person.mesh_camera, scene.camera), s.alpha)
                           for s in seen]  # fmt: skip
            if case.masks is not None:
                mask_ious += _mask_ious(case.masks, number, pixels.shape, seen)
            if index in shown:
                picture = _drawn(pixels, scene, tracks, index)
                pictures.append(Picture(f"frame {number}", picture))
        if not counts:
            raise InputError(f"{case.clip} has no frame {case.start}: check the file.")
        all_fits = [value for values in fits.values() for value in values]
        numbers = {
            "people": float(np.mean(counts)),
            "seconds": float(np.mean(seconds)),
            **({"right_count": float(np.mean(right))} if right else {}),
            **({"mask_iou": float(np.mean(mask_ious))} if mask_ious else {}),
            **({"tracks": len(tracks) / max(counts)} if tracks else {}),
            **motion_numbers(tracks, case.fps / case.every),
        }
        if all_fits:
            numbers["surface_iou"] = float(np.mean(all_fits))
            numbers["surface_iou_worst"] = min(all_fits)
        note = "" if tracks else "Nobody was found."
        return Outcome(numbers, tuple(pictures), note)


def read_frames(case: ClipCase) -> Iterator[tuple[int, np.ndarray]]:
    """Numbers and pixels of a stretch's frames; see ``frames_of``."""
    return frames_of(
        case.clip, range(case.start, case.start + case.frames * case.every, case.every)
    )


def frames_of(clip: Path, wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Numbers and pixels (H, W, 3) uint8 sRGB of a clip's frames, upright, in order.

    Frames between are skipped one by one: seeking is not exact in many files. It ends where the
    clip does. ``wanted``: ascending numbers, from 0.
    """
    capture = cv2.VideoCapture(str(clip))
    left = iter(wanted)
    following = next(left, None)
    number = 0
    try:
        while following is not None and capture.grab():
            if number == following:
                done, pixels = capture.retrieve()
                if not done:
                    return
                yield number, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
                following = next(left, None)
            number += 1
    finally:
        capture.release()


def link(tracks: list[list[Seen]], seen: Sequence[Seen]) -> None:
    """Append the people of a frame to the ``tracks`` of the frame before it, or begin new ones.

    The pair of boxes with the greatest IoU is linked first.
    """
    if not seen:
        return
    open_ = [track for track in tracks if track[-1].index == seen[0].index - 1]
    scores = np.array(
        [[box_iou(t[-1].person.figure.box, s.person.figure.box) for s in seen] for t in open_]
    ).reshape(len(open_), len(seen))
    pairs = best_pairs(scores, _LEAST_OVERLAP)
    for row, column in pairs.items():
        open_[row].append(seen[column])
    linked = set(pairs.values())
    tracks.extend([s] for column, s in enumerate(seen) if column not in linked)


def motion_numbers(tracks: Sequence[Sequence[Seen]], fps: float) -> dict[str, float]:
    """Steadiness of tracks that are long enough, weighted by their lengths; {} without any.

    Joints are those that a photograph says something of, in the camera frame. ``fps`` is that of
    the frames looked at. Acceleration is the error against joints that rest.
    """
    active = body_model().active
    values: dict[str, list[tuple[float, int]]] = {}

    def add(key: str, value: float, weight: int) -> None:
        if np.isfinite(value):
            values.setdefault(key, []).append((value, weight))

    for track in tracks:
        frames = len(track)
        if frames < _LEAST_FRAMES:
            continue
        joints = np.stack([seen.person.body.joints for seen in track])  # (T, J, 3)
        root = joints[:, :1]
        about = (joints - root)[:, active]
        for key, points in (("", about), ("root_", root)):
            add(f"{key}jitter", jitter(points, fps=fps), frames)
            rest = np.zeros_like(points)
            add(f"{key}acceleration", acceleration_error(points, rest, fps=fps), frames)
        index = body_model().joint_index
        feet = joints[:, [index[name] for name in ANKLES]]
        contact = standing(track)
        add("foot_slide_mm", foot_slide(feet, contact=contact), int(contact.sum()))
        statures = [100 * seen.person.body.height_m for seen in track]
        add("stature_sd_cm", float(np.std(statures)), frames)
    return {
        key: float(np.average([v for v, _ in pairs], weights=[w for _, w in pairs]))
        for key, pairs in values.items()
    }


def standing(track: Sequence[Seen]) -> np.ndarray:
    """Which feet stand: (T - 1, 2) bool, left and right.

    The picture is asked, not the reconstruction: a foot stands from one frame to the next when heel
    and tip both stay where they are in the picture. True for a camera that does not move.
    """
    points = np.stack([seen.person.figure.landmarks.points for seen in track])  # (T, 33, 2)
    boxes = np.stack([seen.person.figure.box for seen in track])
    height = (boxes[:, 3] - boxes[:, 1])[:-1, None]
    moved = np.linalg.norm(np.diff(points, axis=0), axis=2) / height
    return np.asarray((moved[:, _ENDS] < _STANDING).all(2))


def _mask_ious(
    folder: Path, number: int, shape: tuple[int, ...], seen: Sequence[Seen]
) -> list[float]:
    """IoU of everyone labelled in a frame with who was found there, 0 for who was not."""
    # Five digits as in DAVIS, or six.
    path = folder / f"{number:05d}.png"
    if not path.exists():
        path = folder / f"{number:06d}.png"
    if not path.exists():
        return []
    try:
        with Image.open(path) as image:
            labels = np.asarray(image if image.mode in ("P", "L", "I;16") else image.convert("L"))
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read the mask {path}: save it as a PNG of labels.") from error
    if labels.shape != shape[:2]:
        raise InputError(f"The mask {path} has not the size of its frame: save it at that size.")
    true = [labels == label for label in np.unique(labels) if label != 0]
    scores = mask_overlaps(true, [s.alpha for s in seen])
    pairs = best_pairs(scores, _LEAST_MASK_OVERLAP)
    return [float(scores[k, pairs[k]]) if k in pairs else 0.0 for k in range(len(true))]


def _drawn(pixels: np.ndarray, scene: Any, tracks: list[list[Seen]], index: int) -> np.ndarray:
    """The frame, pale, with everyone in clay and outlined in the colour of their track."""
    height, width = pixels.shape[:2]
    out = faded(pixels, 0.35)
    now = [(k, track[-1]) for k, track in enumerate(tracks) if track[-1].index == index]
    for _, seen in sorted(now, key=lambda item: -item[1].person.body.joints[0, 2]):
        clay = render_mesh(seen.person.mesh_camera, scene.camera, width, height, mode="clay")
        out = np.where(clay[..., 3:] > 127, clay[..., :3], out)
    for number, seen in now:
        out = outlined(out, seen.alpha, PALETTE[number % len(PALETTE)], 2)
    return resized(out, 300)


def clip_length(clip: Path) -> tuple[float, int]:
    """Frames per second and number of frames. Raises ``InputError`` for what is no clip."""
    capture = cv2.VideoCapture(str(clip))
    try:
        fps, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if not capture.isOpened() or not 0 < fps < 1000:
            raise InputError(f"Cannot read the clip {clip}: convert it to MP4.")
        if count <= 0:  # some containers do not say
            count = 0
            while capture.grab():
                count += 1
    finally:
        capture.release()
    if count == 0:
        raise InputError(f"The clip {clip} has no frames: convert it to MP4.")
    return float(fps), count


def _description(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """What ``clips.json`` says; empty where there is none."""
    if not path.exists():
        return {}
    sentence = (
        f"{path} must map file names to people (a number or ranges [first, end, number]) and every."
    )
    try:
        described: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
        for options in described.values():
            people = options.get("people", [])
            ranges = [] if isinstance(people, int) else [[int(v) for v in row] for row in people]
            good = all(len(row) == 3 for row in ranges) and int(options.get("every", 1)) >= 1
            if not good or set(options) - set(_OPTIONS):
                raise InputError(sentence)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(sentence) from error
    return described
