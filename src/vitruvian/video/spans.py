"""Spans of a clip: parts of some seconds that are looked at each by itself, in any process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

from vitruvian.exchange.given_frames import GivenFrames
from vitruvian.types.camera import Camera
from vitruvian.video.clip import Clip, Frame
from vitruvian.video.decoding import Reader, Steps

# About how many seconds are looked at by themselves, and kept. The whole frame is searched as
# often: whoever is overlooked is missed for so long.
SPAN_S = 2.0

_kept = threading.local()  # the reader of the last span: the next one goes on from there


@dataclass(frozen=True)
class Span:
    """Part of a clip.

    Attributes:
        index: of the span, from 0.
        clip: that it is of.
        camera: of the clip.
        start_s, end_s: its seconds in the clip, end excluded.
        given: keypoints and masks that are brought along for the clip's frames.
    """

    index: int
    clip: Clip
    camera: Camera
    start_s: float
    end_s: float
    given: GivenFrames | None = None


def span_seconds(clip: Clip) -> float:
    """How long a clip's spans are: of one length and even in number, as far as the file says how
    long the clip is, so that two processes are busy alike."""
    seconds = clip.expected * clip.every / clip.fps
    pairs = round(seconds / (2 * SPAN_S))
    return seconds / (2 * pairs) if pairs else SPAN_S


class SpanReader:
    """Reads spans of one clip that ascend, without beginning anew for each.

    Seeking is not exact in many files, so what lies before a span is stepped through.

    Args:
        clip: to read.
    """

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.reached_s = -1.0
        self._steps: Steps = clip.steps()
        self._ahead: tuple[int, float, Reader] | None = None
        self._ended = False

    @property
    def next_s(self) -> float | None:
        """Seconds of the first frame that was not read yet; None where the clip has ended."""
        if self._ahead is None and not self._ended:
            self._ahead = next(self._steps, None)
            self._ended = self._ahead is None
        return None if self._ahead is None else self._ahead[1]

    def frames(self, span: Span) -> Iterator[Frame]:
        """The frames of a span, one at a time in memory."""
        self.reached_s = span.end_s
        while (time_s := self.next_s) is not None and time_s < span.end_s:
            step, self._ahead = self._ahead, None
            if time_s < span.start_s or step is None:
                continue
            frame = span.clip.decoded(*step)
            if frame is None:
                self._ended = True
                return
            yield frame


def reader_of(span: Span) -> SpanReader:
    """The reader that this thread used last, where it can go on to the span; else a new one."""
    kept: SpanReader | None = getattr(_kept, "reader", None)
    clip = replace(span.clip, lens=None)  # of which equal ones do not know that they are
    if kept is None or kept.clip != clip or kept.reached_s > span.start_s:
        kept = _kept.reader = SpanReader(clip)
    return kept


def close_reader() -> None:
    """Let go of the file that this thread has read."""
    _kept.reader = None
