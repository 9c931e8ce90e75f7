"""The process that the suite ``speed`` starts for each photograph; prints one line of JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from vitruvian.errors import VitruvianError


def probe(photo: Path, repeats: int) -> dict[str, object]:
    """Reconstruct a photograph once cold and several times warm.

    Returns:
        ``imported`` and ``first_done`` (seconds since the epoch), ``people``, medians ``warm_s``
        (reconstruction and files), ``stages_s`` by stage, ``files_s``, ``body_only_s``, and
        ``peak_mb``.
    """
    from vitruvian.pipeline.photo import reconstruct

    imported = time.time()
    scene = reconstruct(photo)
    first_done = time.time()
    warm, files, stages, body_only = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(repeats):
            start = time.perf_counter()
            scene = reconstruct(photo)
            middle = time.perf_counter()
            scene.save(Path(folder) / str(number))
            end = time.perf_counter()
            warm.append(end - start)
            files.append(end - middle)
            stages.append(scene.timings_s)
        for _ in range(repeats):
            start = time.perf_counter()
            reconstruct(photo, detail="body", texture=False)
            body_only.append(time.perf_counter() - start)
    return {
        "imported": imported,
        "first_done": first_done,
        "people": len(scene.people),
        "warm_s": median(warm),
        "stages_s": {name: median(run.get(name, 0.0) for run in stages) for name in stages[0]},
        "files_s": median(files),
        "body_only_s": median(body_only),
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB; NaN where that is not told."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage's ru_maxrss survives exec: a small program started by a large one gets the
        # large one's peak. VmHWM belongs to the program alone.
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


if __name__ == "__main__":
    try:
        print(json.dumps(probe(Path(sys.argv[1]), int(sys.argv[2]))))
    except VitruvianError as error:
        sys.exit(str(error))
