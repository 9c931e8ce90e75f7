"""The same jobs on a Ray cluster of this machine."""

import os
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from batch_tools import Bench

pytest.importorskip("ray", reason="needs the extra ray")

from vitruvian.batch.cluster import RayPool, do_on_node
from vitruvian.batch.orders import Order, Task

HELPERS = Path(__file__).resolve().parents[1] / "helpers"


@pytest.fixture(scope="module", autouse=True)
def where_workers_look() -> Iterator[None]:
    """Ray's processes find the makers of these tests."""
    import vitruvian

    source = str(Path(vitruvian.__file__).parents[1])
    with pytest.MonkeyPatch.context() as patch:
        paths = [source, str(HELPERS), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        yield


@pytest.mark.slow
def test_a_cluster_does_what_processes_do(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = Bench(tmp_path / "here"), Bench(tmp_path / "there")
    for bench in (here, there):
        for number in range(5):
            bench.put(f"{number}.jpg", f"picture {number}")
        bench.put("bad.jpg", "refuse")
        bench.put("trips.jpg", "die once")
    here.diary = there.diary  # an option: keys are the same only for the same options
    tally = there.run(pool=lambda: RayPool("local", 2))
    assert (tally.done, tally.failed) == (6, 1), there.rows()
    there.check_whole()
    rows = {Path(row.task.sources[0]).name: row for row in there.rows()}
    assert rows["trips.jpg"].attempts >= 2
    assert rows["bad.jpg"].code == "not-a-picture"
    here.run()
    results = {path.name: (path / "mesh.txt").read_bytes() for path in here.results.glob("??/*")}
    assert len(results) == 6
    for key, data in results.items():
        assert (there.results / key[:2] / key / "mesh.txt").read_bytes() == data


def test_a_task_that_takes_too_long_ends_its_process(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    task = Task("photo", (str(bench.put("late.jpg", "sleep 30")),))
    plan = bench.plan()
    order = Order(1, task, plan.options, plan.settings, plan.results, "run", maker=plan.maker)
    process = get_context("spawn").Process(target=do_on_node, args=(order, 0.2))
    process.start()
    process.join(20)
    assert process.exitcode == 1
