"""A worker process: takes pictures from its standard input, one at a time, and reconstructs them.

It is a program of its own (``python -m vitruvian.server.jobs.worker``), so that a picture that
takes all memory or breaks a decoder takes nothing else with it. It has no access to the database
and no secret: paths in, files and one description out. Both ways go lines of JSON:

    in   {"do": "job", "id": ..., "picture": path, "folder": path, "options": {...}}
         {"do": "cancel", "id": ...}
    out  {"is": "ready"}
         {"is": "stage", "id": ..., "stage": ..., "person": 0, "people": 0}
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
from pathlib import Path
from typing import Any, BinaryIO

from vitruvian.compute import set_threads
from vitruvian.errors import InputError, MissingExtraError, VitruvianError
from vitruvian.server.problems import Problem

FORMATS = ("obj", "glb", "ply", "stl")
THUMBNAIL_SIDE = 320
PHOTO_QUALITY = 90

NOBODY = Problem(
    "nobody-found",
    "Nobody was found in the picture; give a photo in which a person is large, sharp and seen from "
    "head to foot.",
)


class Cancelled(Exception):
    """The job is not wanted any more."""


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
        job_id = order["id"]

        def progress(stage: str, person: int, people: int) -> None:
            if job_id in self._unwanted:
                raise Cancelled
            self._say(
                {"is": "stage", "id": job_id, "stage": stage, "person": person, "people": people}
            )

        try:
            details, files = process(
                Path(order["picture"]), Path(order["folder"]), order["options"], progress
            )
            answer: dict[str, Any] = {"is": "done", "details": details, "files": files}
        except Cancelled:
            answer = {"is": "cancelled"}
        except Problem as problem:
            answer = {"is": "failed", "problem": problem.body()}
        except MemoryError:
            too_big = "The picture does not fit in the server's memory; save a smaller copy."
            answer = {"is": "failed", "problem": Problem("bad-picture", too_big).body()}
        except Exception:
            traceback.print_exc()
            ours = "The reconstruction failed over this picture; try another one."
            answer = {"is": "failed", "problem": Problem("crashed", ours).body()}
        self._unwanted.discard(job_id)
        self._say({"id": job_id, **answer})


def process(
    picture: Path, folder: Path, options: dict[str, Any], progress: Any
) -> tuple[dict[str, Any], dict[str, int]]:
    """Reconstruct a picture into ``folder``; returns its description and the files' sizes.

    Args:
        picture: the upload as it came.
        folder: exists and is empty.
        options: keywords of ``vitruvian.reconstruct``.
        progress: as ``vitruvian.pipeline.photo.Progress``.

    Raises:
        Problem: the picture cannot be used, or nobody is in it.
    """
    from vitruvian.formats import export_mesh
    from vitruvian.pipeline import photo as pipeline

    try:
        # Bytes: no path of this machine gets into sentences or reports. Only pixels and the focal
        # length, a number, go on from here; EXIF stays behind.
        scene = pipeline.reconstruct(
            picture.read_bytes(),
            height_cm=options.get("height_cm"),
            fov_deg=options.get("fov_deg"),
            max_people=options.get("max_people"),
            detail=options.get("detail", "clothed"),
            texture=options.get("texture", True),
            progress=progress,
        )
    except MissingExtraError:
        raise Problem(
            "unsupported-picture", "This server does not read HEIC pictures; save it as JPEG."
        ) from None
    except InputError as error:
        raise _picture_problem(str(error)) from None
    except VitruvianError as error:
        raise Problem("unavailable", str(error)) from None
    if not scene.people:
        raise NOBODY
    progress("files", 0, len(scene.people))
    report = scene.save(folder, formats=FORMATS)
    for person in scene.people:
        body = person.body.as_mesh().transformed(scene.world_from_camera, "world")
        export_mesh(body, folder / f"person-{person.id}" / "body.glb")
    _write_pictures(scene.photo.pixels, folder)
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    details = {
        "report": report,
        "world_from_camera": scene.world_from_camera.round(6).tolist(),
        "files": files,
    }
    return details, files


def _picture_problem(sentence: str) -> Problem:
    if "is not a picture" in sentence or "is a video" in sentence:
        return Problem("unsupported-picture", sentence)
    if "MB, over the limit" in sentence:
        return Problem("too-large", sentence)
    return Problem("bad-picture", sentence)


def _write_pictures(pixels: Any, folder: Path) -> None:
    """The photograph and its thumbnail, encoded anew: nothing of the uploaded file is in them."""
    import cv2

    from vitruvian.formats import write_bytes
    from vitruvian.formats.images import encode_jpeg

    write_bytes(folder / "photo.jpg", encode_jpeg(pixels, quality=PHOTO_QUALITY))
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    write_bytes(folder / "thumbnail.jpg", encode_jpeg(small, quality=82))


def warm_up() -> None:
    """Load networks, body and compiled code, by reconstructing a small picture of ours."""
    import tempfile

    from vitruvian.networks import warm_up as load_networks
    from vitruvian.server.files.gallery import SAMPLES, sample_path

    load_networks("movenet_multipose", "blazepose_heavy")
    path = sample_path(SAMPLES[0])
    if path is None:
        return
    # What fails here fails again, and is reported, with the first picture.
    with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder, contextlib.suppress(Exception):
        process(path, Path(folder), {}, lambda *_: None)


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
    with contextlib.suppress(OSError):
        os.nice(5)  # answering requests comes first
    set_threads(int(os.environ.get("VITRUVIAN_THREADS", "1")))
    Worker(sys.stdin.buffer, answers).run()


if __name__ == "__main__":
    main()
