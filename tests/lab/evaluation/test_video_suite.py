"""The suite of clips: on clips written here, with people known beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.lab.evaluation.suites import open_suite
from vitruvian.lab.evaluation.suites.video import (
    Seen,
    VideoSuite,
    link,
    motion_numbers,
    read_frames,
    standing,
)
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

WIDTH, HEIGHT = 160, 120
JOINTS = len(body_model().parents)


def write_clip(path: Path, frames: int, fps: float = 30) -> Path:
    """A clip whose grey is the number of the frame, ten levels to a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), codec, fps, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        picture = np.full((HEIGHT, WIDTH, 3), min(255, 10 * number), np.uint8)
        picture[:, :40, 2] = 255  # red at the left, to tell RGB from BGR
        writer.write(picture)
    writer.release()
    return path


def number_of(pixels: np.ndarray) -> int:
    return round(float(pixels[:, 80:].mean()) / 10)


def person(
    x: float = 50, *, joints: np.ndarray | None = None, height_m: float = 1.7, landmark: float = 0
) -> Any:
    """A box of 30 x 80 pixels at ``x``, 4 m away, whose surface and matte are the box."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    low, high = int(x), int(x) + 30
    mask[20:100, low:high] = 255
    corners = np.array([[low, 20], [high, 20], [high, 100], [low, 100]], float)
    vertices = camera().rays(corners) * 4
    mesh = Mesh(vertices.astype(np.float32), np.array([[0, 2, 1], [0, 3, 2]], np.int32), "camera")
    points = np.tile(np.array([x + 15 + landmark, 95.0]), (33, 1))
    figure = SimpleNamespace(
        box=np.array([low, 20, high, 100], float),
        alpha=Alpha(mask, 0, 0, WIDTH, HEIGHT),
        landmarks=SimpleNamespace(points=points),
    )
    joints = np.tile([0.0, 0.0, 4.0], (JOINTS, 1)) if joints is None else joints
    body = SimpleNamespace(joints=joints, height_m=height_m)
    return SimpleNamespace(figure=figure, body=body, mesh_camera=mesh)


def camera() -> Camera:
    return Camera.centered(200, WIDTH, HEIGHT)


def scene(*people: Any) -> Any:
    return SimpleNamespace(people=people, camera=camera(), timings_s={"people": 0.2, "body": 0.1})


def seen(index: int, who: Any) -> Seen:
    return Seen(index, who, who.figure.alpha.full() >= 128)


# --- clips and their stretches -------------------------------------------------------------------


def test_stretches_take_turns_and_cover_the_clips(tmp_path: Path) -> None:
    write_clip(tmp_path / "video" / "a.mp4", 50, 30)
    write_clip(tmp_path / "video" / "b.mp4", 12, 10)
    suite = VideoSuite(open_suite("video", tmp_path).folder, window=8)  # type: ignore[attr-defined]
    cases = suite.cases()
    # Ten a second: every third of 30 a second, every one of 10. The rest of b is half a window.
    assert [(c.name, c.every, c.frames) for c in cases] == [
        ("a-00000", 3, 8), ("b-00000", 1, 8), ("a-00024", 3, 8), ("b-00008", 1, 4),
    ]  # fmt: skip
    numbers = [number for number, _ in read_frames(cases[2])]
    assert numbers == list(range(24, 48, 3))


def test_frames_are_those_asked_for_in_rgb(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 24)
    case = VideoSuite(tmp_path, window=4).cases()[1]
    frames = list(read_frames(case))
    assert [number for number, _ in frames] == [12, 15, 18, 21]
    for number, pixels in frames:
        assert pixels.shape == (HEIGHT, WIDTH, 3)
        assert number_of(pixels) == number
        assert pixels[:, :30, 0].mean() > pixels[:, :30, 2].mean() + 40


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no clips"):
        VideoSuite(tmp_path).cases()
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"Cannot read the clip .*a\.mp4"):
        VideoSuite(tmp_path).cases()
    write_clip(tmp_path / "a.mp4", 8)
    for content in (
        "[1]", "{", '{"a.mp4": {"persons": 1}}', '{"a.mp4": {"people": "two"}}',
        '{"a.mp4": {"people": [[0, 5]]}}', '{"a.mp4": {"every": 0}}',
    ):  # fmt: skip
        (tmp_path / "clips.json").write_text(content)
        with pytest.raises(InputError, match="must map file names to people"):
            VideoSuite(tmp_path).cases()


# --- linking -------------------------------------------------------------------------------------


def test_people_are_linked_by_their_boxes() -> None:
    tracks: list[list[Seen]] = []
    for index, places in enumerate([(10, 90), (94, 14), (18,), (22, 98)]):
        link(tracks, [seen(index, person(x)) for x in places])
    # The one at the right was lost in frame 2: what appears there again is a new track.
    places = [[int(s.person.figure.box[0]) for s in track] for track in tracks]
    assert places == [[10, 14, 18, 22], [90, 94], [98]]
    assert [[s.index for s in track] for track in tracks] == [[0, 1, 2, 3], [0, 1], [3]]


def test_a_frame_without_anybody_ends_tracks() -> None:
    tracks: list[list[Seen]] = []
    link(tracks, [seen(0, person())])
    link(tracks, [])
    link(tracks, [seen(2, person())])
    assert [len(track) for track in tracks] == [1, 1]


# --- numbers -------------------------------------------------------------------------------------


def track_of(positions: np.ndarray, **options: Any) -> list[Seen]:
    """A track of bodies with joints (T, J, 3)."""
    return [seen(k, person(joints=joints, **options)) for k, joints in enumerate(positions)]


def test_motion_of_known_polynomials() -> None:
    fps, frames = 10.0, 8
    t = np.arange(frames) / fps
    joints = np.zeros((frames, JOINTS, 3))
    joints[:, 1:, 0] += (0.5 * t**3)[:, None]  # everything but the root: jerk of 3 m/s³
    joints += (np.outer(t**2, [0, 0, 1]))[:, None]  # all of it: acceleration of 2 m/s²
    numbers = motion_numbers([track_of(joints)], fps)
    active = body_model().active
    share = np.mean(active != 0)
    assert numbers["jitter"] == pytest.approx(3 * share)
    assert numbers["root_jitter"] == pytest.approx(0, abs=1e-6)
    assert numbers["root_acceleration"] == pytest.approx(2)
    assert numbers["acceleration"] == pytest.approx(share * 3 * t[1:-1].mean())
    assert numbers["stature_sd_cm"] == 0


def test_tracks_weigh_by_their_length_and_short_ones_do_not_count() -> None:
    rest = np.zeros((8, JOINTS, 3))
    moving = rest[:4].copy()
    moving[:, 1:, 0] = ((np.arange(4) / 10.0) ** 3)[:, None]
    numbers = motion_numbers([track_of(rest), track_of(moving)], 10.0)
    share = np.mean(body_model().active != 0)
    assert numbers["jitter"] == pytest.approx(6 * share * 4 / 12)
    assert motion_numbers([track_of(moving[:3])], 10.0) == {}
    assert motion_numbers([], 10.0) == {}


def test_stature_varies_over_frames() -> None:
    heights = [1.6, 1.8, 1.6, 1.8]
    track = [seen(k, person(height_m=h)) for k, h in enumerate(heights)]
    assert motion_numbers([track], 10.0)["stature_sd_cm"] == pytest.approx(10)


def test_feet_slide_while_they_stand_in_the_picture() -> None:
    model = body_model()
    joints = np.zeros((6, JOINTS, 3))
    joints[:, model.joint_index["foot.L"], 0] = 0.005 * np.arange(6)
    track = track_of(joints)
    assert standing(track).shape == (5, 2)
    assert standing(track).all()
    assert motion_numbers([track], 10.0)["foot_slide_mm"] == pytest.approx(2.5)  # of 5 and 0
    # A foot that walks in the picture is free to move.
    walking = [
        seen(k, person(joints=j, landmark=8.0 * k)) for k, j in enumerate(joints)
    ]  # a tenth of the height per frame
    assert not standing(walking).any()
    assert "foot_slide_mm" not in motion_numbers([walking], 10.0)


# --- whole cases ---------------------------------------------------------------------------------


def test_a_case_with_known_people(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 24)
    described = {"a.mp4": {"people": [[0, 12, 2], [12, 18, 1]]}}
    (tmp_path / "clips.json").write_text(json.dumps(described))
    masks = tmp_path / "masks" / "a"
    masks.mkdir(parents=True)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[20:100, 10:40] = 5
    labels[20:60, 90:120] = 7  # the upper half of the second
    labels[:10, 60:70] = 9  # nobody finds this one
    Image.fromarray(labels).save(masks / "000000.png")
    options_seen: list[dict[str, Any]] = []

    def reconstruct(pixels: np.ndarray, **options: Any) -> Any:
        options_seen.append(options)
        number = number_of(pixels)
        people = [person(10), person(90)]
        if number >= 9:
            people = people[:1]
        if number == 21:  # the surface leaves the matte by half
            people[0].mesh_camera = person(25).mesh_camera
        return scene(*people)

    suite = VideoSuite(tmp_path, reconstruct)
    (case,) = suite.cases()
    numbers = suite.run(case).numbers
    assert options_seen == [{"texture": False, "check": False}] * 8
    assert numbers["people"] == pytest.approx((3 * 2 + 5) / 8)
    assert numbers["right_count"] == pytest.approx(5 / 6)  # wrong in 9; 18 and 21 are not judged
    assert numbers["tracks"] == 1
    assert numbers["surface_iou_worst"] == pytest.approx(1 / 3, abs=0.02)
    assert numbers["surface_iou"] == pytest.approx((10 + 1 / 3) / 11, abs=0.01)
    assert numbers["mask_iou"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert numbers["seconds"] == pytest.approx(0.3)
    assert set(numbers) == {metric.key for metric in suite.metrics}
    assert len(suite.run(case).pictures) == 5


def test_nobody_in_a_clip(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 24)
    suite = VideoSuite(tmp_path, lambda *_, **__: scene())
    outcome = suite.run(suite.cases()[0])
    assert outcome.numbers["people"] == 0
    assert set(outcome.numbers) == {"people", "seconds"}
    assert outcome.note == "Nobody was found."


def test_masks_of_another_size(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 24)
    (tmp_path / "masks" / "a").mkdir(parents=True)
    Image.new("L", (WIDTH + 1, HEIGHT)).save(tmp_path / "masks" / "a" / "000000.png")
    suite = VideoSuite(tmp_path, lambda *_, **__: scene(person()))
    with pytest.raises(InputError, match="has not the size of its frame"):
        suite.run(suite.cases()[0])


@pytest.mark.slow
def test_a_juggler_is_followed(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    clip = shared_data("video") / "sam2_juggle.mp4"
    (tmp_path / clip.name).symlink_to(clip)
    (tmp_path / "clips.json").write_text(json.dumps({clip.name: {"people": 1}}))
    suite = VideoSuite(tmp_path, window=6)
    numbers = suite.run(suite.cases()[0]).numbers
    assert numbers["right_count"] >= 0.8
    assert numbers["surface_iou"] > 0.8
    assert 0 < numbers["jitter"] < 2000
    assert 0 <= numbers["stature_sd_cm"] < 20
