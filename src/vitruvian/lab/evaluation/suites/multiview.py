"""The suite ``multiview``: a real person before calibrated cameras, by view and all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.pictures import faded, resized
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.joint import Solution, solve_figures
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.lab.evaluation.suites.motion_numbers import SeenFrame, motion_numbers, pose_numbers
from vitruvian.lab.evaluation.suites.video import clip_length, frames_of
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import marks_of_joints
from vitruvian.types.record import Record
from vitruvian.video.calibration import Lens

TRUTH = "truth.npz"
_FARTHEST = 0.1  # of the person's height in the picture: median distance of landmarks to the truth
_SHOWN = 3


@dataclass(frozen=True)
class ViewCase:
    """One camera's clip, or all of them.

    Attributes:
        folder: holds the clips and ``truth.npz``.
        view: number of the camera, from 0; None for all together.
    """

    name: str
    folder: Path
    view: int | None


@dataclass(frozen=True, eq=False, repr=False)
class Look(Record):
    """What is found of the person in one camera's frames.

    Attributes:
        seen: bodies, frame by frame.
        seconds: time of every frame.
        pictures: of some.
        figures: by number of the frame.
        camera: of all frames.
    """

    seen: Sequence[SeenFrame]
    seconds: Sequence[float]
    pictures: tuple[Picture, ...]
    figures: Mapping[int, Figure]
    camera: Camera


@dataclass(frozen=True)
class MultiviewSuite:
    """Folders of ``cam01.mp4``, ``cam02.mp4``… and ``truth.npz``, as in docs/evaluation.md.

    Every frame with a truth is reconstructed as a photograph by itself, whose lens is known. Where
    BlazePose would mark the fitted body's landmarks is compared with the truth, which was
    triangulated from such marks. Then the figures that were found are solved over time, and those
    of all cameras together.

    Attributes:
        folders: one for each person and take.
        reconstruct: from a photograph to a scene; the pipeline unless a test says otherwise.
        solve: from figures to a motion; that of clips unless a test says otherwise.
    """

    folders: tuple[Path, ...]
    reconstruct: Callable[..., Any] = default_reconstruct
    solve: Callable[..., Solution | None] = solve_figures

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
        Metric("solved_mpjpe_mm", "solved over time: MPJPE", "mm", "lower", 1),
        Metric("solved_pa_mpjpe_mm", "· PA-MPJPE", "mm", "lower", 1),
        Metric("solved_across_mm", "· across the view", "mm", "lower", 1),
        Metric("solved_along_mm", "· along the view", "mm", "lower", 1),
        Metric("solved_root_mm", "· position of the hips", "mm", "lower", 1),
        Metric("solved_acceleration", "· acceleration error", "m/s²", "lower", 2),
        Metric("solved_jitter", "· jitter in the world", "m/s³", "lower", 1),
        Metric("solved_slide_mm", "· standing feet move per frame", "mm", "lower", 2),
        Metric("solved_stature_cm", "· stature", "cm", "neither", 1),
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
        """Every camera of every folder, and where there are several, all together."""
        out = []
        for folder in self.folders:
            count = len(_truth(folder)["intrinsics"])
            for view in range(count):
                out.append(ViewCase(f"{folder.name}-cam{view + 1:02d}", folder, view))
            if count > 1:
                out.append(ViewCase(f"{folder.name}-all", folder, None))
        return out

    def run(self, case: ViewCase) -> Outcome:
        """Reconstruct a camera's frames one by one, solve them, and compare with the truth."""
        truth = _truth(case.folder)
        if case.view is None:
            return self._together(case.folder, truth)
        look = self._look(case.folder, case.view, truth)
        count = len(truth["frames"])
        fps = _rate(case.folder, case.view, truth)
        numbers = {
            "found": len(look.seen) / count,
            "seconds": float(np.mean(look.seconds)),
            **pose_numbers(look.seen),
            **motion_numbers(look.seen, truth["rotation"][case.view], fps),
        }
        times = (np.arange(count) / fps).tolist()
        solution = self.solve([look.figures], times, [look.camera], [None])
        if solution is not None:
            numbers |= solved_numbers(solution, truth, case.view, fps)
        return Outcome(numbers, look.pictures, "" if look.seen else "Nobody was found.")

    def _together(self, folder: Path, truth: Mapping[str, np.ndarray]) -> Outcome:
        views = range(len(truth["intrinsics"]))
        looks = [self._look(folder, view, truth) for view in views]
        fps = _rate(folder, 0, truth)
        poses = np.tile(np.eye(4), (len(views), 1, 1))
        poses[:, :3, :3], poses[:, :3, 3] = truth["rotation"], truth["translation"]
        places = [pose @ np.linalg.inv(poses[0]) for pose in poses[1:]]
        axes = np.concatenate([poses[0, :3, :3].T, -poses[0, :3, :3].T])
        times = (np.arange(len(truth["frames"])) / fps).tolist()
        solution = self.solve(
            [look.figures for look in looks],
            times,
            [look.camera for look in looks],
            [None, *places],
            axes,
        )
        if solution is None:
            return Outcome({}, (), "Nobody was found.")
        return Outcome(solved_numbers(solution, truth, 0, fps))

    def _look(self, folder: Path, view: int, truth: Mapping[str, np.ndarray]) -> Look:
        """Reconstruct the frames of a view one by one."""
        seen: list[SeenFrame] = []
        seconds: list[float] = []
        pictures: list[Picture] = []
        figures: dict[int, Figure] = {}
        camera: Camera | None = None
        count = len(truth["frames"])
        shown = set(np.linspace(0, count - 1, min(_SHOWN, count)).round().astype(int))
        for index, photo in view_photos(folder, view, truth):
            scene = self.reconstruct(photo, detail="body", texture=False, check=False)
            camera = scene.camera
            seconds.append(sum(scene.timings_s.values()))
            true = _in_camera(truth, index, view)
            person = nearest_person(scene.people, photo.camera.project(true))
            if person is not None:
                found = marks_of_joints(body_landmarks(person.body))
                seen.append(SeenFrame(index, found, true, float(person.body.height_m)))
                figures[index] = person.figure
            if index in shown:
                drawn = _drawn(photo.pixels, scene.camera, person)
                pictures.append(Picture(f"frame {truth['frames'][index]}", drawn))
        assert camera is not None
        return Look(seen, seconds, tuple(pictures), figures, camera)


