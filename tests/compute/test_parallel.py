"""Work side by side: results, errors, nesting, and how many threads it takes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vitruvian.compute import SideBySide, set_threads


@pytest.fixture(params=[1, 2, 4])
def threads(request):
    set_threads(request.param)
    yield request.param
    set_threads(None)


def test_results_come_in_order(threads: int) -> None:
    with SideBySide() as pool:
        assert pool.map(lambda x: x * x, range(20)) == [x * x for x in range(20)]


def test_groups_within_groups_do_not_block(threads: int) -> None:
    def count(depth: int) -> int:
        if depth == 0:
            return 1
        with SideBySide() as pool:
            return sum(pool.map(count, [depth - 1] * 3))

    assert count(5) == 3**5


def test_no_more_threads_than_were_given_besides_the_waiting_one(threads: int) -> None:
    seen = set()

    def work(_: int) -> None:
        seen.add(threading.get_ident())
        time.sleep(0.002)

    with SideBySide() as pool:
        pool.map(work, range(40))
    assert len(seen) <= (threads if threads == 1 else threads + 1)


def test_an_error_comes_out_at_the_result_and_drops_what_has_not_begun() -> None:
    set_threads(1)
    begun: list[int] = []

    def fail() -> None:
        with SideBySide() as pool:
            failing = pool.submit(lambda: 1 / 0)
            pool.submit(begun.append, 1)
            failing.result()

    try:
        with pytest.raises(ZeroDivisionError):
            fail()
        assert begun == []
        with SideBySide() as pool:
            pool.submit(begun.append, 2)
        assert begun == [2]
    finally:
        set_threads(None)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_one_thread_is_one_thread(tmp_path: Path) -> None:
    """Of all threads that a run ever has, the main one alone computes."""
    from vitruvian.server.files.gallery import SAMPLES, sample_path

    picture = sample_path(SAMPLES[0])
    assert picture is not None
    command = ["photo", str(picture), "-o", str(tmp_path / "out"), "--threads", "1"]
    process = subprocess.Popen([sys.executable, "-m", "vitruvian", *command])
    hundredths: dict[str, int] = {}
    while process.poll() is None:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
                hundredths[task.name] = int(fields[11]) + int(fields[12])
        time.sleep(0.005)
    assert process.returncode == 0
    assert hundredths.pop(str(process.pid)) > 50
    assert max(hundredths.values(), default=0) <= 2, hundredths
