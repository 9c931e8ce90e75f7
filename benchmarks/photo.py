"""Time by stage and peak memory of ``vitruvian photo``, as Markdown tables.

Run from the repository's root::

    python benchmarks/photo.py                       # ../shared/data/{ccp,photos}
    python benchmarks/photo.py --single DIR --groups DIR --count 40

Warm figures: a process of its own per mode goes over the pictures once unmeasured (networks load,
compiled code is read back), then once measured. One-person figures are medians over the pictures of
``--single`` in which exactly one person was found. Cold figures: the whole program, from the start
of Python to the last file, in a process of its own. Peak memory is the highest resident size of
the process, Python and libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
MODES: dict[str, dict[str, Any]] = {
    "full": {},
    "body": {"detail": "body", "texture": False},
}
OPTIONS = {"full": (), "body": ("--detail", "body", "--no-texture")}
FILES = "files"


def pictures(folder: Path, count: int) -> list[Path]:
    """The first ``count`` pictures below a folder, by name; label images are left out."""
    found = (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in PICTURES)
    return [p for p in found if "labels" not in p.parts][:count]


def measure(paths: Sequence[Path], mode: str) -> dict[str, Any]:
    """Reconstruct every picture twice in this process; figures of the second time."""
    from vitruvian.pipeline import photo as pipeline

    def once(path: Path) -> dict[str, Any]:
        start = time.perf_counter()
        scene = pipeline.reconstruct(path, **MODES[mode])
        reconstructed = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            saving = time.perf_counter()
            scene.save(folder)
            end = time.perf_counter()
        stages = dict(scene.timings_s)
        stages[FILES] = end - saving
        return {
            "name": path.stem,
            "size": [scene.photo.width, scene.photo.height],
            "people": len(scene.people),
            "stages": stages,
            "reconstruct": reconstructed - start,
            "total": reconstructed - start + end - saving,
        }

    for path in paths:
        once(path)
    rows = [once(path) for path in paths]
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"rows": rows, "peak_mb": peak / 1e6}


def measure_apart(paths: Sequence[Path], mode: str) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, __file__, "--measure", mode, *map(str, paths)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def cold_start(path: Path, options: Sequence[str], repeats: int) -> list[float]:
    """Seconds of the whole program on one picture, for each repeat."""
    seconds = []
    code = "import sys; from vitruvian.commands.cli import main; sys.exit(main())"
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", code, "photo", str(path), "-o", folder, *options]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    return seconds


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ms(seconds: float) -> str:
    """Seconds as whole milliseconds."""
    return f"{seconds * 1000:.0f}"


def percentile_90(values: Sequence[float]) -> float:
    """The 90th percentile (the value itself when there is but one)."""
    return (
        statistics.quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]
    )


def stage_table(rows_by_mode: dict[str, list[dict[str, Any]]]) -> str:
    """Median and 90th percentile by stage, for each mode."""
    every_row = [row for rows in rows_by_mode.values() for row in rows]
    names = list(dict.fromkeys(name for row in every_row for name in row["stages"]))

    def cells(pick: Callable[[dict[str, Any]], float]) -> list[str]:
        out = []
        for rows in rows_by_mode.values():
            values = [pick(row) for row in rows]
            out += [ms(statistics.median(values)), ms(percentile_90(values))]
        return out

    lines = [[name, *cells(lambda row, n=name: row["stages"].get(n, 0.0))] for name in names]
    lines.append(["**without files**", *cells(lambda row: row["reconstruct"])])
    lines.append(["**with files**", *cells(lambda row: row["total"])])
    header = ["stage, ms"]
    for mode in rows_by_mode:
        header += [f"{mode}: median", "90 %"]
    return table(header, lines)


def per_person(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Seconds for one person and for each further one: least squares over the pictures."""
    found = [(row["people"] - 1, row["total"]) for row in rows if row["people"]]
    if len({extra for extra, _ in found}) < 2:
        return (float("nan"), float("nan"))
    slope, intercept = statistics.linear_regression(*zip(*found, strict=True))
    return intercept, slope


def machine() -> str:
    """The processor and its cores, as a sentence."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def run(single: Sequence[Path], groups: Sequence[Path], modes: Sequence[str], repeats: int) -> None:
    """Measure everything and print it."""
    print(f"{machine()}; load average {os.getloadavg()[0]:.1f} at the start.\n")
    if single:
        results = {mode: measure_apart(single, mode) for mode in modes}
        one = {
            mode: [row for row in result["rows"] if row["people"] == 1]
            for mode, result in results.items()
        }
        count = len(one[modes[0]])
        print(f"### One person, warm ({count} of {len(single)} pictures)\n")
        if count:
            print(stage_table(one))
        peaks = ", ".join(f"{mode} {result['peak_mb']:.0f} MB" for mode, result in results.items())
        print(f"\nPeak memory: {peaks}.\n")
        print("### Cold start, whole program\n")
        lines = []
        for mode in modes:
            s = cold_start(single[0], OPTIONS[mode], repeats)
            lines.append([mode, f"{statistics.median(s):.2f}", f"{min(s):.2f}", f"{max(s):.2f}"])
        print(table(["mode", "median, s", "least", "most"], lines) + "\n")
    if groups:
        result = measure_apart(groups, modes[0])
        print(f"### {len(groups)} pictures of one or many people, warm, {modes[0]}\n")
        lines = [
            [
                row["name"],
                "{} x {}".format(*row["size"]),
                str(row["people"]),
                f"{row['total']:.2f}",
            ]
            for row in result["rows"]
        ]
        print(table(["picture", "pixels", "people", "with files, s"], lines))
        first, further = per_person(result["rows"])
        print(
            f"\nFirst person {first:.2f} s, each further one {further:.2f} s (least squares). "
            f"Peak memory {result['peak_mb']:.0f} MB."
        )
    print(f"\nLoad average {os.getloadavg()[0]:.1f} at the end.")


def main() -> None:
    """The command line."""
    data = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--single", type=Path, default=data / "ccp", help="pictures of one person")
    parser.add_argument("--groups", type=Path, default=data / "photos", help="pictures of many")
    parser.add_argument("--count", type=int, default=20, help="pictures of each folder at most")
    parser.add_argument("--repeats", type=int, default=5, help="cold starts")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--measure", nargs="+", metavar=("MODE", "IMAGE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        mode, *paths = arguments.measure
        print(json.dumps(measure([Path(path) for path in paths], mode)))
        return
    single = pictures(arguments.single, arguments.count)
    groups = pictures(arguments.groups, arguments.count)
    if not single and not groups:
        parser.error(f"no pictures in {arguments.single} and {arguments.groups}")
    run(single, groups, arguments.modes, arguments.repeats)


if __name__ == "__main__":
    main()
