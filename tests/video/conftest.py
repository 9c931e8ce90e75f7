"""A clip that the tests of video share: a photograph's person, carried through the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vitruvian
from vitruvian.video.scene import MovingScene

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person.jpg"
FRAMES, RATE, STEP = 6, 10.0, 4


@pytest.fixture(scope="session")
def carried_clip(tmp_path_factory) -> Path:
    picture = cv2.imread(str(EXAMPLE))
    scale = 480 / picture.shape[0]
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[0] // 2 * 2, small.shape[1] // 2 * 2
    path = tmp_path_factory.mktemp("clip") / "carried.avi"
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, RATE, (width, height))
    for number in range(FRAMES):
        move = np.float32([[1, 0, STEP * number], [0, 1, 0]])
        writer.write(cv2.warpAffine(small, move, (width, height), borderMode=cv2.BORDER_REPLICATE))
    writer.release()
    return path


@pytest.fixture(scope="session")
def carried_scene(carried_clip) -> MovingScene:
    told = []
    scene = vitruvian.reconstruct_video(carried_clip, progress=lambda *what: told.append(what))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["people", "motion", "avatars"]
    assert ("people", FRAMES, FRAMES) in told
    return scene
