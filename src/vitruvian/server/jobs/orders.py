"""What a worker is told of a job: where its pictures lie, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from vitruvian.server.files.names import GIVEN, other_photos
from vitruvian.server.files.storage import Storage
from vitruvian.server.models import Job


@contextmanager
def order_for(
    job: Job, storage: Storage, folder: Path, most_video_s: float
) -> Iterator[dict[str, Any]]:
    """The order, as ``worker`` describes it; its files are there while the block lasts.

    Args:
        job: what is to be done.
        storage: with its upload, or the photographs of the result that it corrects.
        folder: where the worker leaves its files.
        most_video_s: longest part of a video, in seconds.

    Raises:
        FileNotFoundError: a picture is gone.
    """
    with ExitStack() as files:

        def local(key: str) -> str:
            return str(files.enter_context(storage.local(key)))

        others = other_photos(len((job.camera or {}).get("others", ())))
        result = job.upload_key.rpartition("/")[0]
        given = (
            job.options.get("given", ()) if job.replaces is not None else ()
        )  # else in the upload
        yield {
            "do": "job",
            "id": job.id,
            "kind": job.kind,
            "picture": local(job.upload_key),
            "others": [local(f"{result}/{name}") for name in others],
            "given": {name: local(f"{result}/{GIVEN[name]}") for name in given},
            "folder": str(folder),
            "options": job.options,
            "camera": job.camera,
            "most_s": most_video_s,
        }
