"""Clips that are cut: shots are different worlds, and the one with people is kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_turning import SMALL, WALL, frame_of, pan

from vitruvian.video.observed import observe
from vitruvian.video.run import reconstruct_video
from vitruvian.video.sources import open_sources
from vitruvian.video.turning import TurnFollower, small_grey
from vitruvian.video.unfinished import Parts

EMPTY, RATE = 4, 10.0


@pytest.fixture(scope="module")
def cut_clip(carried_clip, tmp_path_factory):
    """A shot of a wall, then one of somebody."""
    capture = cv2.VideoCapture(str(carried_clip))
    frames = []
    while capture.grab():
        frames.append(capture.retrieve()[1])
    height, width = frames[0].shape[:2]
    wall = cv2.resize(WALL, (width, height))
    path = tmp_path_factory.mktemp("cut") / "cut.avi"
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, RATE, (width, height))
    for frame in [wall] * EMPTY + frames:
        writer.write(frame)
    writer.release()
    return path, len(frames)


def test_another_wall_is_another_shot_and_a_pan_or_a_flash_is_not():
    follower = TurnFollower(SMALL)
    for number in range(4):
        grey = small_grey(frame_of(pan(number, 0.05), number), SMALL)
        assert not follower.cut(grey)
        follower.look(number, number / 10, grey, [])
    assert not follower.cut(np.clip(grey.astype(int) + 90, 0, 255).astype(np.uint8))
    assert follower.cut(small_grey(frame_of(pan(40), 9), SMALL))
    assert follower.cut(np.ascontiguousarray(grey[::-1, ::-1]))


def test_the_shot_with_people_is_kept(cut_clip, tmp_path):
    path, count = cut_clip
    parts = Parts(tmp_path / "parts")
    found = observe(open_sources([path]), lambda *_: None, parts)
    assert [number for number, _ in found.frames] == list(range(EMPTY, EMPTY + count))
    assert found.looked == EMPTY + count
    assert [begin for begin, _ in found.shots_s] == pytest.approx([0, EMPTY / RATE])
    ((track,),) = found.people
    assert track.sightings[0].number == EMPTY
    assert track.id == 1
    # What was kept of it tells the same.
    again = observe(open_sources([path]), lambda *_: None, parts)
    assert again.frames == found.frames
    assert again.shots_s == found.shots_s
    assert len(again.people[0][0].sightings) == len(track.sightings)


def test_the_user_is_told_which_shot_it_is(cut_clip):
    path, count = cut_clip
    scene = reconstruct_video(path, bodies=True)
    (warning,) = [one for one in scene.warnings if "shots" in one]
    assert "cut into 2 shots" in warning
    assert f"from {EMPTY / RATE:.1f} to" in warning
    assert "such as 0.0 to 0.3 s" in warning
    assert not any("cut short" in one for one in scene.warnings)
    assert scene.numbers.tolist() == list(range(EMPTY, EMPTY + count))
    assert scene.people[0].avatar_frame >= EMPTY
