"""Who is who from frame to frame: people as coloured boxes that cross and hide each other."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import ANKLES, HIPS, SHOULDERS
from vitruvian.video.looks import looks_of
from vitruvian.video.tracking import Tracker, settled

WIDTH, HEIGHT = 640, 360
RED, BLUE, GREEN = (200, 40, 40), (40, 60, 200), (40, 180, 60)
TALL, WIDE = 160, 60


def drawn(people):
    """A frame (H, W, 3) and the figures of people, each an x and a colour; first are behind."""
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    figures = []
    for x, color in people:
        box = np.array([x - WIDE / 2, 100, x + WIDE / 2, 100 + TALL])
        x0, y0, x1, y1 = box.astype(int)
        pixels[y0:y1, x0:x1] = color
        points = np.full((33, 2), [float(x), 180.0])
        points[:, 1] += np.linspace(-60, 60, 33)
        points[SHOULDERS, 1], points[HIPS, 1], points[ANKLES, 1] = 120, 180, 250
        marks = Landmarks(points, np.ones(33), np.zeros((33, 3)), 0.01)
        alpha = Alpha(np.full((y1 - y0, x1 - x0), 255, np.uint8), x0, y0, WIDTH, HEIGHT)
        figures.append(Figure(box, 0.9, marks, alpha, True, 0.95))
    return pixels, figures


def follow(frames):
    """Ids of everyone in every frame, at ten frames a second, in the order they were given;
    nobody who was away is known."""
    tracker = Tracker()
    ids = []
    for number, people in enumerate(frames):
        pixels, figures = drawn(people)
        looks = [looks_of(pixels, figure) for figure in figures]
        found = tracker.update(number, number / 10, figures, looks)
        ids.append([track.id for track in found])
    return tracker, ids


def test_people_who_cross_keep_their_ids():
    frames = [[(150 + 12 * k, RED), (450 - 12 * k, BLUE)] for k in range(25)]
    # In the middle only the one in front is found.
    frames[12:14] = [frames[12][1:], frames[13][1:]]
    _, ids = follow(frames)
    assert ids[0] == [1, 2]
    assert ids[-1] == [1, 2]


def test_who_was_away_begins_a_new_track():
    _, ids = follow([[(200, RED)]] * 4 + [[]] * 12 + [[(260, RED)]] * 4)
    assert ids[-1] == [2]


def test_frames_far_apart_follow_each_other():
    tracker = Tracker()
    for number in range(4):
        pixels, figures = drawn([(200 + 5 * number, RED)])
        looks = [looks_of(pixels, figure) for figure in figures]
        tracker.update(number, 1.5 * number, figures, looks)
    assert len(tracker.tracks) == 1


def test_nobody_jumps_through_the_room():
    _, ids = follow([[(60, RED)]] * 3 + [[]] + [[(600, RED)]] * 3)
    assert ids[-1] == [2]


def test_passing_errors_are_nobody():
    tracker, _ = follow([[(200, RED)]] * 8 + [[(200, RED), (500, BLUE)]] + [[(200, RED)]] * 4)
    kept = settled(tracker.tracks, least_s=0.25, least=4)
    assert [track.id for track in kept] == [1]
    assert len(kept[0].sightings) == 13


def test_likeness_tells_clothes_apart():
    looks = [looks_of(pixels, figures[0]) for pixels, figures in map(drawn, [
        [(200, RED)], [(420, RED)], [(200, BLUE)]])]  # fmt: skip
    assert looks[0].likeness(looks[1]) == pytest.approx(1, abs=0.01)
    assert looks[0].likeness(looks[2]) < 0.1


def test_hair_tells_people_in_the_same_clothes_apart():
    """Heads are compared where both are seen from the same side: a face is no hair."""

    def seen(hair, facing):
        pixels, (figure,) = drawn([(200, RED)])
        pixels[100:115] = hair
        turn = np.diag([1.0, -1, -1]) if facing else np.diag([-1.0, -1, 1])
        estimate = SimpleNamespace(rotations=turn[None])
        return looks_of(pixels, replace(figure, estimate=estimate))

    behind = seen((60, 30, 20), False)
    assert behind.likeness(seen((60, 30, 20), False)) == pytest.approx(1, abs=0.01)
    assert behind.likeness(seen((220, 200, 120), False)) < 0.72
    assert behind.likeness(seen((220, 180, 160), True)) == pytest.approx(1, abs=0.01)
