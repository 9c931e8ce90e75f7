"""The gallery: pictures of ours that anybody may look at, reconstructed at the first start."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from vitruvian.server.database import Database
from vitruvian.server.files.storage import Storage
from vitruvian.server.models import ACTIVE, Job, Reconstruction, new_id

PRIORITY = 1  # behind everybody's pictures


@dataclass(frozen=True)
class Sample:
    """A picture of the gallery.

    Attributes:
        id: part of its address.
        file: its name in the package or, in a checkout, in ``examples``.
        name: title.
        description: a sentence.
    """

    id: str
    file: str
    name: str
    description: str


SAMPLES = (
    Sample("person", "person.jpg", "One person", "One person, seen from head to foot."),
    Sample("people", "people.jpg", "Five people", "Five people on a square, one of them a child."),
)


def sample_path(sample: Sample) -> Path | None:
    """Where the picture is, or None when this installation lacks it."""
    package = Path(__file__).parents[1] / "samples" / sample.file
    checkout = Path(__file__).parents[4] / "examples" / sample.file
    return next((path for path in (package, checkout) if path.is_file()), None)


def enqueue_samples(database: Database, storage: Storage, account_id: str) -> list[str]:
    """Put samples that have neither result nor job into the queue; returns their jobs' ids."""
    made = []
    for sample in SAMPLES:
        path = sample_path(sample)
        if path is None:
            continue
        with database.read() as session:
            there = session.scalar(
                select(Reconstruction.id).where(Reconstruction.sample == sample.id)
            ) or session.scalar(
                select(Job.id).where(Job.sample == sample.id, Job.state.in_(ACTIVE))
            )
        if there:
            continue
        job_id = new_id()
        key = f"uploads/{job_id}"
        storage.put_bytes(key, path.read_bytes())
        with database.write() as session:
            session.add(
                Job(
                    id=job_id,
                    account_id=account_id,
                    name=sample.name,
                    options={},
                    upload_key=key,
                    sample=sample.id,
                    priority=PRIORITY,
                    created_at=time.time(),
                )
            )
        made.append(job_id)
    return made
