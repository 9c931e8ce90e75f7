"""The suite ``sequences``: synthetic clips, whose motion in the world is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.geometry.render import render_mesh
from vitruvian.lab.evaluation.metrics.body import pa_mpjpe
from vitruvian.lab.evaluation.metrics.trajectory import (
    root_translation_error,
    w_mpjpe,
    wa_mpjpe,
)
from vitruvian.lab.evaluation.metrics.video import foot_slide, jitter
from vitruvian.lab.evaluation.pictures import faded, resized
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.joint import Solution, solve_clip
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.lab.evaluation.suites.motion_numbers import JOINTS
from vitruvian.lab.evaluation.suites.multiview import body_landmarks, nearest_person
from vitruvian.lab.evaluation.suites.video import frames_of
from vitruvian.lab.synthesis.sequence_files import CLIP, TRUTH, SequenceTruth, clip_folders
from vitruvian.types.keypoints import HEELS, HIPS, TOES

FEET = np.array([*HEELS, *TOES])
_LEAST_FRAMES = 4  # in which somebody must be found
_SHOWN = 4


@dataclass(frozen=True)
class SequenceCase:
    """A folder with ``clip.mp4`` and ``truth.npz``."""

    name: str
    folder: Path


@dataclass(frozen=True)
class SyntheticSequenceSuite:
    """Clips of ``vitruvian synth --video``, frame by frame and solved over time.

    Attributes:
        folder: holds a folder for each clip.
        reconstruct: from a frame to a scene; the pipeline unless a test says otherwise.
        solve: from a clip and its field of view to motions; ``vitruvian video``'s unless a test
            says otherwise.
    """

    folder: Path
    reconstruct: Callable[..., Any] = default_reconstruct
    solve: Callable[[Path, float], list[Solution]] = solve_clip

    name = "sequences"
    ranking = "wa_mpjpe_mm"
    concurrent = True
    metrics = (
        Metric("found", "solved over time: frames with the person"),
        Metric("wa_mpjpe_mm", "· WA-MPJPE100", "mm", "lower", 1),
        Metric("w_mpjpe_mm", "· W-MPJPE100", "mm", "lower", 1),
        Metric("pa_mpjpe_mm", "· PA-MPJPE", "mm", "lower", 1),
        Metric("rte", "· RTE", "%", "lower", 2),
        Metric("jitter", "· jitter in the world", "m/s³", "lower", 1),
        Metric("foot_slide_mm", "· standing feet move per frame", "mm", "lower", 2),
        Metric("stature_error", "· stature, found / true - 1", "", "neither", 3),
        Metric("frame_found", "frame by frame: frames with the person"),
        Metric("frame_wa_mpjpe_mm", "· WA-MPJPE100", "mm", "lower", 1),
        Metric("frame_w_mpjpe_mm", "· W-MPJPE100", "mm", "lower", 1),
        Metric("frame_pa_mpjpe_mm", "· PA-MPJPE", "mm", "lower", 1),
        Metric("frame_rte", "· RTE", "%", "lower", 2),
        Metric("frame_jitter", "· jitter in the world", "m/s³", "lower", 1),
        Metric("frame_foot_slide_mm", "· standing feet move per frame", "mm", "lower", 2),
        Metric("true_jitter", "jitter of the truth", "m/s³", "neither", 1),
        Metric("visible", "share of the person that is seen", better="neither"),
        Metric("seconds", "time per frame of the solve", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> SyntheticSequenceSuite:
        """The suite on ``data/sequences`` or on ``data`` itself."""
        folder = data / "sequences"
        return SyntheticSequenceSuite(folder if folder.is_dir() else data)

    def cases(self) -> Sequence[SequenceCase]:
        """A case for each clip."""
        found = clip_folders(self.folder, "vitruvian synth --video")
        return [SequenceCase(folder.name, folder) for folder in found]

    def run(self, case: SequenceCase) -> Outcome:
        """Reconstruct a clip in both ways and compare with the truth."""
        truth = SequenceTruth.read(case.folder / TRUTH)
        clip, lens = case.folder / CLIP, truth.lens
        numbers = {
            "true_jitter": jitter(truth.landmarks[:, JOINTS], fps=truth.fps),
            "visible": float(truth.visible.mean()),
        }
        begun = time.perf_counter()
        solutions = self.solve(clip, float(lens.fov_deg))
        numbers["seconds"] = (time.perf_counter() - begun) / len(truth.landmarks)
        numbers["found"] = 0.0
        if solutions:
            best = max(solutions, key=lambda one: len(one.numbers))
            numbers |= world_numbers(best.numbers, best.points, truth)
            numbers["stature_error"] = best.stature / truth.stature - 1
        seen, pictures = self._frame_by_frame(clip, truth)
        own = world_numbers(np.array(sorted(seen), int), np.stack([seen[n] for n in sorted(seen)]),
                            truth) if seen else {"found": 0.0}  # fmt: skip
        numbers |= {f"frame_{key}": value for key, value in own.items()}
        note = f"{truth.motion}; camera {truth.camera}"
        return Outcome(numbers, tuple(pictures), note)

    def _frame_by_frame(
        self, clip: Path, truth: SequenceTruth
    ) -> tuple[dict[int, np.ndarray], list[Picture]]:
        """Landmarks (33, 3) by frame as if the camera stood still, and some pictures."""
        from vitruvian.image.photo import load_photo

        seen: dict[int, np.ndarray] = {}
        pictures = []
        count, lens = len(truth.landmarks), truth.lens
        shown = set(np.linspace(0, count - 1, min(_SHOWN, count)).round().astype(int).tolist())
        for number, pixels in frames_of(clip, range(count)):
            photo = replace(load_photo(pixels), camera=lens)
            scene = self.reconstruct(photo, detail="body", texture=False, check=False)
            matrix = truth.cameras_from_world[number]
            true = truth.landmarks[number] @ matrix[:3, :3].T + matrix[:3, 3]
            person = nearest_person(scene.people, lens.project(true))
            if person is not None:
                seen[number] = body_landmarks(person.body)
            if number in shown:
                out = faded(pixels, 0.35)
                if person is not None:
                    height, width = pixels.shape[:2]
                    clay = render_mesh(person.mesh_camera, lens, width, height, mode="clay")
                    out = np.where(clay[..., 3:] > 127, clay[..., :3], out)
                pictures.append(Picture(f"frame {number}", resized(out, 300)))
        return seen, pictures


def world_numbers(
    numbers: np.ndarray, points: np.ndarray, truth: SequenceTruth
) -> dict[str, float]:
    """Errors of landmarks (T, 33, 3) of the frames ``numbers`` (T,), in a frame that stands still.

    Position errors are over all of them, jitter and slide over the longest row without a gap.
    """
    kept = numbers < len(truth.landmarks)
    numbers, points = numbers[kept], points[kept]
    out = {"found": len(numbers) / len(truth.landmarks)}
    if len(numbers) < _LEAST_FRAMES:
        return out
    true = truth.landmarks[numbers]
    joints, true_joints = points[:, JOINTS], true[:, JOINTS]
    pairs = zip(joints, true_joints, strict=True)
    out |= {
        "wa_mpjpe_mm": wa_mpjpe(joints, true_joints),
        "w_mpjpe_mm": w_mpjpe(joints, true_joints),
        "pa_mpjpe_mm": float(np.mean([pa_mpjpe(own, other) for own, other in pairs])),
        "rte": root_translation_error(points[:, HIPS].mean(1), true[:, HIPS].mean(1)),
    }
    rows = np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers) != 1) + 1)
    row = max(rows, key=len)
    if len(row) >= _LEAST_FRAMES:
        out["jitter"] = jitter(joints[row], fps=truth.fps)
        out["foot_slide_mm"] = foot_slide(points[row][:, FEET], reference=true[row][:, FEET])
    return out
