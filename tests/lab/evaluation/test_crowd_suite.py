"""The suite of crowds, on a group made here and on one of the generator."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vitruvian.lab.evaluation.suites import crowds
from vitruvian.lab.evaluation.suites.crowds import CrowdSuite, crowd_numbers
from vitruvian.lab.synthesis.groups import GroupSample
from vitruvian.lab.synthesis.sample import HELD_OUT_SEEDS
from vitruvian.types.figure import Alpha

HEIGHT, WIDTH = 200, 300


def group(shown: list[tuple[int, int]], visible: list[float], depths: list[float]) -> GroupSample:
    """People as upright bars of 180 pixels, between columns; later ones before earlier ones."""
    count = len(shown)
    instances = np.zeros((HEIGHT, WIDTH), np.uint8)
    boxes = np.zeros((count, 4), np.float32)
    for index, (left, right) in enumerate(shown):
        instances[10:190, left:right] = index + 1
        boxes[index] = left, 10, right, 190
    roots = np.zeros((count, 3), np.float32)
    roots[:, 2] = depths
    return GroupSample(
        image=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        log_depth=np.zeros((HEIGHT, WIDTH), np.float16),
        instances=instances,
        roots=roots,
        statures=np.full(count, 1.7, np.float32),
        sitting=np.zeros(count, bool),
        boxes=boxes,
        visible=np.array(visible, np.float32),
        inside=np.ones(count, np.float32),
        keypoints=np.zeros((count, 33, 2), np.float32),
        keypoints_visible=np.ones((count, 33), bool),
        betas=np.zeros((count, 10), np.float32),
        poses=np.zeros((count, 5, 3), np.float32),
        focal_px=300.0,
        principal_point=(150.0, 100.0),
        camera_from_world=np.eye(4, dtype=np.float32),
    )


def figure(left: int, right: int) -> Any:
    """A figure whose matte is a bar between columns."""
    alpha = Alpha(np.full((180, right - left), 255, np.uint8), left, 10, WIDTH, HEIGHT)
    box = np.array([left, 10.0, right, 190.0])
    return SimpleNamespace(alpha=alpha, box=box, complete=True)


def test_masks_order_and_who_is_found_by_how_much_is_hidden() -> None:
    # The second hides half of the first's sixty columns; the last is not found.
    truth = group([(10, 70), (40, 100), (200, 260)], [0.5, 1.0, 1.0], [4.0, 3.0, 5.0])
    numbers, note = crowd_numbers(truth, [figure(40, 100), figure(10, 50)], np.array([3.0, 2.5]))
    assert (numbers["people"], numbers["extra"]) == (3, 0)
    assert numbers["found"] == pytest.approx(2 / 3)
    assert (numbers["found_half"], numbers["found_alone"]) == (1, 0.5)
    assert numbers["iou_half"] == pytest.approx(0.75)
    assert numbers["iou_alone"] == 1
    assert numbers["iou_found"] == pytest.approx(0.875)
    assert numbers["iou"] == pytest.approx(1.75 / 3)
    assert numbers["depth_order"] == numbers["overlap_order"] == 0  # the hidden one is nearer
    assert not {"found_small", "iou_small", "found_touched"} & set(numbers)
    assert note == "50 % hidden: 0.75. 0 % hidden: 1.00. 0 % hidden: 0.00."


def test_people_who_are_hardly_seen_do_not_count() -> None:
    truth = group([(10, 70), (100, 160)], [0.3, 1.0], [4.0, 4.1])
    numbers, _ = crowd_numbers(truth, [figure(100, 160), figure(180, 260)], np.array([4.0, 3.0]))
    assert (numbers["people"], numbers["found"], numbers["extra"]) == (1, 1, 1)
    assert "depth_order" not in numbers


def test_groups_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = group([(10, 70), (100, 160)], [1.0, 1.0], [4.0, 5.0])
    drawn = []

    def draw(*_: Any) -> GroupSample:
        drawn.append(1)
        return truth

    monkeypatch.setenv("VITRUVIAN_CACHE", str(tmp_path))
    monkeypatch.setattr("vitruvian.lab.synthesis.groups.draw_group", draw)
    monkeypatch.setattr(crowds, "_crowd", lambda *_: [])
    suite = CrowdSuite(
        tmp_path, lambda photo: [figure(10, 70), figure(100, 160)], lambda *_: np.array([4.0, 5.0])
    )
    case = suite.cases()[0]
    assert case.seed in HELD_OUT_SEEDS
    first, second = suite.run(case), suite.run(case)
    assert len(drawn) == 1
    for outcome in (first, second):
        assert outcome.numbers["found"] == outcome.numbers["iou"] == 1
        assert outcome.numbers["depth_order"] == 1
        assert set(outcome.numbers) <= {metric.key for metric in suite.metrics}
        assert len(outcome.pictures) == 2
