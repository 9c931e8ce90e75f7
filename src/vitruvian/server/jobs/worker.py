"""A worker process: takes jobs from its standard input, one at a time, and reconstructs pictures
and videos or measures people.

It is a program of its own (``python -m vitruvian.server.jobs.worker``), so that a picture that
takes all memory or breaks a decoder takes nothing else with it. It has no access to the database
and no secret: paths in, files and one description out. Both ways go lines of JSON:

    in   {"do": "job", "id": ..., "kind": ..., "picture": path, "folder": path, "options": {...},
          "camera": null or {"focal_px": ..., "source": ..., "others": [likewise, ...]},
          "others": [path, ...] of more pictures of one person, "most_s": ... of a video,
          "given": {"keypoints": path, "masks": path} of what came with a picture that is corrected}
         {"do": "cancel", "id": ...}
    out  {"is": "ready"}
         {"is": "stage", "id": ..., "stage": ..., "person": 0, "people": 0}
         {"is": "stage", "id": ..., "stage": ..., "share": 0.4} of a video
         {"is": "done", "id": ..., "details": {...}, "files": {path: bytes}}
         {"is": "failed", "id": ..., "problem": {...}}
         {"is": "cancelled", "id": ...}

The end of its input ends it, in the middle of a job too: then the server is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from vitruvian.compute import set_threads
from vitruvian.errors import CrashError, InputError, MissingExtraError, VitruvianError
from vitruvian.options import SERVER_DEFAULTS, Options
from vitruvian.server.jobs.kept import write_kept
from vitruvian.server.jobs.measuring import measure_parcel
from vitruvian.server.jobs.moving import move_people
from vitruvian.server.jobs.parcel import unpack
from vitruvian.server.kinds import MEASURES, VIDEO
from vitruvian.server.problems import KINDS, Problem

if TYPE_CHECKING:
    from vitruvian.pipeline.progress import Progress
    from vitruvian.pipeline.run import Outcome
    from vitruvian.types.photo import Photo


class Worker:
    """Reads orders and answers them.

    Args:
        orders: lines of JSON come from here.
        answers: lines of JSON go there.
    """

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._orders = orders
        self._answers = answers
        self._jobs: queue.Queue[dict[str, Any]] = queue.Queue()
        self._unwanted: set[str] = set()

    def run(self) -> None:
        """Work until the input ends. Does not return."""
        threading.Thread(target=self._listen, daemon=True).start()
        warm_up()
        self._say({"is": "ready"})
        while True:
            self._do(self._jobs.get())

    def _listen(self) -> None:
        for line in self._orders:
            order = json.loads(line)
            if order["do"] == "job":
                self._jobs.put(order)
            else:
                self._unwanted.add(order["id"])
        os._exit(0)  # the server is gone, or wants this process to go

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer).encode() + b"\n")
        self._answers.flush()

    def _do(self, order: dict[str, Any]) -> None:
        from vitruvian.pipeline.progress import Cancelled

        job_id, folder = order["id"], Path(order["folder"])

        def progress(stage: str, person: int, people: int) -> None:
            if job_id in self._unwanted:
                raise Cancelled
            # Taking the light out is a second look at the texture.
            told = "texture" if stage == "albedo" else stage
            self._say(
                {"is": "stage", "id": job_id, "stage": told, "person": person, "people": people}
            )

        picture, options = Path(order["picture"]), order["options"]

        def passing(stage: str, share: float) -> None:
            if job_id in self._unwanted:
                raise Cancelled
            self._say({"is": "stage", "id": job_id, "stage": stage, "share": round(share, 3)})

        if order["kind"] == VIDEO:
            outcome = move_people(picture, folder, options, order["most_s"], passing)
        elif order["kind"] == MEASURES:
            outcome = measure_parcel(picture, folder, options, progress)
        else:
            others = [Path(path) for path in order.get("others", ())]
            given = {name: Path(path) for name, path in order.get("given", {}).items()}
            camera = order.get("camera")
            outcome = process(picture, folder, options, progress, camera, others, given)
        if outcome.error is not None:
            answer = {"is": "failed", "problem": problem_of(outcome.error).body()}
        elif outcome.state == "cancelled":
            answer = {"is": "cancelled"}
        else:
            files = {
                path.relative_to(folder).as_posix(): path.stat().st_size
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
            details = {"report": outcome.report, "files": files, **outcome.extra}
            answer = {"is": "done", "details": details, "files": files}
        self._unwanted.discard(job_id)
        self._say({"id": job_id, **answer})


def process(
    picture: Path,
    folder: Path,
    options: dict[str, Any],
    progress: Progress | None,
    camera: dict[str, Any] | None = None,
    others: Sequence[Path] = (),
    given: Mapping[str, Path] = MappingProxyType({}),
) -> Outcome:
    """Reconstruct a picture, or several of one person, into ``folder``.

    Args:
        picture: the upload as it came, or the photograph of an earlier result.
        folder: exists and is empty.
        options: names and plain values as of ``Options``; what is absent is ``SERVER_DEFAULTS``'.
            ``same_person`` says that the upload is a parcel of pictures of one person; ``given``
            that files of these names are the last in it.
        progress: told of every stage.
        camera: ``focal_px`` and its ``source``, of a picture that does not say them itself;
            ``others`` are those of ``others``.
        others: more photographs of an earlier result.
        given: what came with them, as that result keeps it.
    """
    from vitruvian.pipeline.run import Job, run

    asked = {name: value for name, value in options.items() if value is not None}
    came = asked.pop("given", ())
    parcel = (asked.pop("same_person", False) or came) and camera is None
    known = SERVER_DEFAULTS | asked
    # Bytes: no path of this machine gets into sentences or reports. Only pixels and the focal
    # length, a number, go on from here; EXIF stays behind.
    files = [path.read_bytes() for path in (picture, *others)]
    brought = {name: path.read_bytes() for name, path in given.items()}
    if parcel:
        files = unpack(files[0])
        count = len(files) - len(came)
        files, brought = files[:count], dict(zip(came, files[count:], strict=True))
    pictures: list[bytes | Photo] = [*files]
    if camera is not None:
        pictures = list(map(_photo, files, [camera, *camera.get("others", ())]))
    wanted = Options.of(**known | {"formats": tuple(known["formats"])}, **brought)
    job = Job(
        pictures[0],
        folder,
        wanted,
        replace=False,
        nobody_is_failure=True,
        same_person=tuple(pictures[1:]),
        also=partial(
            write_kept,
            pictures=pictures,
            written=None if camera is None else files,
            options=wanted,
        ),
    )
    return run(job, progress)


def _photo(picture: bytes, camera: dict[str, Any]) -> Photo:
    """A photograph that this server wrote, with its camera."""
    from vitruvian.image.photo import load_photo
    from vitruvian.types.camera import Camera

    photo = load_photo(picture)
    size = photo.width, photo.height
    return replace(photo, camera=Camera.centered(camera["focal_px"], *size, camera["source"]))


def problem_of(error: VitruvianError) -> Problem:
    """What the API answers for a job that failed, by the error's code."""
    if isinstance(error, CrashError):
        traceback.print_exception(error.__cause__)
        return Problem("crashed", "The reconstruction failed over this upload; try another one.")
    if error.code == "bad-option":  # such as a part that is not there
        return Problem("validation", str(error))
    if isinstance(error, MissingExtraError):
        sentence = "This server does not read HEIC pictures; save it as JPEG."
        return Problem("unsupported-picture", sentence)
    if not isinstance(error, InputError) or error.code == "cannot-write":
        return Problem("unavailable", str(error))
    return Problem(error.code if error.code in KINDS else "bad-picture", str(error))


def warm_up() -> None:
    """Load networks, body and compiled code, by reconstructing a small picture of ours."""
    import tempfile

    from vitruvian.networks import warm_up as load_networks
    from vitruvian.networks.ahead import needed
    from vitruvian.server.files.gallery import SAMPLES, sample_path

    load_networks(*needed())
    path = sample_path(SAMPLES[0])
    if path is None:
        return
    # What fails here fails again, and is reported, with the first picture.
    with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder:
        process(path, Path(folder), {}, None)


def limit_resources(memory_mb: int) -> None:
    """Let the system end this process before it takes the machine."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the picture
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))
    if memory_mb:
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))


def main() -> None:
    """Run a worker on this process' standard input and output."""
    # Ctrl-C in a terminal reaches the whole group: only the server decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_resources(int(os.environ.get("VITRUVIAN_WORKER_MEMORY_MB", "0")))
    with contextlib.suppress(OSError, AttributeError):  # the latter on Windows
        os.nice(5)  # answering requests comes first
    set_threads(int(os.environ.get("VITRUVIAN_THREADS", "1")))
    Worker(sys.stdin.buffer, answers).run()


if __name__ == "__main__":
    main()
