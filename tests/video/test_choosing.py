"""The frame that an avatar is made from: sharp, whole, and with nothing of somebody else's."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.model.model import body_model
from vitruvian.types.keypoints import HIPS, SHOULDERS
from vitruvian.video.choosing import best_frames
from vitruvian.video.clip import open_clip
from vitruvian.video.looks import looks_of
from vitruvian.video.tracking import Sighting, Track

COUNT = 5
BODY = random_body(3)


@pytest.fixture(scope="module")
def figure():
    found, vertices = photograph(*BODY)
    mask = found.alpha.full() > 127
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y, x = rows[0], columns[0]
    cut = found.alpha.values[y : rows[-1] + 1, x : columns[-1] + 1]
    return replace(found, alpha=replace(found.alpha, values=cut, x=int(x), y=int(y))), vertices


def drawn(figure, *, ball: bool, blurred: bool) -> np.ndarray:
    """Somebody in stripes, some of whom a ball hides."""
    stripes = np.arange(CAMERA.height)[:, None] // 6 % 2 * np.ones((1, CAMERA.width), int)
    colours = np.array([(180, 60, 40), (150, 50, 40)], np.uint8)[stripes]
    pixels = np.where((figure.alpha.full() > 127)[..., None], colours, np.uint8(70))
    if ball:
        middle = figure.landmarks.points[[*SHOULDERS, *HIPS]].mean(0).astype(int)
        cv2.circle(pixels, middle.tolist(), 40, (240, 240, 240), -1)
        for step in range(-30, 31, 10):  # its seams make it sharp
            cv2.line(pixels, (middle + [step, -20]).tolist(), (middle + [step, 20]).tolist(), 0, 2)
    return cv2.GaussianBlur(pixels, (0, 0), 3) if blurred else pixels


def chosen(folder, figure, vertices, pictures, figures=None) -> int:
    folder.mkdir()
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    figures = figures or [figure] * len(pictures)
    seen = [Sighting(number, number / 25, one) for number, one in enumerate(figures)]
    track = Track(1, seen, looks_of(drawn(figure, ball=False, blurred=False), figure))
    (((_, frame, sighting), *others),) = best_frames(
        [open_clip(folder)],
        lambda which, number: CAMERA,
        [(track,)],
        body_model(),
        lambda person, which, number: vertices,
    )
    assert frame.number == sighting.number
    assert len(others) == min(2, COUNT - 1)
    return frame.number


def test_frames_in_which_something_is_before_somebody_are_passed_over(figure, tmp_path):
    pictures = [drawn(figure[0], ball=n < 2, blurred=n > 2) for n in range(COUNT)]
    assert chosen(tmp_path / "clip", *figure, pictures) == 2
    # Where nothing tells where the body is, a ball as sharp as that is worth more.
    assert chosen(tmp_path / "blind", figure[0], None, pictures) < 2


def test_sharp_frames_are_better(figure, tmp_path):
    pictures = [drawn(figure[0], ball=False, blurred=n != 2) for n in range(COUNT)]
    assert chosen(tmp_path / "clip", *figure, pictures) == 2


def test_whom_the_picture_cuts_above_is_passed_over(figure, tmp_path):
    found, vertices = figure
    cut = replace(found, box=found.box * [1, 0, 1, 1])
    pictures = [drawn(found, ball=False, blurred=False)] * COUNT
    figures = [cut, cut, found, cut, cut]
    assert chosen(tmp_path / "clip", found, vertices, pictures, figures) == 2
