"""How much faster more workers are, and what a result costs: processor time, memory and bytes.

    python benchmarks/batch.py --pictures DIR [--count 40] [--workers 1 2]

Runs ``vitruvian batch`` over the same pictures with each number of workers, one thread each, into
a folder that is removed afterwards. The rate is that between the first and the last result, so
that the start of the workers does not count; two further tables give what single results cost.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from vitruvian.batch import BatchPlan, Tally, run_batch
from vitruvian.batch.listing import list_tasks
from vitruvian.batch.manifest import Manifest
from vitruvian.batch.orders import Answer
from vitruvian.batch.pool import LocalPool
from vitruvian.networks.ahead import needed

MODES: dict[str, dict[str, Any]] = {
    "body": {"detail": "body", "texture": False, "formats": ["glb"]},
    "default": {},
}


def measure(pictures: list[str], workers: int, mode: str) -> str:
    """One row of the table."""
    options = MODES[mode]
    ends: list[float] = []
    spent: list[float] = []
    memory = 0
    pool: LocalPool | None = None

    def open_pool() -> LocalPool:
        nonlocal pool
        pool = LocalPool(workers, 1, None, needed(options.get("detail", "clothed")))
        while pool.free < workers:  # all begin together
            pool.wait(0.1)
        return pool

    def tell(tally: Tally, answer: Answer | None) -> None:
        nonlocal memory
        if answer is not None:
            ends.append(time.monotonic())
            assert pool is not None
            spent.append(sum(map(processor_seconds, pool.process_ids)))
            memory = max([memory, *map(peak_memory, pool.process_ids)])

    with tempfile.TemporaryDirectory() as folder:
        plan = BatchPlan(folder, options)
        with Manifest(Path(folder) / "manifest.sqlite", plan.settings) as manifest:
            run_batch(manifest, list_tasks(pictures, folder), plan, open_pool, tell)
        results = list(Path(folder).glob("??/*"))
        size = sum(file.stat().st_size for one in results for file in one.rglob("*"))
    skip = 2 * workers  # the first of each worker load what is loaded late
    rate = (len(ends) - 1 - skip) / (ends[-1] - ends[skip])
    return (
        f"| {mode} | {workers} | {rate:.2f} | "
        f"{(spent[-1] - spent[skip]) / (len(ends) - 1 - skip):.2f} | "
        f"{memory / 2**20:.0f} | {size / len(results) / 2**20:.2f} |"
    )


def processor_seconds(process: int) -> float:
    """Processor time that a process has used, NaN where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory(process: int) -> int:
    """Most resident bytes that a process has had, 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if "VmHWM" in line), 0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    given = parser.parse_args()
    pictures = [str(path) for path in sorted(given.pictures.iterdir())[: given.count]]
    print(f"load {os.getloadavg()[0]:.2f}, {len(pictures)} pictures\n")
    print("| mode | workers | results a second | processor s each | MB of memory | MB of files |")
    print("|---|---|---|---|---|---|")
    for mode in given.modes:
        for workers in given.workers:
            print(measure(pictures, workers, mode), flush=True)
    print(f"\nload {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
