"""A batch ends with each input done exactly once, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batch_tools import Bench
from vitruvian.batch.drive import Tally
from vitruvian.batch.manifest import Manifest
from vitruvian.batch.orders import Answer
from vitruvian.batch.pool import LocalPool
from vitruvian.errors import InputError

HELPERS = Path(__file__).resolve().parents[1] / "helpers"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_failures_stop_nothing_and_a_second_run_does_nothing(bench: Bench) -> None:
    for number in range(4):
        bench.put(f"{number}.jpg", f"picture {number}")
    bench.put("again/0.jpg", "picture 0")  # the same bytes as the first
    bench.put("bad.jpg", "refuse")
    bench.put("notes.txt", "not an input of a folder")
    bench.put("kills.jpg", "die")
    bench.put("trips.jpg", "die once")
    bench.put("breaks.jpg", "crash")
    tally = bench.run()
    assert (tally.done, tally.failed, tally.waiting) == (6, 3, 0)
    rows = {Path(row.task.sources[0]).name: row for row in bench.rows()}
    assert rows["bad.jpg"].code == "not-a-picture"
    assert (rows["bad.jpg"].attempts, rows["bad.jpg"].state) == (1, "failed")
    assert (rows["kills.jpg"].attempts, rows["kills.jpg"].code) == (3, "crashed")
    assert "ended the process" in (rows["kills.jpg"].sentence or "")
    assert (rows["trips.jpg"].attempts, rows["trips.jpg"].state) == (2, "done")
    assert rows["trips.jpg"].sentence is None
    assert (rows["breaks.jpg"].attempts, rows["breaks.jpg"].code) == (3, "crashed")
    made = [Path(label).name for label in bench.made()]
    assert made.count("0.jpg") in (1, 2)  # twice where both were worked on at the same time
    assert all(made.count(f"{number}.jpg") == 1 for number in (1, 2, 3))
    bench.check_whole()
    assert not (bench.results / ".unfinished").exists()

    before = len(bench.made())
    assert bench.run(pool=_never).done == 6
    bench.put("2.jpg", "another picture")
    assert bench.run().done == 6
    assert len(bench.made()) == before + 1
    assert bench.run(retry_failed=True, retries=0).failed == 3
    assert len(bench.made()) == before + 4


def _never() -> LocalPool:
    raise AssertionError("there is nothing to do")


def test_other_options_give_other_results_beside_the_first(bench: Bench) -> None:
    bench.put("a.jpg", "a")
    bench.run()
    bench.run(chunk_s=30.0)
    (one,), (other,) = bench.rows(), bench.rows(chunk_s=30.0)
    assert one.result != other.result
    assert len(list(bench.results.glob("??/*"))) == 2


def test_a_clip_that_is_split_becomes_jobs_of_its_own(bench: Bench) -> None:
    bench.put("long.mp4", "split")
    tally = bench.run()
    assert (tally.done, tally.waiting) == (2, 0)
    states = {row.task.label.rpartition("long.mp4")[2]: row.state for row in bench.rows()}
    assert states == {"": "split", " (0 to 1 s)": "done", " (1 to 2 s)": "done"}
    assert bench.run(pool=_never).done == 2


def test_what_takes_too_long_is_ended(bench: Bench) -> None:
    bench.put("long.jpg", "sleep 60")
    bench.put("short.jpg", "short")
    start = time.monotonic()
    tally = bench.run(pool=lambda: LocalPool(1, time_limit_s=0.5), retries=0)
    assert (tally.done, tally.failed) == (1, 1)
    assert time.monotonic() - start < 30
    assert bench.rows()[0].code == "took-too-long"


def test_a_full_disk_ends_the_run_and_loses_nothing(bench: Bench) -> None:
    bench.put("0.jpg", "first")
    full = bench.put("1.jpg", "full")
    bench.put("2.jpg", "last")
    tally = bench.run(pool=lambda: LocalPool(1))
    assert tally.stopped is not None
    assert tally.stopped.code == "cannot-write"
    assert [row.state for row in bench.rows()] == ["done", "queued", "queued"]
    assert [row.attempts for row in bench.rows()] == [1, 0, 0]
    state = full.stat()
    full.write_text("fine")
    os.utime(full, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert bench.run().done == 3
    bench.check_whole()


def test_workers_that_are_killed_are_replaced(bench: Bench) -> None:
    for number in range(6):
        bench.put(f"{number}.jpg", f"sleep 0.2\n{number}")
    pool = LocalPool(2)
    killed = []

    def tell(tally: Tally, answer: Answer | None) -> None:
        if (
            len(killed) < 2
            and pool.held()
            and (busy := pool.process_ids[len(killed)]) not in killed
        ):
            killed.append(busy)
            os.kill(busy, signal.SIGKILL)

    tally = bench.run(pool=lambda: pool, tell=tell)
    assert killed
    assert (tally.done, tally.failed) == (6, 0)
    bench.check_whole()


def test_an_interruption_gives_back_what_runs(bench: Bench) -> None:
    for number in range(4):
        bench.put(f"{number}.jpg", f"sleep {0 if number == 0 else 60}\n{number}")

    def tell(tally: Tally, answer: Answer | None) -> None:
        if answer is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run(tell=tell)
    assert [row.state for row in bench.rows()] == ["done", "queued", "queued", "queued"]
    assert {row.attempts for row in bench.rows()[1:]} == {0}


_DRIVER = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from batch_tools import Bench
bench = Bench.__new__(Bench)
folder = Path(sys.argv[2])
bench.inputs, bench.results, bench.diary = folder / "in", folder / "out", folder / "diary"
bench.manifest = bench.results / "manifest.sqlite"
if __name__ == "__main__":
    bench.run()
"""


def test_the_death_of_the_driver_loses_and_doubles_nothing(bench: Bench, tmp_path: Path) -> None:
    for number in range(5):
        bench.put(f"{number}.jpg", f"sleep {0 if number < 2 else 1.5}\n{number}")
    script = tmp_path / "driver.py"
    script.write_text(_DRIVER)
    with subprocess.Popen([sys.executable, str(script), str(HELPERS), str(tmp_path)]) as driver:
        _wait(lambda: len(bench.made()) >= 4)  # two are done, two are in the works
        with pytest.raises(InputError, match="Another batch"):
            Manifest(bench.manifest, "")
        driver.kill()
    assert bench.run().done == 5
    bench.check_whole()
    assert not (bench.results / ".unfinished").exists()
    assert all(bench.made().count(str(bench.inputs / f"{n}.jpg")) == 1 for n in (0, 1))


def _wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.02)
