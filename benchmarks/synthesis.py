"""Rate and CPU time of ``vitruvian synth``, as a Markdown table.

Run from the repository's root::

    python benchmarks/synthesis.py                   # ../shared/data/makehuman
    python benchmarks/synthesis.py --assets DIR --sizes 256 512 --workers 1 2 --blocks 6

Every worker is a process of its own, with one thread. It draws a few blocks of samples unmeasured
(compiled code is read back, textures and places are made), waits for the others, and then draws
``--blocks`` more: people, pictures, all labels, and compression, as ``vitruvian synth`` does, but
nothing is written. The rate is that of all workers together, from the common start until the last
is done; CPU time is the processes' own, so that it says more than the rate does where other
programs run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

SEED = 7


@dataclass(frozen=True)
class Share:
    """What one worker took: from and until (seconds of a common clock), CPU seconds, samples."""

    start: float
    stop: float
    cpu: float
    samples: int
    peak_mb: float


def draw(assets: Path, size: int, blocks: Sequence[int], warm: int, ready: Barrier) -> Share:
    """Draw and encode blocks, the first ``warm`` of them unmeasured."""
    from vitruvian.lab.synthesis.assets import find_assets
    from vitruvian.lab.synthesis.sample import block_samples
    from vitruvian.lab.synthesis.shards import encode

    library = find_assets(assets)

    def run(chosen: Sequence[int]) -> int:
        return sum(
            len(encode(sample)) > 0
            for block in chosen
            for sample in block_samples(SEED, block, size, library)
        )

    run(blocks[:warm])
    ready.wait()
    before, start = _cpu(), time.monotonic()
    samples = run(blocks[warm:])
    stop, after = time.monotonic(), _cpu()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts kilobytes
    return Share(start, stop, after - before, samples, peak)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _work(pipe: object, *job: object) -> None:
    pipe.send(draw(*job))  # type: ignore[attr-defined, arg-type]


def measure(assets: Path, size: int, workers: int, blocks: int, warm: int) -> list[Share]:
    """``draw`` in as many processes, each with blocks of its own."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(workers)
    running = []
    for worker in range(workers):
        first = worker * (warm + blocks)
        here, there = context.Pipe(False)
        job = (there, assets, size, range(first, first + warm + blocks), warm, ready)
        process = context.Process(target=_work, args=job)
        process.start()
        running.append((process, here))
    shares = [here.recv() for _, here in running]
    for process, _ in running:
        process.join()
    return shares


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--assets", type=Path, default=Path("../shared/data/makehuman"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--blocks", type=int, default=6, help="measured, of 8 samples, per worker")
    parser.add_argument("--warm", type=int, default=4, help="blocks before, unmeasured")
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; load average {os.getloadavg()[0]:.1f} at the start."
    )
    print("\n| size | processes | samples/s | CPU-seconds per sample | peak memory each, MB |")
    print("| --- | --- | --- | --- | --- |")
    for size in options.sizes:
        for workers in options.workers:
            shares = measure(options.assets, size, workers, options.blocks, options.warm)
            samples = sum(share.samples for share in shares)
            wall = max(share.stop for share in shares) - min(share.start for share in shares)
            cpu = sum(share.cpu for share in shares)
            peak = max(share.peak_mb for share in shares)
            print(
                f"| {size} | {workers} | {samples / wall:.1f} | {cpu / samples:.3f} | {peak:.0f} |",
                flush=True,
            )
    print(f"\nLoad average {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
