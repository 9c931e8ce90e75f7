"""Keypoints and masks of the frames of a clip: which frame is which, and what is in none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.exchange.given_frames import GivenFrames, open_given_frames
from vitruvian.exchange.rle import encode_rle
from vitruvian.types.keypoints import LANDMARK_NAMES

WIDTH, HEIGHT = 64, 48
NOSE = LANDMARK_NAMES.index("nose")


def opened(
    keypoints: Path | None = None, masks: Path | None = None, stems: tuple[str, ...] = ()
) -> GivenFrames:
    found = open_given_frames(
        keypoints, masks, width=WIDTH, height=HEIGHT, scale=0.5, stems=list(stems)
    )
    assert found is not None
    return found


def openpose(x: float | None) -> str:
    """A person whose nose is at ``x``; nobody for None."""
    if x is None:
        return json.dumps({"people": []})
    rows = np.tile([20.0, 30.0, 0.9], (25, 1))
    rows[0, 0] = x
    return json.dumps({"people": [{"pose_keypoints_2d": rows.reshape(-1).tolist()}]})


def coco(image: Any, x: float) -> dict[str, Any]:
    rows = np.tile([20.0, 30.0, 2.0], (17, 1))
    rows[0, 0] = x
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:40, int(x) : int(x) + 8] = True
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": rows.reshape(-1).tolist(),
        "segmentation": {"size": [HEIGHT, WIDTH], "counts": encode_rle(mask)},
    }


def noses(frames: GivenFrames, numbers: range) -> list[float | None]:
    """Where the nose is in each frame, in pixels of the file; None where nobody is."""
    found: list[float | None] = []
    for number in numbers:
        poses = frames.of(number).poses
        assert poses is not None
        found.append(float(poses[0].points[NOSE, 0]) / 0.5 - 0.5 if poses else None)
    return found


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_a_file_for_each_frame_is_found_by_its_number(tmp_path: Path) -> None:
    files = {f"clip2_{n:012d}_keypoints.json": openpose(x) for n, x in enumerate([5, None, 7])}
    frames = opened(written(tmp_path / "points", files | {"notes.txt": "no"}))
    assert noses(frames, range(4)) == [5, None, 7, None]
    assert frames.of(0).masks == ()


def test_numbers_may_begin_with_one_where_all_are_there(tmp_path: Path) -> None:
    files = {f"{n:04d}.json": openpose(x) for n, x in ((1, 5), (2, 6))}
    assert noses(opened(written(tmp_path / "points", files)), range(3)) == [5, 6, None]
    later = {f"{n:04d}.json": openpose(x) for n, x in ((2, 5), (3, 6))}
    assert noses(opened(written(tmp_path / "part", later)), range(4)) == [None, None, 5, 6]
    # Results have no entry for frames in which nobody is: the first may be any.
    results = tmp_path / "results.json"
    results.write_text(json.dumps([coco("1.jpg", 5), coco("2.jpg", 6)]))
    assert noses(opened(results), range(4)) == [None, 5, 6, None]
    images = [{"id": 11, "file_name": "a/0001.jpg"}, {"id": 12, "file_name": "a/0002.jpg"}]
    annotated = {"images": images, "annotations": [coco(12, 6)]}
    results.write_text(json.dumps(annotated))
    assert noses(opened(results), range(3)) == [None, 6, None]


def test_frames_of_a_folder_are_found_by_their_names(tmp_path: Path) -> None:
    stems = ("IMG_20", "IMG_21", "IMG_30")
    files = {
        f"{name}_keypoints.json": openpose(x) for name, x in zip(stems, (3, 4, 5), strict=True)
    }
    del files["IMG_21_keypoints.json"]
    frames = opened(written(tmp_path / "points", files), stems=stems)
    assert noses(frames, range(4)) == [3, None, 5, None]
    images = [{"id": n, "file_name": f"{name}.png"} for n, name in enumerate(reversed(stems))]
    both = tmp_path / "coco.json"
    both.write_text(json.dumps({"images": images, "annotations": [coco(0, 10), coco(1, 8)]}))
    frames = opened(both, both, stems)
    assert noses(frames, range(3)) == [None, 8, 10]
    (mask,) = frames.of(2).masks
    assert mask.box.tolist() == [5, 5, 9, 20]  # at half the size
    assert frames.of(0).masks == ()


def test_label_maps_by_frame(tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    for number in (0, 2):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[4:44, 10:20] = 1
        labels[4:44, 30:40] = 2 if number else 0
        Image.fromarray(labels).save(folder / f"{number:05d}.png")
    frames = opened(masks=folder)
    assert [len(frames.of(number).masks) for number in range(4)] == [1, 0, 2, 0]
    assert frames.of(0).poses is None  # so the people of every frame are looked for


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (openpose(3), "are those of one picture: give the folder"),
        ("[]", "tell of no frame: give a folder"),
        ('{"annotations": 3}', "hold no list of COCO annotations"),
        ("{", "are no JSON"),
    ],
)
def test_what_tells_of_no_frame(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "points.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        opened(path)
    assert str(caught.value).startswith(f"The keypoints {path} {sentence}")
    assert caught.value.code == "bad-keypoints"


def test_a_broken_frame_is_named(tmp_path: Path) -> None:
    frames = opened(written(tmp_path / "points", {"0.json": "{", "1.json": openpose(3)}))
    with pytest.raises(InputError, match=r"0\.json are no JSON"):
        frames.of(0)
    with pytest.raises(InputError, match="There are no keypoints"):
        opened(tmp_path / "absent")
    assert open_given_frames(None, None, width=1, height=1) is None
