"""Association of tracks with people: clips of boxes whose errors are known beforehand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.metrics.association import Moment, association, overlapping
from vitruvian.lab.evaluation.suites import open_suite
from vitruvian.lab.evaluation.suites.tracks import TrackSuite, track_numbers
from vitruvian.lab.synthesis.crossings import CrossingTruth
from vitruvian.types.figure import Alpha, Figure, Landmarks

FRAMES, WIDTH, HEIGHT = 10, 96, 64


def moments(tracks, counts=(True, True)):
    """Two people in ten frames; ``tracks`` says by frame under which numbers they are found."""
    out = []
    for found in tracks:
        iou = np.array([[1.0 if row == column else 0.0 for column in range(len(found))]
                        for row in range(2)])  # fmt: skip
        out.append(Moment((1, 2), found, iou, counts))
    return out


def test_everybody_keeps_their_number():
    numbers = association(moments([(5, 6)] * 10))
    assert numbers == {"idf1": 1, "switches": 0, "det": 1, "ass": 1, "hota": 1}


def test_two_who_exchange_their_numbers():
    numbers = association(moments([(5, 6)] * 6 + [(6, 5)] * 4))
    assert numbers["switches"] == 2
    assert numbers["idf1"] == pytest.approx(2 * 12 / 40)
    # Of six frames a pair shares 6 of 14, of four 4 of 16.
    assert numbers["ass"] == pytest.approx(0.6 * 6 / 14 + 0.4 * 4 / 16)
    assert numbers["det"] == 1


def test_who_gets_another_number_and_who_is_missed():
    numbers = association(moments([(5, 6)] * 5 + [(5, 7)] * 5))
    assert numbers["switches"] == 1
    assert numbers["idf1"] == pytest.approx(2 * 15 / 40)
    numbers = association(moments([(5,)] * 10))
    assert (numbers["det"], numbers["ass"]) == (0.5, 1)
    numbers = association(moments([(5, 6, 7)] * 10))
    assert numbers["det"] == pytest.approx(20 / 30)


def test_whoever_is_hardly_seen_may_be_found_or_not():
    for tracks in ([(5, 6)] * 10, [(5,)] * 10):
        assert association(moments(tracks, counts=(True, False)))["hota"] == 1
    nobody = association(moments([(5, 6)] * 3, counts=(False, False)))
    assert np.isnan(list(nobody.values())).all()


def test_boxes_that_overlap():
    boxes = [np.array([0, 0, 4, 4]), np.array([3, 3, 6, 6]), np.array([7, 0, 9, 8])]
    assert overlapping(boxes) == [True, True, False]


def figure(mask: np.ndarray) -> Figure:
    marks = Landmarks(np.zeros((33, 2)), np.ones(33), np.zeros((33, 3)), 0.01)
    alpha = Alpha(255 * mask.astype(np.uint8), 0, 0, WIDTH, HEIGHT)
    return Figure(np.zeros(4), 0.9, marks, alpha, True, 0.9)


@pytest.fixture
def truth() -> CrossingTruth:
    """The first goes to the right before the second, and hides all of them for some frames."""
    instances = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
    for number in range(FRAMES):
        instances[number, 10:50, 40:60] = 2
        instances[number, 5:55, 8 * number : 8 * number + 26] = 1
    return CrossingTruth(30.0, 50.0, instances, np.array([1.7, 1.6]))


def test_a_clip_and_its_masks(tmp_path: Path, truth: CrossingTruth) -> None:
    folder = tmp_path / "tracks" / "00000"
    folder.mkdir(parents=True)
    writer = cv2.VideoWriter(
        str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30, (WIDTH, HEIGHT)
    )
    for _ in range(FRAMES):
        writer.write(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    writer.release()
    (folder / "truth.npz").write_bytes(truth.encoded())

    def right(clip: Path, fov_deg: float) -> list[dict[int, Figure]]:
        assert fov_deg == 50
        masks = [[frame == one for frame in truth.instances] for one in (1, 2)]
        return [{n: figure(m) for n, m in enumerate(own) if m.any()} for own in masks]

    (case,) = open_suite("tracks", tmp_path).cases()
    outcome = TrackSuite(tmp_path / "tracks", right).run(case)
    assert outcome.numbers["idf1"] == outcome.numbers["hota"] == outcome.numbers["iou"] == 1
    assert outcome.numbers["tracks"] == outcome.numbers["people"] == 2
    assert outcome.pictures[0].pixels.shape[0] > 100
    with pytest.raises(InputError, match="--people 2"):
        TrackSuite(folder).cases()


def test_half_a_mask_where_they_overlap(truth: CrossingTruth) -> None:
    first = {n: figure(frame == 1) for n, frame in enumerate(truth.instances)}
    second = {}
    for number, frame in enumerate(truth.instances):
        mask = frame == 2
        if (frame == 2).sum() < 800:  # partly hidden: only its upper half is found
            mask[30:] = False
        second[number] = figure(mask)
    numbers = track_numbers(truth, [first, second])
    assert numbers["switches"] == 0
    assert 0.5 < numbers["iou_overlapped"] < numbers["iou"] < 1
