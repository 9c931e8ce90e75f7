"""The suite ``robustness``: every picture at hand, broken files, and odd requests to the server."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vitruvian.errors import CrashError, InputError
from vitruvian.lab.evaluation.folders import IMAGE_SUFFIXES
from vitruvian.lab.evaluation.suite import Metric, Outcome
from vitruvian.types.mesh import Mesh
from vitruvian.types.scene import Scene

FILES_AT_ONCE = 50
BLOCKS = 200  # 10,000 broken files
REQUESTS_AT_ONCE = 250
REQUEST_BLOCKS = 20  # 5,000 odd requests
_LONGEST_S = 300.0  # for a block; most take a few seconds


@dataclass(frozen=True)
class RobustnessCase:
    """A picture, or the numbers of broken files or odd requests from ``first`` on.

    Attributes:
        name: of the case.
        picture: to reconstruct; before ``requests`` by the server.
        first: the first number.
        requests: whether the numbers are those of requests.
    """

    name: str
    picture: Path | None = None
    first: int = 0
    requests: bool = False


@dataclass(frozen=True)
class RobustnessSuite:
    """All pictures anywhere below the folder, and broken files that are made here.

    A picture is reconstructed and written as ``vitruvian photo`` does. Broken files are read as the
    product reads pictures and clips, in a process of their own with a limit on its memory. Odd
    requests go to a server that is started for them, where the extra ``server`` is installed.
    Whatever is neither a result nor one sentence makes its case fail.

    Attributes:
        folder: of pictures.
        blocks: of broken files, fifty each.
        request_blocks: of odd requests.
    """

    folder: Path
    blocks: int = BLOCKS
    request_blocks: int = REQUEST_BLOCKS

    name = "robustness"
    ranking = "seconds"
    concurrent = True
    strict = True  # the program ends with an error where a case fails
    metrics = (
        Metric("answered", "a result or a sentence"),
        Metric("results", "results", better="neither"),
        Metric("closed", "meshes closed"),
        Metric("sound", "files sound"),
        Metric("memory_mb", "memory of the process", "MB", "lower", 0),
        Metric("slowest_s", "longest time of a file or request", "s", "lower", 2),
        Metric("server_mb", "most memory of the server", "MB", "lower", 0),
        Metric("seconds", "time", "s", "lower", 2),
    )

    def cases(self) -> Sequence[RobustnessCase]:
        """Pictures, broken files and odd requests in turn, so that a short run sees all."""
        pictures = sorted(
            path for path in self.folder.rglob("*")
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
            and not {"labels", "masks"} & set(path.parts)
        )  # fmt: skip
        if not pictures:
            raise InputError(f"{self.folder} holds no pictures: put photographs into it.")
        shown = [RobustnessCase(str(one.relative_to(self.folder)), one) for one in pictures]
        broken = [
            RobustnessCase(f"broken {FILES_AT_ONCE * i}", first=FILES_AT_ONCE * i)
            for i in range(self.blocks)
        ]
        smallest = min(pictures, key=lambda path: path.stat().st_size)
        odd = [
            RobustnessCase(f"requests {REQUESTS_AT_ONCE * i}", smallest, REQUESTS_AT_ONCE * i, True)
            for i in range(self.request_blocks if find_spec("fastapi") else 0)
        ]
        return list(_in_turn(shown, broken, odd))

    def run(self, case: RobustnessCase) -> Outcome:
        """Do a picture or a block of the others. Raises what must not happen."""
        start = time.perf_counter()
        if case.requests:
            numbers = _requests(case)
        else:
            numbers = _broken(case) if case.picture is None else _picture(case.picture)
        seconds = time.perf_counter() - start
        return Outcome(numbers | {"seconds": seconds})


def _in_turn(*parts: list[Any]) -> Iterator[Any]:
    """The lists as one, evenly mixed."""
    places = [((i + 0.5) / len(part), item) for part in parts for i, item in enumerate(part)]
    return (item for _, item in sorted(places, key=lambda place: place[0]))


def _picture(path: Path) -> dict[str, float]:
    from vitruvian.pipeline.run import Job, run

    def look(scene: Scene, folder: Path) -> tuple[list[bool], list[str]]:
        closed = [is_closed(person.mesh) for person in scene.people]
        return closed, [name for file in folder.rglob("*") if (name := unsound(file))]

    with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder:
        outcome = run(Job(path, Path(folder) / "result", also=look))
    if isinstance(outcome.error, CrashError):
        raise outcome.error.__cause__ or outcome.error
    numbers = {"answered": 1.0, "results": float(outcome.error is None), "memory_mb": memory_mb()}
    if outcome.error is None:
        closed, wrong = outcome.extra
        if wrong:
            raise ValueError(f"unsound files: {', '.join(wrong)}")
        numbers["sound"] = 1.0
        if closed:
            numbers["closed"] = float(np.mean(closed))
    return numbers


def _broken(case: RobustnessCase) -> dict[str, float]:
    lines = _probed("fuzz_probe", "a broken file", [str(case.first), str(FILES_AT_ONCE)])
    answers = _all_answered(lines, FILES_AT_ONCE, ("result", "sentence"))
    return {
        "answered": 1.0,
        "results": float(np.mean([line["answer"] == "result" for line in answers])),
        "slowest_s": max(line["seconds"] for line in answers),
    }


def _requests(case: RobustnessCase) -> dict[str, float]:
    numbers = [str(case.first), str(REQUESTS_AT_ONCE)]
    picture = [] if case.picture is None else [str(case.picture)]
    lines = _probed("api_probe", "an odd request", [*numbers, *picture])
    answers = _all_answered(lines, REQUESTS_AT_ONCE, ("accepted", "refused", "left"))
    end = lines[-1]
    if not end["lived"] or end["jobs"] or end["log"]:
        raise RuntimeError(f"odd requests end the server, a job or a thread: {json.dumps(end)}")
    return {
        "answered": 1.0,
        "slowest_s": max(line["seconds"] for line in answers),
        "server_mb": end["memory_mb"],
    }


def _probed(probe: str, what: str, arguments: list[str]) -> list[dict[str, Any]]:
    """The lines of a probe that ran to its end."""
    command = [sys.executable, "-m", f"vitruvian.lab.evaluation.suites.{probe}", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        begun = said.decode() if isinstance(said, bytes) else said
        raise TimeoutError(f"{what} takes for ever: {_last(begun)}") from error
    if done.returncode != 0:
        raise RuntimeError(
            f"{what} ends its process ({done.returncode}): {_last(done.stdout)} "
            f"{done.stderr[-500:]}"
        )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _all_answered(
    lines: list[dict[str, Any]], count: int, good: Sequence[str]
) -> list[dict[str, Any]]:
    """The answers among a probe's lines; raises where one is missing or not good."""
    answers = [line for line in lines if "answer" in line]
    wrong = [f"{one['number']}: {one['answer']}" for one in answers if one["answer"] not in good]
    if wrong or len(answers) != count:
        raise RuntimeError("; ".join(wrong) or f"{len(answers)} answers instead of {count}")
    return answers


