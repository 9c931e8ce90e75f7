"""Reading clips: what they hold, which part, and one sentence for what is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import CODES, InputError
from vitruvian.video import clip as clips
from vitruvian.video.clip import open_clip
from vitruvian.video.film.writing import FilmWriter

COUNT, RATE = 12, 10.0


def frame(number: int, width: int = 96, height: int = 72) -> np.ndarray:
    """A grey frame whose level tells its number."""
    return np.full((height, width, 3), 20 * number, np.uint8)


def write_clip(path, count: int = COUNT, fps: float = RATE):
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), fps, (96, 72)
    )
    for number in range(count):
        writer.write(frame(number))
    writer.release()
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "grey.avi")


def levels(clip) -> list[int]:
    return [round(float(one.pixels.mean()) / 20) for one in clip.frames()]


def test_every_frame_comes_with_its_number_and_time(video):
    clip = open_clip(video)
    assert (clip.name, clip.width, clip.height, clip.expected) == ("grey", 96, 72, COUNT)
    frames = list(clip.frames())
    assert [one.number for one in frames] == list(range(COUNT))
    np.testing.assert_allclose([one.time_s for one in frames], np.arange(COUNT) / RATE, atol=1e-3)
    assert levels(clip) == list(range(COUNT))


def test_a_part_and_every_how_many_frames(video):
    clip = open_clip(video, start_s=0.35, end_s=1.0, every=2)
    assert levels(clip) == [4, 6, 8]
    assert clip.expected == 3


def test_about_thirty_frames_a_second_are_used_unless_told_otherwise(tmp_path):
    fast = write_clip(tmp_path / "fast.avi", fps=120.0)
    assert open_clip(fast).every == 4
    assert open_clip(fast, every=1).every == 1


def test_an_animation_and_a_folder_of_frames_are_clips(tmp_path):
    pictures = [Image.fromarray(frame(number)) for number in range(4)]
    path = tmp_path / "moving.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=200)
    moving = list(open_clip(path).frames())
    np.testing.assert_allclose([one.time_s for one in moving], [0, 0.2, 0.4, 0.6])
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:03d}.png")
    assert levels(open_clip(folder)) == [0, 1, 2, 3]


def test_large_frames_are_made_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(clips, "MAX_WORKING_SIDE", 80)
    clip = open_clip(write_clip(tmp_path / "large.avi", count=2))
    assert (clip.width, clip.height) == (80, 60)
    assert next(iter(clip.frames())).pixels.shape == (60, 80, 3)


def test_what_is_cut_short_ends_early(video, tmp_path):
    short = tmp_path / "short.avi"
    short.write_bytes(video.read_bytes()[: video.stat().st_size * 9 // 10])
    clip = open_clip(short)
    assert 0 < len(list(clip.frames())) < COUNT


def bad_files(folder):
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_bytes(b"#EXTM3U\nhttp://127.0.0.1/secret\n" * 20)
    (folder / "sound.mp3").write_bytes(b"ID3\x04" + bytes(400))
    (folder / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(4000))
    Image.fromarray(frame(3)).save(folder / "still.gif")
    (folder / "nothing").mkdir()
    Image.fromarray(frame(3)).save(folder / "picture.jpg")
    film = FilmWriter()  # OpenCV does not read AV1
    for number in range(2):
        film.add(np.zeros((64, 64, 3), np.uint8), number / 10)
    film.save(folder / "unknown.mp4")
    write_clip(folder / "long.avi", fps=0.02)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("absent.mp4", "missing-file", "no file"),
        ("empty.mp4", "damaged-clip", "0 bytes"),
        ("text.mp4", "not-a-clip", "no video"),
        ("sound.mp3", "not-a-clip", "sound"),
        ("broken.mp4", "damaged-clip", "damaged"),
        ("still.gif", "not-a-clip", "single frame"),
        ("nothing", "not-a-clip", "no frames"),
        ("picture.jpg", "not-a-clip", "vitruvian photo"),
        ("unknown.mp4", "damaged-clip", "AV1"),
    ],
)
def test_what_is_no_clip_gets_one_sentence(name, code, words, tmp_path):
    bad_files(tmp_path)
    with pytest.raises(InputError, match=words) as failure:
        open_clip(tmp_path / name)
    assert failure.value.code == code
    assert code in CODES
    assert str(failure.value).count("\n") == 0


def test_long_clips_are_refused_by_what_they_declare(video):
    with pytest.raises(InputError, match="--from and --to") as failure:
        open_clip(video, most_s=1.0)
    assert failure.value.code == "too-long"
    assert levels(open_clip(video, end_s=0.5, most_s=1.0)) == [0, 1, 2, 3, 4]
    with pytest.raises(InputError, match="begin earlier"):
        open_clip(video, start_s=100)
    with pytest.raises(InputError, match="end behind the start"):
        open_clip(video, start_s=2, end_s=1)
