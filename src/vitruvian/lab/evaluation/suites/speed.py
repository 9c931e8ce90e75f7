"""The suite ``speed``: seconds per stage, cold start and memory of a photograph."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.folders import images_in
from vitruvian.lab.evaluation.suite import Metric, Outcome

# Those of pipeline.reconstruct; whatever else it may time is added up as "other".
STAGES = ("decode", "people", "body", "scene", "surface", "texture", "checks", "avatar")


@dataclass(frozen=True)
class SpeedCase:
    """A photograph."""

    name: str
    photo: Path


@dataclass(frozen=True)
class SpeedSuite:
    """A folder of photographs, each reconstructed several times in a process of its own.

    The process imports the package, reconstructs the photograph once cold, then ``repeats`` times
    with files written into a temporary folder, then as often with ``detail="body"`` and no
    texture. Times are medians; let nothing else run meanwhile.

    Attributes:
        folder: holds the photographs.
        repeats: warm runs of either kind.
    """

    folder: Path
    repeats: int = 5

    name = "speed"
    ranking = "warm_s"
    concurrent = False
    metrics = (
        Metric("people", "people found", better="neither", digits=1),
        Metric("warm_s", "warm, with files", "s", "lower"),
        *(Metric(f"{stage}_s", f"· {stage}", "s", "lower") for stage in STAGES),
        Metric("other_s", "· other", "s", "lower"),
        Metric("files_s", "· files", "s", "lower"),
        Metric("body_only_s", "warm, body only, no files", "s", "lower"),
        Metric("import_s", "importing the package", "s", "lower"),
        Metric("first_s", "first photo of a new process", "s", "lower"),
        Metric("cold_start_s", "cost of a new process", "s", "lower"),
        Metric("peak_mb", "peak memory", "MB", "lower", 0),
    )

    @staticmethod
    def open(data: Path) -> SpeedSuite:
        """The suite on ``data/speed``, ``data/photos`` or ``data`` itself."""
        for folder in (data / "speed", data / "photos"):
            if folder.is_dir():
                return SpeedSuite(folder)
        return SpeedSuite(data)

    def cases(self) -> Sequence[SpeedCase]:
        """Every photograph of the folder."""
        return [SpeedCase(path.name, path) for path in images_in(self.folder)]

    def run(self, case: SpeedCase) -> Outcome:
        """Start a process for the photograph and take its times."""
        command = [
            sys.executable,
            "-m",
            "vitruvian.lab.evaluation.suites.speed_probe",
            str(case.photo),
            str(self.repeats),
        ]
        start = time.time()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise InputError(f"{case.photo} could not be timed: {reason}")
        return Outcome(numbers_of(json.loads(done.stdout.splitlines()[-1]), start))


def numbers_of(probe: dict, start: float) -> dict[str, float]:
    """The suite's numbers from what the probe printed.

    Args:
        probe: see ``speed_probe.probe``.
        start: wall clock (seconds since the epoch) when the process was started.
    """
    stages = probe["stages_s"]
    first = probe["first_done"] - start
    reconstruct = sum(stages.values())
    return {
        "people": probe["people"],
        "warm_s": probe["warm_s"],
        **{f"{stage}_s": stages.get(stage, 0.0) for stage in STAGES},
        "other_s": sum(value for stage, value in stages.items() if stage not in STAGES),
        "files_s": probe["files_s"],
        "body_only_s": probe["body_only_s"],
        "import_s": probe["imported"] - start,
        "first_s": first,
        "cold_start_s": first - reconstruct,
        "peak_mb": probe["peak_mb"],
    }
