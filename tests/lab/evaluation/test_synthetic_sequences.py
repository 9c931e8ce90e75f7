"""The suite of synthetic clips: on a clip and answers whose errors are known beforehand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.suites import open_suite
from vitruvian.lab.evaluation.suites.joint import Solution
from vitruvian.lab.evaluation.suites.synthetic_sequences import (
    SyntheticSequenceSuite,
    world_numbers,
)
from vitruvian.lab.synthesis.sequence_files import SequenceTruth
from vitruvian.types.motion import Motion
from vitruvian.video.floor import landmarks_of

FRAMES = 8
TURN = matrix_from_axis_angle(np.array([np.pi, 0.2, 0.0]))


def truth() -> SequenceTruth:
    """A body at rest that goes aside by 3 cm in each frame, before a camera 4 m away."""
    model = body_model()
    pose = np.zeros((FRAMES, len(model.parents), 3))
    places = np.array([0.0, 0.9, 0.0]) + np.arange(FRAMES)[:, None] * [0.03, 0.0, 0.0]
    names = tuple(model.joint_names)
    motion = Motion(np.arange(FRAMES) / 30, pose, places, np.zeros(10), names, "world")
    camera = np.eye(4)
    camera[:3, :3] = np.diag([1, -1, -1])
    camera[:3, 3] = [0, 0.9, 4]
    return SequenceTruth(
        fps=30.0,
        size=np.array([96, 64]),
        intrinsics=np.array([[80.0, 0, 48], [0, 80, 32], [0, 0, 1]]),
        cameras_from_world=np.tile(camera, (FRAMES, 1, 1)),
        betas=motion.betas,
        pose=pose,
        translation=places,
        joints=places[:, None],
        joint_names=np.array(names[:1]),
        landmarks=landmarks_of(model, motion),
        visible=np.full(FRAMES, 0.75),
        stature=1.7,
        motion="glide",
        camera="still",
    )


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "sequences" / "00000"
    folder.mkdir(parents=True)
    writer = cv2.VideoWriter(
        str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30, (96, 64)
    )
    for number in range(FRAMES):
        writer.write(np.full((64, 96, 3), 20 * number, np.uint8))
    writer.release()
    (folder / "truth.npz").write_bytes(truth().encoded())
    return tmp_path


def test_a_motion_found_from_elsewhere_is_right_but_for_its_size_on_the_way() -> None:
    true = truth()
    numbers = np.arange(FRAMES)
    found = world_numbers(numbers, true.landmarks @ TURN.T + (1.0, 2.0, 3.0), true)
    assert found["found"] == 1
    for key in ("wa_mpjpe_mm", "w_mpjpe_mm", "pa_mpjpe_mm", "rte"):
        assert found[key] < 1e-5, key
    larger = world_numbers(numbers, 1.2 * true.landmarks, true)
    assert larger["wa_mpjpe_mm"] < 1e-5
    # Rigidly aligned, a path of FRAMES - 1 steps that is a fifth longer is off by that at its ends.
    steps = np.arange(FRAMES) - (FRAMES - 1) / 2
    assert larger["rte"] == pytest.approx(100 * 0.2 * np.abs(steps).mean() / (FRAMES - 1))
    some = world_numbers(numbers[[0, 1, 2, 3, 4, 6]], true.landmarks[[0, 1, 2, 3, 4, 6]], true)
    assert some["found"] == 0.75
    assert some["jitter"] == pytest.approx(0, abs=1e-6)
    assert np.isnan(some["foot_slide_mm"])  # nobody stands: 3 cm in each frame
    assert world_numbers(numbers[:2], true.landmarks[:2], true) == {"found": 0.25}


def test_a_clip_is_compared_both_ways(clips: Path) -> None:
    true = truth()

    def solve(clip: Path, fov_deg: float) -> list[Solution]:
        assert fov_deg == pytest.approx(np.rad2deg(2 * np.arctan(48 / 80)))
        points = true.landmarks.copy()
        points[4] += (0, 0, 0.1)
        short = Solution(np.arange(2), points[:2], 1.0, 0.0, np.zeros(3), 0.0)
        whole = Solution(np.arange(FRAMES), points, 1.87, 0.0, np.zeros(3), 0.0)
        return [short, whole]

    def reconstruct(photo: Any, **options: Any) -> Any:
        assert photo.camera.focal_px == 80
        return SimpleNamespace(people=[], camera=photo.camera)

    suite = SyntheticSequenceSuite.open(clips)
    suite = SyntheticSequenceSuite(suite.folder, reconstruct, solve)
    (case,) = suite.cases()
    outcome = suite.run(case)
    assert outcome.note == "glide; camera still"
    assert outcome.numbers["found"] == 1
    assert outcome.numbers["frame_found"] == 0
    assert outcome.numbers["w_mpjpe_mm"] == pytest.approx(100 / FRAMES)
    assert outcome.numbers["pa_mpjpe_mm"] < 1e-5
    assert outcome.numbers["stature_error"] == pytest.approx(0.1)
    assert outcome.numbers["visible"] == 0.75
    assert len(outcome.pictures) == 4


def test_a_folder_without_clips_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vitruvian synth --video"):
        open_suite("sequences", tmp_path).cases()
