"""The suite of calibrated views: on a take made here, with a body known beforehand."""

from __future__ import annotations

import shutil
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
from vitruvian.lab.evaluation.suites.motion_numbers import (
    JOINTS,
    SeenFrame,
    longest_row,
    motion_numbers,
    pose_numbers,
)
from vitruvian.lab.evaluation.suites.multiview import (
    MultiviewSuite,
    body_landmarks,
    nearest_person,
    view_photos,
)
from vitruvian.types.keypoints import marks_of_joints

WIDTH, HEIGHT, FRAMES = 120, 160, 6
FOCAL, CENTRE = 150.0, (64.0, 78.0)
FACING = np.pi * np.array([1.0, 0, 0])


def body(place: tuple[float, float, float], stature: float = 1.7) -> Any:
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = FACING
    posed = model.forward(np.zeros(10), pose, np.array(place))
    return SimpleNamespace(
        pose=pose,
        betas=np.zeros(10),
        joints=posed.joints,
        height_m=stature,
        vertices=posed.vertices,
    )


def turns() -> tuple[np.ndarray, np.ndarray]:
    """Rotation and shift from the world (z up) to the camera."""
    return matrix_from_axis_angle(np.array([np.pi / 2, 0, 0])), np.array([0.1, 0.2, 5.0])


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """One camera that sees a body go to the right by 2 cm in each frame with a truth."""
    folder = tmp_path / "video" / "take"
    folder.mkdir(parents=True)
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(folder / "cam01.mp4"), codec, 60, (WIDTH, HEIGHT))
    for number in range(2 * FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8))
    writer.release()
    rotation, shift = turns()
    seen = [marks_of_joints(body_landmarks(body((0.02 * k, 0.0, 4.0)))) for k in range(FRAMES)]
    matrix = np.array([[FOCAL, 0, CENTRE[0] - 0.5], [0, FOCAL, CENTRE[1] - 0.5], [0, 0, 1]])
    np.savez(
        folder / "truth.npz",
        landmarks=np.stack([(points - shift) @ rotation for points in seen]),
        frames=np.arange(0, 2 * FRAMES, 2),
        intrinsics=matrix[None],
        distortion=np.zeros((1, 5)),
        rotation=rotation[None],
        translation=shift[None],
    )
    return tmp_path


def found(photo: Any, *, miss: int = -1, away: float = 0.0) -> Any:
    """A scene with the true body, found by the grey of the frame, and somebody else behind."""
    number = round(float(photo.pixels.mean()) / 20)
    people = [] if number == miss else [body((0.02 * number, 0.0, 4.0 + away))]
    people.append(body((1.5, 0.0, 8.0)))
    return SimpleNamespace(
        camera=photo.camera,
        timings_s={"people": 0.25},
        people=[
            SimpleNamespace(
                body=one,
                figure=SimpleNamespace(
                    landmarks=SimpleNamespace(points=photo.camera.project(body_landmarks(one)))
                ),
                mesh_camera=_mesh(one),
            )
            for one in people
        ],
    )


def _mesh(one: Any) -> Any:
    from vitruvian.types.mesh import Mesh

    return Mesh(one.vertices.astype(np.float32), body_model().faces, "camera")


def solved(figures: Any, times_s: Any, cameras: Any, places: Any, axes: Any = None) -> Solution:
    """The true motion; further to the right by 5 cm where several cameras tell."""
    aside = 0.05 * (len(figures) - 1)
    points = [body_landmarks(body((0.02 * k + aside, 0.0, 4.0))) for k in range(len(times_s))]
    return Solution(np.arange(len(times_s)), np.stack(points), 1.7, 0.5, np.zeros(3), 0.0)


def test_the_truth_itself_has_no_error(take: Path) -> None:
    suite = MultiviewSuite((take / "video" / "take",), lambda photo, **_: found(photo), solved)
    (case,) = suite.cases()
    assert case.name == "take-cam01"
    numbers = suite.run(case).numbers
    assert numbers["found"] == 1
    assert numbers["seconds"] == 0.25
    for key in ("mpjpe_mm", "pa_mpjpe_mm", "across_mm", "along_mm", "root_mm"):
        assert numbers[key] < 0.01
        assert numbers[f"solved_{key}"] < 0.01
    assert numbers["acceleration"] < 1e-3
    assert numbers["solved_jitter"] < 1e-3
    assert numbers["solved_slide_mm"] == 0.5
    assert numbers["stature_cm"] == pytest.approx(170)
    assert set(numbers) <= {metric.key for metric in suite.metrics}


