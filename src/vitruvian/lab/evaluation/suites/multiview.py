"""The suite ``multiview``: a real person before calibrated cameras, each view by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.metrics.body import mpjpe, pa_mpjpe
from vitruvian.lab.evaluation.metrics.video import acceleration_error, jitter
from vitruvian.lab.evaluation.pictures import faded, resized
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.lab.evaluation.suites.video import clip_length, frames_of
from vitruvian.types.camera import Camera
from vitruvian.types.keypoints import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS

TRUTH = "truth.npz"
# The joints whose landmarks mean the same on every body, as in common sets of 12.
JOINTS = np.array([*SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES])
_FARTHEST = 0.1  # of the person's height in the picture: median distance of landmarks to the truth
_LEAST_FRAMES = 4  # in a row, from which on motion is measured
_SHOWN = 3


@dataclass(frozen=True)
class ViewCase:
    """One camera's clip.

    Attributes:
        folder: holds the clips and ``truth.npz``.
        view: number of the camera, from 0.
    """

    name: str
    folder: Path
    view: int


@dataclass(frozen=True)
class SeenFrame:
    """A frame in which the person was found; camera frame, metres.

    Attributes:
        index: of the frame among those with a truth.
        found, true: (33, 3) BlazePose's landmarks of the fitted body and of the truth.
        stature: of the body.
    """

    index: int
    found: np.ndarray
    true: np.ndarray
    stature: float


@dataclass(frozen=True)
class MultiviewSuite:
    """Folders of ``cam01.mp4``, ``cam02.mp4``… and ``truth.npz``, as in docs/evaluation.md.

    Every frame with a truth is reconstructed as a photograph by itself, whose lens is known. The
    fitted body's landmarks are compared with the triangulated ones.

    Attributes:
        folders: one for each person and take.
        reconstruct: from a photograph to a scene; the pipeline unless a test says otherwise.
    """

    folders: tuple[Path, ...]
    reconstruct: Callable[..., Any] = default_reconstruct

    name = "multiview"
    ranking = "mpjpe_mm"
    concurrent = True
    metrics = (
        Metric("found", "frames in which the person was found"),
        Metric("mpjpe_mm", "MPJPE, 12 joints", "mm", "lower", 1),
        Metric("pa_mpjpe_mm", "PA-MPJPE, 12 joints", "mm", "lower", 1),
        Metric("across_mm", "· across the view", "mm", "lower", 1),
        Metric("along_mm", "· along the view", "mm", "lower", 1),
        Metric("root_mm", "position of the hips", "mm", "lower", 1),
        Metric("acceleration", "acceleration error about the hips", "m/s²", "lower", 2),
        Metric("jitter", "jitter in the world", "m/s³", "lower", 1),
        Metric("true_jitter", "· of the truth", "m/s³", "neither", 1),
        Metric("stature_cm", "stature", "cm", "neither", 1),
        Metric("stature_sd_cm", "· sd over frames", "cm", "lower", 2),
        Metric("seconds", "time per frame", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> MultiviewSuite:
        """The suite on folders in ``data/video``, in ``data``, or on ``data`` itself.

        Raises:
            InputError: none of them holds a truth.
        """
        for place in (data / "video", data, data.parent):
            folders = [one.parent for one in sorted(place.glob(f"*/{TRUTH}"))]
            if place == data.parent:
                folders = [one for one in folders if one == data]
            if folders:
                return MultiviewSuite(tuple(folders))
        raise InputError(
            f"{data} has no folder with {TRUTH}: give one with calibrated views and a truth."
        )

    def cases(self) -> Sequence[ViewCase]:
        """Every camera of every folder."""
        out = []
        for folder in self.folders:
            count = len(_truth(folder)["intrinsics"])
            for view in range(count):
                out.append(ViewCase(f"{folder.name}-cam{view + 1:02d}", folder, view))
        return out

    def run(self, case: ViewCase) -> Outcome:
        """Reconstruct a camera's frames one by one and compare them with the truth."""
        truth = _truth(case.folder)
        seen: list[SeenFrame] = []
        seconds: list[float] = []
        pictures: list[Picture] = []
        count = len(truth["frames"])
        shown = set(np.linspace(0, count - 1, min(_SHOWN, count)).round().astype(int))
        for index, photo in view_photos(case, truth):
            scene = self.reconstruct(photo, detail="body", texture=False, check=False)
            seconds.append(sum(scene.timings_s.values()))
            true = _in_camera(truth, index, case.view)
            person = nearest_person(scene.people, photo.camera.project(true))
            if person is not None:
                found = body_landmarks(person.body)
                seen.append(SeenFrame(index, found, true, float(person.body.height_m)))
            if index in shown:
                drawn = _drawn(photo.pixels, scene.camera, person)
                pictures.append(Picture(f"frame {truth['frames'][index]}", drawn))
        fps = _rate(case, truth)
        numbers = {
            "found": len(seen) / count,
            "seconds": float(np.mean(seconds)),
            **pose_numbers(seen),
            **motion_numbers(seen, truth["rotation"][case.view], fps),
        }
        return Outcome(numbers, tuple(pictures), "" if seen else "Nobody was found.")


