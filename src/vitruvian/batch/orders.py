"""What travels between the driver and its workers: plain values, so that any transport will do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vitruvian._version import __version__
from vitruvian.image.names import readable

Kind = Literal["photo", "video", "pair"]
# again: may go better another time; lost: its worker died; late: it took longer than allowed;
# stop: every other job would fail in the same way.
State = Literal["done", "failed", "split", "again", "lost", "late", "stop"]

MAKER = "vitruvian.batch.making.make"


@dataclass(frozen=True)
class Task:
    """One input as the user gave it.

    Attributes:
        kind: a photograph, a clip, or two pictures to measure.
        sources: where the input is: one place; a pair's front and side.
        known: what was told of it: ``height_cm``, ``weight_kg``, ``sex``, ``age`` of the person,
            ``start_s`` and ``end_s`` of a part of a clip, ``at``, the offset and size in bytes of
            a member of a TAR archive.
        stamp: size and time of change, or what a storage has in their place: whether the input is
            still what it was.
    """

    kind: Kind
    sources: tuple[str, ...]
    known: Mapping[str, Any] = field(default_factory=dict)
    stamp: str = ""

    @property
    def label(self) -> str:
        """What people call it, as text that can be printed and written."""
        name = " and ".join(self.sources)
        if "start_s" in self.known:
            name = f"{name} ({self.known['start_s']:g} to {self.known['end_s']:g} s)"
        return readable(name)

    def text(self) -> str:
        """The task without its stamp as JSON, always the same for the same task."""
        return canonical(
            {"kind": self.kind, "sources": list(self.sources), "known": dict(self.known)}
        )

    @classmethod
    def of_text(cls, text: str, stamp: str = "") -> Task:
        """The task that ``text`` wrote."""
        read = json.loads(text)
        return cls(read["kind"], tuple(read["sources"]), read["known"], stamp)


@dataclass(frozen=True)
class Order:
    """A job on its way to a worker.

    Attributes:
        ticket: the job's number in the manifest.
        task: the input.
        options: of the reconstruction, plain values by name, those that are not the default.
        settings: hash of the options, see ``settings_hash``.
        results: folder or URL of the results.
        run: name of the folder for what is not complete yet.
        chunk_s: longest part of a clip that is one job, in seconds.
        threads: processor threads of the worker.
        maker: dotted name of the function that makes the result.
    """

    ticket: int
    task: Task
    options: Mapping[str, Any]
    settings: str
    results: str
    run: str
    chunk_s: float = 60.0
    threads: int = 1
    maker: str = MAKER


@dataclass(frozen=True)
class Answer:
    """What became of an order.

    Attributes:
        ticket: of the order.
        state: see ``State``.
        code, sentence: why it is not done.
        input: SHA-256 of what was read, hexadecimal.
        result: key of the result.
        seconds: that it took.
        people: how many there are.
        agreement: least overlap of a person's model and picture, 0..1; None where not measured.
        parts: start and end in seconds of each part of a clip that is to be several jobs.
    """

    ticket: int
    state: State
    code: str | None = None
    sentence: str | None = None
    input: str | None = None
    result: str | None = None
    seconds: float = 0.0
    people: int | None = None
    agreement: float | None = None
    parts: tuple[tuple[float, float], ...] = ()


def canonical(value: Any) -> str:
    """JSON that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def settings_hash(options: Mapping[str, Any], chunk_s: float, maker: str = MAKER) -> str:
    """What results depend on besides their inputs, hashed: options, and the program's version."""
    text = canonical([__version__, dict(options), chunk_s, maker])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def result_key(input: str, task: Task, settings: str) -> str:
    """Where the result of an input lies: the same for the same bytes, knowledge and options.

    Args:
        input: SHA-256 of the input's bytes.
        task: whose kind and knowledge count; its place does not.
        settings: the hash of the options.
    """
    known = {name: value for name, value in task.known.items() if name != "at"}
    text = canonical([input, task.kind, known, settings])
    return hashlib.sha256(text.encode()).hexdigest()[:40]
