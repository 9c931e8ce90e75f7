"""A camera becomes a clip with the times at which its pictures came, or one sentence."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.video import webcam
from vitruvian.video.clip import open_clip
from vitruvian.video.webcam import record_webcam

STEPS = (0.03, 0.05, 0.02)  # seconds between pictures: cameras have no even rate


class StandIn:
    """A camera that is black for a while, then shows ever lighter pictures until it is pulled out.

    Attributes:
        released: somebody has given it back.
    """

    def __init__(self, count: int, asleep: int = 2) -> None:
        self.released = False
        grey = (np.full((96, 128, 3), 5 * number, np.uint8) for number in range(count))
        self._pictures = itertools.chain([None] * asleep, grey)

    def read(self):
        picture = next(self._pictures, None)
        return picture is not None, picture

    def release(self):
        self.released = True


def ticking():
    times = itertools.accumulate(itertools.cycle(STEPS))
    return lambda: next(times)


def record(folder, count, seconds=1.0):
    camera = StandIn(count)
    try:
        return record_webcam("webcam:3", folder, seconds, capture=camera, clock=ticking())
    finally:
        assert camera.released


def test_a_camera_becomes_a_clip_with_its_own_times(tmp_path):
    path = record(tmp_path / "new", 100)
    assert path.name.startswith("webcam-3-")
    frames = list(open_clip(path, every=1).frames())
    assert [round(float(one.pixels.mean()) / 5) for one in frames] == list(range(len(frames)))
    steps = np.diff([one.time_s for one in frames])
    assert frames[-1].time_s == pytest.approx(1.0, abs=0.06)
    np.testing.assert_allclose(np.sort(np.unique(steps.round(2))), sorted(STEPS))


def test_a_camera_that_is_pulled_out_leaves_what_it_showed(tmp_path):
    assert len(list(open_clip(record(tmp_path, 8), every=1).frames())) == 8


def test_a_camera_that_sends_nothing_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(webcam.time, "sleep", lambda seconds: None)
    with pytest.raises(InputError, match="Camera 3 sends no pictures"):
        record(tmp_path, 0)
    assert not list(tmp_path.iterdir())


def test_where_there_is_no_camera_one_sentence_says_so(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="There is no camera 77"):
        record_webcam("webcam:77", tmp_path, 5)
    (tmp_path / "video5").touch(mode=0o000)
    monkeypatch.setattr(webcam, "Path", lambda text: tmp_path / text.removeprefix("/dev/"))
    monkeypatch.setattr(webcam.os, "access", lambda path, mode: False)  # tests may run as root
    monkeypatch.setattr(webcam.sys, "platform", "linux")
    with pytest.raises(InputError, match="may not use camera 5"):
        record_webcam("webcam:5", tmp_path, 5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["webcam:a"], "no camera"),
        (["webcam:0", "--for", "600"], "1 to 60 seconds"),
        (["webcam:0", "clip.mp4", "--views"], "by itself"),
        (["clip.mp4", "--for", "5"], "--to for a clip"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, sentence, tmp_path, capsys):
    assert main(["video", *arguments, "-o", str(tmp_path / "out")]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_goes_on_with_what_it_recorded(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(webcam, "_opened", lambda number: StandIn(30))
    # Nobody is in these pictures.
    assert main(["video", "webcam:0", "--for", "1", "-o", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    (film,) = tmp_path.glob("webcam-0-*.mov")
    assert str(film) in said.replace("\n", "")
    assert "Nobody was found" in said
    capture = cv2.VideoCapture(str(film))
    assert capture.grab()