def pose_numbers(seen: Sequence[SeenFrame]) -> dict[str, float]:
    """Means over frames; {} without any."""
    if not seen:
        return {}
    rows = []
    for one in seen:
        found, true = _about_hips(one.found)[JOINTS], _about_hips(one.true)[JOINTS]
        away = found - true
        root = one.found[HIPS].mean(0) - one.true[HIPS].mean(0)
        rows.append(
            (
                mpjpe(found, true, root=None),
                pa_mpjpe(found, true),
                1000 * float(np.linalg.norm(away[:, :2], axis=1).mean()),
                1000 * float(np.abs(away[:, 2]).mean()),
                1000 * float(np.linalg.norm(root)),
            )
        )
    keys = ("mpjpe_mm", "pa_mpjpe_mm", "across_mm", "along_mm", "root_mm")
    numbers = dict(zip(keys, np.mean(rows, axis=0).tolist(), strict=True))
    statures = [100 * one.stature for one in seen]
    return {
        **numbers,
        "stature_cm": float(np.mean(statures)),
        "stature_sd_cm": float(np.std(statures)),
    }


def motion_numbers(
    seen: Sequence[SeenFrame], camera_from_world: np.ndarray, fps: float
) -> dict[str, float]:
    """Steadiness over the longest unbroken row of frames; {} where that is short.

    Args:
        seen: in order.
        camera_from_world: (3, 3) rotation of the camera, which stands still.
        fps: of the frames with a truth.
    """
    row = longest_row(seen)
    if len(row) < _LEAST_FRAMES:
        return {}
    found = np.stack([one.found[JOINTS] for one in row]) @ camera_from_world
    true = np.stack([one.true[JOINTS] for one in row]) @ camera_from_world
    about = [np.stack([_about_hips(p)[JOINTS] for p in (one.found, one.true)]) for one in row]
    own, truth = np.stack(about, axis=1)
    return {
        "acceleration": acceleration_error(own, truth, fps=fps),
        "jitter": jitter(found, fps=fps),
        "true_jitter": jitter(true, fps=fps),
    }


def longest_row(seen: Sequence[SeenFrame]) -> list[SeenFrame]:
    """The most frames that follow each other without a gap."""
    best: list[SeenFrame] = []
    row: list[SeenFrame] = []
    for one in seen:
        row = [*row, one] if row and one.index == row[-1].index + 1 else [one]
        best = max(best, row, key=len)
    return best


def view_photos(case: ViewCase, truth: Mapping[str, np.ndarray]) -> Iterator[tuple[int, Any]]:
    """The frames with a truth as photographs with their lens, its distortion taken out."""
    from vitruvian.image.photo import load_photo

    matrix, distortion = truth["intrinsics"][case.view], truth["distortion"][case.view]
    focal = float(matrix[0, 0] + matrix[1, 1]) / 2
    # OpenCV counts from the middle of the first pixel, we from its corner.
    centre = (float(matrix[0, 2]) + 0.5, float(matrix[1, 2]) + 0.5)
    frames = frames_of(_clip(case), truth["frames"].tolist())
    for index, (_, pixels) in enumerate(frames):
        straight = cv2.undistort(pixels, matrix, distortion)
        height, width = straight.shape[:2]
        camera = Camera(focal, width, height, centre, "given")
        yield index, replace(load_photo(straight), camera=camera)


def nearest_person(people: Sequence[Any], true_px: np.ndarray) -> Any | None:
    """Whose landmarks lie nearest to the true ones (33, 2); None where nobody's are near."""
    height = float(np.ptp(true_px[:, 1]))
    best = None
    least = _FARTHEST * height
    for person in people:
        away = np.linalg.norm(person.figure.landmarks.points - true_px, axis=1)
        if np.median(away) < least:
            best, least = person, float(np.median(away))
    return best


def body_landmarks(body: Any) -> np.ndarray:
    """BlazePose's landmarks (33, 3) of a fitted ``Body``, camera frame, metres."""
    model = body_model()
    rotations = matrix_from_axis_angle(body.pose)
    root = body.joints[0]
    points = model.keypoints()
    return model.evaluate(points, body.betas, rotations, root, model.active, jacobian=False)[0]


def _about_hips(points: np.ndarray) -> np.ndarray:
    return points - points[HIPS].mean(0)


def _truth(folder: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(folder / TRUTH) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read {folder / TRUTH}: restore it from its source.") from error


def _in_camera(truth: Mapping[str, np.ndarray], index: int, view: int) -> np.ndarray:
    """The truth's landmarks (33, 3) of a frame in a camera's axes, metres."""
    points = np.asarray(truth["landmarks"][index], np.float64)
    return np.asarray(points @ truth["rotation"][view].T + truth["translation"][view])


def _clip(case: ViewCase) -> Path:
    return case.folder / f"cam{case.view + 1:02d}.mp4"


def _rate(case: ViewCase, truth: Mapping[str, np.ndarray]) -> float:
    """Frames with a truth in a second."""
    every = float(np.median(np.diff(truth["frames"]))) if len(truth["frames"]) > 1 else 1.0
    return clip_length(_clip(case))[0] / every


def _drawn(pixels: np.ndarray, camera: Camera, person: Any | None) -> np.ndarray:
    out = faded(pixels, 0.35)
    if person is not None:
        height, width = pixels.shape[:2]
        clay = render_mesh(person.mesh_camera, camera, width, height, mode="clay")
        out = np.where(clay[..., 3:] > 127, clay[..., :3], out)
    return resized(out, 300)