def _last(said: str) -> str:
    lines = said.splitlines()
    return lines[-1] if lines else "nothing was begun"


def is_closed(mesh: Mesh) -> bool:
    """Whether each edge of a surface has exactly two faces, which go along it in both directions.

    Vertices at the same place count as one, as seams of a texture have two.
    """
    _, number = np.unique(mesh.vertices, axis=0, return_inverse=True)
    faces = number.reshape(-1)[mesh.faces].astype(np.int64)
    faces = faces[(faces != np.roll(faces, 1, 1)).all(1)]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    count = int(edges.max(initial=0)) + 1
    there, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return bool(np.array_equal(np.sort(there), np.sort(back)))


def unsound(file: Path) -> str | None:
    """A file's name with what is wrong with it; None when it can be read."""
    try:
        if file.suffix == ".json":
            json.loads(file.read_text(encoding="utf-8"))
        elif file.suffix in (".png", ".jpg", ".webp"):
            with Image.open(file) as picture:
                picture.load()
        elif file.suffix in (".glb", ".vrm"):
            data = file.read_bytes()
            magic, _, size, length = struct.unpack("<4sIII", data[:16])
            if magic != b"glTF" or size != len(data):
                raise ValueError("head and size do not agree")
            json.loads(data[20 : 20 + length])
        elif file.is_file() and file.stat().st_size == 0:
            raise ValueError("empty")
    except Exception as error:
        return f"{file.name} ({error})"
    return None


def memory_mb() -> float:
    """Resident memory of this process in megabytes; NaN where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return float("nan")
    return pages * 4096 / 2**20
