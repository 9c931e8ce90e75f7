"""Makers of results for tests of ``vitruvian batch``: quick, and they fail as they are told to.

What a file says is done to it, line by line: ``die`` ends the process, ``die once`` only the first
time, ``sleep S``, ``refuse``, ``crash``, ``full``, ``split``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vitruvian.batch.drive import BatchPlan, Tally, run_batch
from vitruvian.batch.listing import list_tasks
from vitruvian.batch.manifest import Manifest, Row
from vitruvian.batch.orders import Order
from vitruvian.batch.pool import LocalPool, Pool
from vitruvian.batch.results import open_results
from vitruvian.batch.work import Gathered, Parts
from vitruvian.errors import InputError

OBEY = "batch_tools.obey"


def obey(order: Order, gathered: Gathered, folder: Path) -> dict[str, Any]:
    """A maker that does what the input says, and writes it down."""
    data = gathered.pictures[0] if gathered.clip is None else gathered.clip.read_bytes()
    with open(f"{order.options['diary']}", "a") as diary:
        diary.write(f"{order.task.label}\n")
    for line in data.decode().splitlines():
        word, _, rest = line.partition(" ")
        if word == "die":
            once = Path(f"{order.options['diary']}.{Path(order.task.label).name}")
            if rest != "once" or not once.exists():
                once.touch()
                os._exit(9)
        elif word == "sleep":
            time.sleep(float(rest))
        elif word == "refuse":
            raise InputError("It is a bad picture; take another.", code="not-a-picture")
        elif word == "crash":
            raise ZeroDivisionError("division by zero")
        elif word == "full":
            raise InputError("Cannot write it (no space left on device).", code="cannot-write")
        elif word == "split" and "start_s" not in order.task.known:
            raise Parts(((0.0, 1.0), (1.0, 2.0)))
    (folder / "mesh.txt").write_bytes(data)
    return {"people": 1, "agreement": 0.9}


class Bench:
    """A folder of inputs, one of results, and what is needed to run batches over them."""

    def __init__(self, folder: Path) -> None:
        self.inputs, self.results = folder / "in", folder / "out"
        self.inputs.mkdir()
        self.diary = folder / "diary"
        self.manifest = self.results / "manifest.sqlite"

    def put(self, name: str, text: str) -> Path:
        """An input."""
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def plan(self, **known: Any) -> BatchPlan:
        known = {"maker": OBEY, "results": str(self.results)} | known
        return BatchPlan(options={"diary": str(self.diary)}, **known)

    def run(
        self,
        *,
        inputs: Iterable[str] | None = None,
        pool: Callable[[], Pool] | None = None,
        tell: Callable[..., None] = lambda tally, answer: None,
        **known: Any,
    ) -> Tally:
        plan = self.plan(**known)
        tasks = list_tasks(inputs or [str(self.inputs)], plan.results)
        with Manifest(self.manifest, plan.settings) as manifest:
            return run_batch(manifest, tasks, plan, pool or (lambda: LocalPool(2)), tell)

    def rows(self, **known: Any) -> list[Row]:
        with Manifest(self.manifest, self.plan(**known).settings) as manifest:
            return list(manifest.rows())

    def made(self) -> list[str]:
        """What was worked on, each time."""
        return self.diary.read_text().splitlines() if self.diary.exists() else []

    def check_whole(self, **known: Any) -> None:
        """Every done job has its whole result, and there is no other, nor anything unfinished."""
        store = open_results(str(self.results))
        keys = set()
        for row in self.rows(**known):
            if row.state == "done":
                assert row.result is not None
                keys.add(row.result)
                assert store.about(row.result) is not None
                made = store.read(row.result, "mesh.txt")
                assert made == Path(row.task.sources[0]).read_bytes()
        there = {path.name for path in self.results.glob("??/*")}
        assert there == keys
