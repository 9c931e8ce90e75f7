"""How long stages take, learnt from the jobs that ran: progress and time left."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

# Names as in ``Scene.timings_s``, in their order, with what the page calls them and the seconds
# assumed before anything was measured.
STAGES: dict[str, tuple[str, float]] = {
    "decode": ("Reading the picture", 0.05),
    "people": ("Finding people", 0.6),
    "body": ("Fitting the body", 0.15),
    "scene": ("Placing everyone on the ground", 0.02),
    "surface": ("Shaping the clothes", 0.2),
    "texture": ("Painting the surface", 0.35),
    "checks": ("Comparing with the picture", 0.05),
    "avatar": ("Making it move", 0.1),
    "files": ("Writing the files", 0.5),
}
_OF_EACH_PERSON = ("surface", "texture", "checks", "avatar")
_MEMORY = 0.8  # share of the old estimate that a new measurement leaves


class StageClock:
    """Running means of the seconds of each stage. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds = {name: seconds for name, (_, seconds) in STAGES.items()}
        self.total = sum(self.seconds.values())

    def start(self) -> Watch:
        """Begin to watch a job."""
        return Watch(self)

    def learn(self, stages: dict[str, float], people: int, total: float) -> None:
        """Take in the seconds of a job that ended well."""
        with self._lock:
            for name, seconds in stages.items():
                each = seconds / max(1, people) if name in _OF_EACH_PERSON else seconds
                self.seconds[name] = _MEMORY * self.seconds.get(name, each) + (1 - _MEMORY) * each
            self.total = _MEMORY * self.total + (1 - _MEMORY) * total

    def expected(self, people: int) -> dict[str, float]:
        """Seconds of each stage for a picture of so many people."""
        with self._lock:
            return {
                name: seconds * (people if name in _OF_EACH_PERSON else 1)
                for name, seconds in self.seconds.items()
            }

    def progress(self, stage: str, person: tuple[int, int] | None, people: int = 1) -> float:
        """Share of the work that lies before ``stage`` of ``person`` (number, of how many)."""
        number, count = person or (0, people)
        expected = self.expected(count)
        whole = sum(expected.values()) or 1.0
        if stage not in expected:
            return 0.0
        if stage not in _OF_EACH_PERSON:
            names = list(STAGES)
            return sum(expected[name] for name in names[: names.index(stage)]) / whole
        first = list(STAGES).index(_OF_EACH_PERSON[0])
        before = sum(expected[name] for name in list(STAGES)[:first])
        each = {name: expected[name] / max(1, count) for name in _OF_EACH_PERSON}
        before += sum(each.values()) * (number - 1)
        for name in _OF_EACH_PERSON:
            if name == stage:
                break
            before += each[name]
        return before / whole

    def seconds_left(self, progress: float, ahead: int, workers: int) -> float:
        """Seconds until a job at ``progress`` with ``ahead`` jobs before it ends."""
        with self._lock:
            return self.total * (1 - progress) + self.total * ahead / max(1, workers)


@dataclass
class Watch:
    """One job's stages as they pass."""

    clock: StageClock

    def __post_init__(self) -> None:
        self.stage = ""
        self._begin = self._since = time.monotonic()
        self._seconds: dict[str, float] = {}
        self._people = 1
        self._progress = 0.0

    def reach(self, stage: str, person: tuple[int, int] | None) -> float:
        """The job begins ``stage``; returns its progress, 0..1, which never falls."""
        self._leave()
        self.stage = stage
        if person:
            self._people = person[1]
        self._progress = max(self._progress, self.clock.progress(stage, person, self._people))
        return round(min(self._progress, 0.99), 3)

    def end(self, well: bool) -> None:
        """The job ended."""
        self._leave()
        if well:
            self.clock.learn(self._seconds, self._people, time.monotonic() - self._begin)

    def _leave(self) -> None:
        now = time.monotonic()
        if self.stage:
            self._seconds[self.stage] = self._seconds.get(self.stage, 0.0) + now - self._since
        self._since = now