def test_several_cameras_are_solved_together(take: Path) -> None:
    folder = take / "video" / "take"
    shutil.copy(folder / "cam01.mp4", folder / "cam02.mp4")
    with np.load(folder / "truth.npz") as archive:
        arrays = dict(archive)
    for name in ("intrinsics", "distortion", "rotation", "translation"):
        arrays[name] = np.concatenate([arrays[name]] * 2)
    np.savez(folder / "truth.npz", **arrays)
    suite = MultiviewSuite((folder,), lambda photo, **_: found(photo), solved)
    *_, case = suite.cases()
    assert (len(suite.cases()), case.name) == (3, "take-all")
    numbers = suite.run(case).numbers
    assert numbers["solved_root_mm"] == pytest.approx(50)
    assert numbers["solved_mpjpe_mm"] < 0.01


def test_distance_is_an_error_of_the_hips_alone(take: Path) -> None:
    suite = MultiviewSuite(
        (take / "video" / "take",), lambda photo, **_: found(photo, away=0.3), solved
    )
    numbers = suite.run(suite.cases()[0]).numbers
    assert numbers["root_mm"] == pytest.approx(300)
    assert numbers["mpjpe_mm"] < 0.01


def test_a_missed_frame_counts_and_breaks_the_motion(take: Path) -> None:
    suite = MultiviewSuite(
        (take / "video" / "take",), lambda photo, **_: found(photo, miss=1), solved
    )
    outcome = suite.run(suite.cases()[0])
    assert outcome.numbers["found"] == pytest.approx(5 / 6)
    assert "jitter" in outcome.numbers
    assert len(outcome.pictures) == 3


def test_frames_with_a_truth_come_with_their_lens(take: Path) -> None:
    suite = open_suite("multiview", take)
    assert isinstance(suite, MultiviewSuite)
    (case,) = suite.cases()
    from vitruvian.lab.evaluation.suites.multiview import _truth

    frames = list(view_photos(case.folder, 0, _truth(case.folder)))
    assert [index for index, _ in frames] == list(range(FRAMES))
    assert [round(float(photo.pixels.mean()) / 20) for _, photo in frames] == list(range(FRAMES))
    camera = frames[0][1].camera
    assert (camera.focal_px, camera.source) == (FOCAL, "given")
    straight_ahead = camera.rays(np.array([CENTRE]))[0]
    np.testing.assert_allclose(straight_ahead, [0, 0, 1], atol=1e-6)


def frame(index: int, found: np.ndarray, true: np.ndarray) -> SeenFrame:
    return SeenFrame(index, found, true, 1.7)


def test_errors_across_and_along_the_view() -> None:
    true = np.random.default_rng(0).normal(size=(33, 3))
    off = true.copy()
    limbs = JOINTS[~np.isin(JOINTS, (23, 24))]
    off[limbs] += [0.03, 0.04, 0.12]
    numbers = pose_numbers([frame(0, off, true)])
    share = len(limbs) / len(JOINTS)
    assert numbers["across_mm"] == pytest.approx(50 * share)
    assert numbers["along_mm"] == pytest.approx(120 * share)
    assert numbers["mpjpe_mm"] == pytest.approx(130 * share)
    turn = matrix_from_axis_angle(np.array([0.1, 0.5, -0.2]))
    assert pose_numbers([frame(0, 1.1 * true @ turn, true)])["pa_mpjpe_mm"] < 1e-6


def test_motion_is_that_of_the_longest_row() -> None:
    still = np.random.default_rng(1).normal(size=(33, 3))
    jumps = [frame(k, still + (k % 2), still) for k in (0, 1, 2)]
    rests = [frame(k, still, still) for k in range(5, 11)]
    assert [one.index for one in longest_row([*jumps, *rests])] == list(range(5, 11))
    assert motion_numbers([*jumps, *rests], np.eye(3), 30)["jitter"] == 0
    assert motion_numbers(jumps, np.eye(3), 30) == {}


def test_nobody_near_is_nobody() -> None:
    true = np.random.default_rng(2).uniform(0, 100, (33, 2))
    far = SimpleNamespace(figure=SimpleNamespace(landmarks=SimpleNamespace(points=true + 40)))
    near = SimpleNamespace(figure=SimpleNamespace(landmarks=SimpleNamespace(points=true + 3)))
    assert nearest_person([far], true) is None
    assert nearest_person([far, near], true) is near


def test_a_folder_without_a_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no folder with truth\.npz"):
        open_suite("multiview", tmp_path)
