"""Stretches of a track: gaps, exchanged sides."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from fit_people import photograph, random_body
from vitruvian.types.figure import Landmarks
from vitruvian.types.keypoints import MIRROR
from vitruvian.video.solving import OVERLAP, WINDOW, windows
from vitruvian.video.stretches import runs_of, stretches_of
from vitruvian.video.tracking import Sighting, Track

FIGURE, _ = photograph(*random_body(3))


def moved(figure, points, visibility=None):
    marks = figure.landmarks
    seen = marks.visibility if visibility is None else visibility
    return replace(figure, landmarks=Landmarks(points, seen, marks.world, 0.01))


def track_of(figures, rate=10.0):
    """A track and all frames; None where somebody is not found."""
    frames = [(number, number / rate) for number in range(len(figures))]
    seen = [Sighting(n, t, f) for (n, t), f in zip(frames, figures, strict=True) if f is not None]
    return [Track(1, seen)], frames


def test_short_gaps_are_bridged_and_long_ones_cut():
    figures = [FIGURE] * 5 + [None] * 2 + [FIGURE] * 5 + [None] * 12 + [FIGURE] * 6
    first, second = stretches_of(*track_of(figures))
    assert first.numbers.tolist() == list(range(12))
    assert first.lost.tolist() == [False] * 5 + [True] * 2 + [False] * 5
    assert second.numbers.tolist() == list(range(24, 30))


def test_frames_far_apart_follow_each_other_and_moments_tell_no_motion():
    (stretch,) = stretches_of(*track_of([FIGURE] * 5, rate=1.25))
    assert stretch.numbers.tolist() == list(range(5))
    tracks, frames = track_of(([FIGURE] * 2 + [None] * 2) * 4, rate=1.25)
    assert runs_of(tracks, frames) == []
    assert stretches_of(tracks, frames) == []


def test_frames_with_left_and_right_exchanged_are_put_right():
    marks = FIGURE.landmarks.points
    flipped = moved(FIGURE, marks[MIRROR])
    figures = [flipped if k in (3, 4, 9) else FIGURE for k in range(12)]
    (stretch,) = stretches_of(*track_of(figures))
    assert np.flatnonzero(stretch.swapped).tolist() == [3, 4, 9]
    for (figure,) in stretch.figures:
        np.testing.assert_array_equal(figure.landmarks.points, marks)


def test_a_camera_that_never_shows_somebody_has_no_figures():
    tracks, frames = track_of([FIGURE] * 6)
    (stretch,) = stretches_of([*tracks, Track(1)], frames)
    assert [other for _, other in stretch.figures] == [None] * 6


def test_windows_cover_everything_and_overlap():
    for count in (3, WINDOW, WINDOW + 1, 87, 120, 200, 1394):
        spans = windows(count)
        assert spans[0][0] == 0
        assert spans[-1][1] == count
        for (_, end), (first, _) in itertools.pairwise(spans):
            assert end - first == OVERLAP
        lengths = [end - first for first, end in spans]
        assert max(lengths) <= WINDOW
        assert max(lengths) - min(lengths) <= 1  # no process waits for another
        assert len(spans) == 1 or len(spans) % 2 == 0
