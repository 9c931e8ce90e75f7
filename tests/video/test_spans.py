"""How a clip is cut into spans."""

from dataclasses import replace
from pathlib import Path

import pytest

from vitruvian.video.clip import Clip
from vitruvian.video.spans import SPAN_S, span_seconds

_CLIP = Clip(Path("a.mp4"), "video", "a", 64, 48, 24.0, 0, 0.0, float("inf"), 1, 64, 48)


@pytest.mark.parametrize("frames", [60, 120, 247, 24 * 61])
@pytest.mark.parametrize("every", [1, 3])
def test_spans_are_even_in_number_and_of_about_two_seconds(frames, every):
    clip = replace(_CLIP, declared=frames, every=every)
    number = frames / clip.fps / span_seconds(clip)
    assert round(number / 2) == pytest.approx(number / 2, abs=0.05)
    assert SPAN_S / 2 <= span_seconds(clip) <= 1.5 * SPAN_S


def test_a_clip_of_unknown_or_little_length_has_spans_of_two_seconds():
    assert span_seconds(_CLIP) == SPAN_S
    assert span_seconds(replace(_CLIP, declared=20)) == SPAN_S
