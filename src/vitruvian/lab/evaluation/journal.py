"""Cases that are done, kept on disk as they end: a run of hours that stops goes on from there."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.runner import CaseResult

JOURNAL = "done.jsonl"


def read_journal(folder: Path, suite: str) -> list[CaseResult]:
    """The cases that an earlier run into this folder finished; none where there was none.

    Lines that were cut off are left out. Raises ``InputError`` where the folder has a run of
    another suite.
    """
    path = folder / JOURNAL
    if not path.exists():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["suite"] != suite:
            raise InputError(
                f"{folder} holds a run of the suite {entry['suite']}: choose another folder with "
                "-o, or leave --resume out."
            )
        pictures = tuple((caption, base64.b64decode(data)) for caption, data in entry["pictures"])
        found.append(CaseResult(**{**entry["result"], "pictures": pictures}))
    return found


def write_journal(folder: Path, suite: str, result: CaseResult) -> None:
    """Add a case that is done."""
    pictures = [(caption, base64.b64encode(data).decode()) for caption, data in result.pictures]
    values = {key: value for key, value in vars(result).items() if key != "pictures"}
    with (folder / JOURNAL).open("a", encoding="utf-8") as file:
        line = json.dumps({"suite": suite, "result": values, "pictures": pictures})
        file.write(f"\n{line}\n")  # on a line of its own, even after one that was cut off
