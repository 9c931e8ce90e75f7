"""Clips of synthetic people: cameras, motions, and that pictures and truth belong together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vitruvian.body.model.clips import captured_motions
from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.crossings import CrossingTruth, random_crossing, write_crossings
from vitruvian.lab.synthesis.sequence_cameras import CAMERA_KINDS, CameraKind, camera_path
from vitruvian.lab.synthesis.sequence_files import SequenceTruth, truth_of, write_sequences
from vitruvian.lab.synthesis.sequence_motions import random_motion
from vitruvian.lab.synthesis.sequences import drawn_frames, random_sequence
from vitruvian.video.floor import landmarks_of

FRAMES = 30


@pytest.mark.parametrize("kind", CAMERA_KINDS)
def test_cameras_keep_people_in_view_and_move_as_they_say(kind: CameraKind) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        way = np.linspace([-0.9, 0, 0.4], [0.9, 0, -0.4], FRAMES)
        path = camera_path(rng, kind, way, 1.7, 320, 30.0)
        matrices = np.stack([view.camera_from_world for view in path.views])
        eyes = -np.einsum("fji,fj->fi", matrices[:, :3, :3], matrices[:, :3, 3])
        travelled = np.ptp(eyes, axis=0).max()
        turned = np.abs(matrices[:, :3, :3] - matrices[0, :3, :3]).max()
        assert (travelled > 0.2) == (kind == "travelling")
        assert (turned > 0) == (kind != "still")
        for view, place in zip(path.views, way, strict=True):
            body = np.stack([place + [0, y, 0] for y in (0.1, 0.9, 1.6)])
            seen = body @ view.camera_from_world[:3, :3].T + view.camera_from_world[:3, 3]
            pixels = view.camera.project(seen)
            assert (seen[:, 2] > 1).all()
            assert ((pixels > 0) & (pixels < [view.camera.width, view.camera.height])).all()


def test_motions_stand_on_the_floor_and_cross_the_origin() -> None:
    model = body_model()
    seconds = np.arange(45) / 30
    speeds = {motion.name: motion.advance / motion.seconds for motion in captured_motions()}
    seen = set()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        name, motion = random_motion(rng, np.zeros(10), seconds)
        seen.add(name)
        feet = landmarks_of(model, motion)[:, 29:33]
        assert -0.02 < feet[..., 1].min() < 0.06
        # In most frames a foot of somebody who does not run stands.
        if not name.startswith("run"):
            steps = np.linalg.norm(np.diff(feet, axis=0), axis=2).min(1)
            assert np.median(steps) < 0.006
        way = motion.translation[-1] - motion.translation[0]
        if speeds[name.split(",")[0]]:
            assert np.hypot(way[0], way[2]) > 0.9
        middle = (motion.translation[0] + motion.translation[-1]) / 2
        assert np.hypot(middle[0], middle[2]) < 0.3
    assert len(seen) > 2


def test_a_clip_and_its_truth_belong_together(tmp_path: Path, library: AssetLibrary) -> None:
    assert sum(write_sequences(tmp_path, 3, 2, 2, 96, library)) == 4
    truth = SequenceTruth.read(tmp_path / "00001" / "truth.npz")
    assert truth.camera.startswith("turning")
    assert truth.landmarks.shape == (2, 33, 3)
    assert np.allclose(truth.joints[:, 0], truth.translation)
    assert truth.landmarks[..., 1].min() > -0.02
    capture = cv2.VideoCapture(str(tmp_path / "00001" / "clip.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 2
    assert capture.get(cv2.CAP_PROP_FPS) == truth.fps
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == truth.size[0]
    before = (tmp_path / "00001" / "truth.npz").stat().st_mtime_ns
    assert sum(write_sequences(tmp_path, 3, 2, 2, 96, library)) == 4
    assert (tmp_path / "00001" / "truth.npz").stat().st_mtime_ns == before
    (tmp_path / "00001" / "truth.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="no truth of a synthetic clip"):
        SequenceTruth.read(tmp_path / "00001" / "truth.npz")


def test_people_are_where_the_truth_says(library: AssetLibrary) -> None:
    sequence = random_sequence(3, 0, 2, 160, library)
    frames = list(drawn_frames(sequence, library))
    again = next(iter(drawn_frames(random_sequence(3, 0, 2, 160, library), library)))
    assert np.array_equal(again.image, frames[0].image)
    truth = truth_of(sequence, np.array([frame.visible for frame in frames]))
    assert ((truth.visible > 0) & (truth.visible <= 1)).all()
    # Before nothing but bright sky, what is not white is the person.
    for number, frame in enumerate(drawn_frames(replace(sequence, scenery=()), library)):
        matrix = truth.cameras_from_world[number]
        points = truth.landmarks[number, 11:] @ matrix[:3, :3].T + matrix[:3, 3]
        columns, rows = np.floor(truth.lens.project(points)).astype(int).T
        dark = (frame.image.min(2) < 200).astype(np.uint8)
        assert 0.005 < dark.mean() < 0.4
        assert (cv2.dilate(dark, np.ones((5, 5)))[rows, columns] > 0).mean() > 0.9


def test_several_people_cross_and_each_pixel_has_its_owner(
    tmp_path: Path, library: AssetLibrary
) -> None:
    assert sum(write_crossings(tmp_path, 5, 1, 2, 4, 96, library)) == 4
    truth = CrossingTruth.read(tmp_path / "00000" / "truth.npz")
    capture = cv2.VideoCapture(str(tmp_path / "00000" / "clip.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 4
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == truth.instances.shape[2]
    assert set(np.unique(truth.instances)) == {0, 1, 2}
    assert truth.statures.shape == (2,)
    (tmp_path / "00000" / "truth.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="no truth of a clip of several people"):
        CrossingTruth.read(tmp_path / "00000" / "truth.npz")


def test_people_go_across_the_view_and_some_turn_back(library: AssetLibrary) -> None:
    ways = []
    for number in range(6):
        crossing = random_crossing(5, number, 2, 30, 96, library)
        view = crossing.path.views[0].camera_from_world
        for _, motion in crossing.people:
            seen = motion.translation @ view[:3, :3].T + view[:3, 3]
            assert (seen[:, 2] > 1).all()
            ways.append(seen[-1] - seen[0])
    walked = [way for way in ways if np.hypot(way[0], way[2]) > 0.5]
    assert len(walked) > 3
    assert all(abs(way[0]) > abs(way[2]) for way in walked)
    assert min(way[0] for way in walked) < 0 < max(way[0] for way in walked)
