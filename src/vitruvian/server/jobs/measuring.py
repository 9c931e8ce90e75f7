"""What a worker does with pairs of pictures: somebody's measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitruvian.server.jobs.parcel import unpack

if TYPE_CHECKING:
    from vitruvian.pipeline.progress import Progress
    from vitruvian.pipeline.run import Outcome


def measure_parcel(
    parcel: Path, folder: Path, options: dict[str, Any], progress: Progress | None
) -> Outcome:
    """Measure somebody into ``folder``.

    Args:
        parcel: front and side pictures as they came, one after the other, packed.
        folder: exists and is empty.
        options: ``told`` has ``height_cm``, and ``weight_kg``, ``sex``, ``age`` and ``clothes`` or
            None.
        progress: told of every stage.
    """
    from vitruvian.pipeline.measuring import measure
    from vitruvian.pipeline.run import attempt
    from vitruvian.result.measures import save_measures

    def work() -> dict[str, Any]:
        # Bytes: nothing of the files but their pixels goes on from here.
        pictures = unpack(parcel.read_bytes())
        measured = measure(pictures[::2], pictures[1::2], **options["told"], progress=progress)
        if progress is not None:
            progress("files", 0, 1)
        return {"report": save_measures(measured, folder), "extra": {}}

    return attempt(work, "The pair of pictures")
