"""What a reconstruction tells while it runs, and how long its stages took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Told of each stage as it begins: its name, the number of the person it is for (0 for everyone) and
# how many people there are (0 while that is not known). What it raises ends the work.
Progress = Callable[[str, int, int], None]


class Cancelled(Exception):
    """Nobody wants the result any more; a ``Progress`` raises it to end the work."""


class StageTimer:
    """Adds up seconds by the name of the stage, and tells ``progress`` of each that begins."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str, person: int = 0, people: int = 0) -> Iterator[None]:
        if self._progress is not None:
            self._progress(stage, person, people)
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed
