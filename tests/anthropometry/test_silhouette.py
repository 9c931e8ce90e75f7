"""Silhouettes of one size, and pairs that can or cannot be measured."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vitruvian.anthropometry.judging import ARMS_ON_TRUNK, LEGS_TOGETHER, SWAPPED, judged
from vitruvian.anthropometry.silhouette import normalised
from vitruvian.errors import InputError
from vitruvian.networks.measuring import HEIGHT, WIDTH


def figure(scale: float = 1.0, *, arms: float = 60, feet: float = 30, front: bool = True):
    """A stick man (400 * scale rows) of thick strokes: arms so far off, feet so far apart."""
    picture = np.zeros((4 * 480, 4 * 480), np.uint8)

    def stroke(a, b, width):
        points = [tuple(round(4 * value) for value in point) for point in (a, b)]
        cv2.line(picture, *points, 255, 4 * width)

    cv2.circle(picture, (4 * 240, 4 * 70), 4 * 28, 255, -1)
    stroke((240, 90), (240, 240), 70)
    if front:
        for sign in (-1, 1):
            stroke((240 + 30 * sign, 130), (240 + (30 + arms) * sign, 235), 18)
            stroke((240 + 15 * sign, 250), (240 + feet * sign, 425), 30)
    else:
        stroke((240, 240), (240, 425), 40)
    size = round(480 * scale)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
def test_a_person_fills_the_height_whatever_the_picture(scale):
    found = normalised(figure(scale))
    assert found.shape == (HEIGHT, WIDTH)
    rows = np.flatnonzero((found >= 128).any(1))
    assert rows[0] == pytest.approx(4, abs=1)
    assert rows[-1] == pytest.approx(HEIGHT - 5, abs=1)
    columns = (np.arange(WIDTH) + 0.5) @ found.sum(0) / found.sum()
    assert columns == pytest.approx(WIDTH / 2, abs=0.5)


def test_widths_keep_their_share_of_the_height_to_a_part_of_a_pixel():
    found = [normalised(figure(scale)).astype(float) for scale in (1.0, 1.7, 3.1)]
    widths = [one[60].sum() / 255 for one in found]
    assert max(widths) - min(widths) < 0.5
    # The trunk and two arms of the drawing, at the scale of the person's height.
    assert widths[0] > 70 * (HEIGHT - 8) / 400


def test_specks_do_not_count():
    clean, dirty = figure(), figure()
    dirty[5:9, 5:9] = 255
    np.testing.assert_array_equal(normalised(dirty)[:, 20:76], normalised(clean)[:, 20:76])


@pytest.mark.parametrize(
    ("matte", "sentence"),
    [(np.zeros((300, 300), np.uint8), "silhouette is empty"), (figure(0.2), "pixels tall")],
)
def test_what_is_too_little_is_refused(matte, sentence):
    with pytest.raises(InputError, match=sentence):
        normalised(matte)


def test_a_good_pair_is_as_it_is():
    front, side = normalised(figure()), normalised(figure(front=False))
    pair = judged(front, side)
    assert pair.warnings == ()
    assert pair.unsure == ()
    np.testing.assert_array_equal(pair.views, [front, side])


def test_views_the_wrong_way_round_are_turned_round():
    front, side = normalised(figure()), normalised(figure(front=False))
    pair = judged(side, front)
    assert pair.warnings == (SWAPPED,)
    np.testing.assert_array_equal(pair.views, [front, side])


def test_two_fronts_or_two_sides_are_refused():
    front, side = normalised(figure()), normalised(figure(front=False))
    with pytest.raises(InputError, match="side view looks like a front"):
        judged(front, front)
    with pytest.raises(InputError, match="front view looks like a side"):
        judged(side, side)


def test_arms_on_the_trunk_and_legs_together_make_measures_less_sure():
    side = normalised(figure(front=False))
    close = judged(normalised(figure(arms=4)), side)
    assert ARMS_ON_TRUNK in close.warnings
    assert "waist" in close.unsure
    assert "calf" not in close.unsure
    together = judged(normalised(figure(feet=12)), side)
    assert LEGS_TOGETHER in together.warnings
    assert "calf" in together.unsure