def solved_numbers(
    solution: Solution, truth: Mapping[str, np.ndarray], view: int, fps: float
) -> dict[str, float]:
    """Errors of a solution over time in the frame of a view."""
    seen = [
        SeenFrame(int(number), points, _in_camera(truth, int(number), view), solution.stature)
        for number, points in zip(solution.numbers, marks_of_joints(solution.points), strict=True)
    ]
    numbers = pose_numbers(seen) | motion_numbers(seen, truth["rotation"][view], fps)
    kept = ("mpjpe_mm", "pa_mpjpe_mm", "across_mm", "along_mm", "root_mm", "acceleration")
    return {
        "solved_slide_mm": solution.slide_mm,
        **{
            f"solved_{key}": numbers[key]
            for key in (*kept, "jitter", "stature_cm")
            if key in numbers
        },
    }


def view_photos(
    folder: Path, view: int, truth: Mapping[str, np.ndarray]
) -> Iterator[tuple[int, Any]]:
    """The frames with a truth as photographs with their lens, its distortion taken out."""
    from vitruvian.image.photo import load_photo

    lens: Lens | None = None
    frames = frames_of(_clip(folder, view), truth["frames"].tolist())
    for index, (_, pixels) in enumerate(frames):
        if lens is None:
            height, width = pixels.shape[:2]
            matrix, distortion = truth["intrinsics"][view], truth["distortion"][view]
            lens = Lens(matrix, distortion, False, width, height)
        yield index, replace(load_photo(lens.straightened(pixels)), camera=lens.camera)


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


def _clip(folder: Path, view: int) -> Path:
    return folder / f"cam{view + 1:02d}.mp4"


def _rate(folder: Path, view: int, truth: Mapping[str, np.ndarray]) -> float:
    """Frames with a truth in a second."""
    every = float(np.median(np.diff(truth["frames"]))) if len(truth["frames"]) > 1 else 1.0
    return clip_length(_clip(folder, view))[0] / every


def _drawn(pixels: np.ndarray, camera: Camera, person: Any | None) -> np.ndarray:
    out = faded(pixels, 0.35)
    if person is not None:
        height, width = pixels.shape[:2]
        clay = render_mesh(person.mesh_camera, camera, width, height, mode="clay")
        out = np.where(clay[..., 3:] > 127, clay[..., :3], out)
    return resized(out, 300)
