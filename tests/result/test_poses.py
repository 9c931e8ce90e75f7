"""``poses.png`` holds every pose of everyone, at one scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from format_shapes import tube
from vitruvian.result.poses import YAWS, PosedViews, posed_views, write_poses
from vitruvian.result.preview import lineup
from vitruvian.result.sheet import MAX_WIDTH


def heights(pictures: list[np.ndarray]) -> list[int]:
    return [int(np.ptp(np.flatnonzero(picture[..., 3].any(1)))) + 1 for picture in pictures]


def test_a_lineup_has_one_scale_and_one_ground() -> None:
    tall, short = tube(30, 24), tube(30, 24)
    short = short.with_vertices(short.vertices * np.float32([1, 0.5, 1]) + np.float32([3, 7, 0]))
    pictures = lineup([tall, short], [0, 30], (150, 300), elevation_deg=0)
    high, low = heights(pictures)
    assert low == pytest.approx(high / 2, rel=0.06)
    feet = [np.flatnonzero(picture[..., 3].any(1)).max() for picture in pictures]
    assert abs(feet[0] - feet[1]) <= 2
    assert high > 250
    assert lineup([], [], (10, 10)) == []


def test_views_are_rows_of_poses() -> None:
    meshes = [tube(12, 10), tube(12, 10)]
    views = posed_views("Person 1", meshes, ["a", "b"], height=80)
    assert [len(row) for row in views.views] == [2] * len(YAWS)
    assert {picture.shape[0] for row in views.views for picture in row} == {80}


@pytest.mark.parametrize("people", [0, 1, 3, 30])
def test_the_sheet_fits_its_width_and_says_who_is_left_out(tmp_path: Path, people: int) -> None:
    grey = np.full((90, 300, 4), (99, 99, 99, 255), np.uint8)
    views = PosedViews("Person", ["T-pose", "walking"], [[grey] * 2])
    path = write_poses(tmp_path / "poses.png", [views] * min(people, 24), people=people)
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert image.width <= MAX_WIDTH
        pixels = np.asarray(image)
    assert (pixels == 99).all(-1).sum() == min(people, 24) * 2 * 90 * 300
    note = (pixels[-28:] < 60).any()
    assert note == (people in (0, 30))
