"""Keypoints and masks of the user, in place of what the networks see."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vitruvian
from vitruvian.exchange.write_keypoints import coco_json, seen_keypoints
from vitruvian.options import Options
from vitruvian.pipeline.stages import find
from vitruvian.types.keypoints import COCO_LANDMARKS, LANDMARK_NAMES

PICTURE = Path(__file__).resolve().parents[2] / "examples" / "people.jpg"


@pytest.fixture(scope="module")
def photo() -> vitruvian.Photo:
    return vitruvian.load_photo(PICTURE)


@pytest.fixture(scope="module")
def figures(photo):
    return find(photo).figures


def written(photo, figures, path: Path) -> dict:
    people = [seen_keypoints(figure, 1.0) for figure in figures]
    content = coco_json(people, "people.jpg", photo.width, photo.height)
    path.write_text(json.dumps(content))
    return content


def covered(a, b) -> float:
    first, second = (figure.alpha.full() > 127 for figure in (a, b))
    return float((first & second).sum() / (first | second).sum())


def test_only_who_is_told_of(photo, figures, tmp_path) -> None:
    path = tmp_path / "two.json"
    content = written(photo, [figures[1], figures[3]], path)
    left_wrist = LANDMARK_NAMES.index("left_wrist")
    coco = 3 * COCO_LANDMARKS.tolist().index(left_wrist)
    content["annotations"][0]["keypoints"][coco] += 25  # a correction by hand
    path.write_text(json.dumps(content))
    found = find(photo, Options(keypoints=path)).figures
    assert [figure.number for figure in found] == [1, 2]
    for ours, told in zip((figures[1], figures[3]), found, strict=True):
        away = np.abs(ours.landmarks.points - told.landmarks.points)[COCO_LANDMARKS]
        away[left_wrist == COCO_LANDMARKS] = 0
        assert away.max() < 0.02
        assert covered(ours, told) > 0.95
    moved = found[0].landmarks.points - figures[1].landmarks.points
    thumb = LANDMARK_NAMES.index("left_thumb")
    assert moved[left_wrist] == pytest.approx([25, 0], abs=0.02)
    assert moved[thumb] == pytest.approx([25, 0], abs=6)  # fingers go with the wrist


def test_masks_take_the_place_of_ours(photo, figures, tmp_path) -> None:
    # One person's mask without the left fifth, and one that covers nobody.
    mask = figures[2].alpha.full() > 127
    cut = int(figures[2].box[0] + 0.2 * (figures[2].box[2] - figures[2].box[0]))
    mask[:, :cut] = False
    from PIL import Image

    labels = mask.astype(np.uint8)
    labels[5:200, 5:90] = 2
    Image.fromarray(labels).save(tmp_path / "map.png")
    found = find(photo, Options(masks=tmp_path / "map.png"))
    assert len(found.figures) == 5
    drawn = found.figures[2].alpha.full() > 127
    assert (drawn & mask).sum() / (drawn | mask).sum() > 0.97
    assert drawn[:, : cut - 8].sum() < 0.005 * mask.sum()
    assert all(covered(figures[i], found.figures[i]) > 0.98 for i in (0, 1, 3, 4))
    assert [one.reason for one in found.left_out] == ["no-pose"]
    assert found.left_out[0].box.tolist() == [5, 5, 90, 200]
