"""The pictures of one command, one after the other, and what is printed of each."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitruvian.commands.cli import INTERRUPTED, debugging, say
from vitruvian.commands.interrupts import interrupts
from vitruvian.commands.progress_lines import print_stage
from vitruvian.errors import InputError, VitruvianError, WeightsError
from vitruvian.image.names import expanded, readable
from vitruvian.options import Options
from vitruvian.result.folder import folder_names

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass
class Tally:
    """How the pictures fared."""

    total: int
    done: int = 0
    exit_codes: set[int] = field(default_factory=set)
    said: set[str] = field(default_factory=set)


def jobs_of(images: list[str], output: Path) -> list[tuple[str, Path]]:
    """Each picture as the user wrote it, with its result's folder; repeated pictures once."""
    unique: dict[Path, str] = {}
    for image in images:
        unique.setdefault(expanded(image).absolute(), image)
    ordered = list(unique.values())
    names = folder_names(Path(image) for image in ordered)
    for image, name in zip(ordered, names, strict=True):
        if name != (Path(image).stem or "photo"):
            say(f"{image}: its result goes to {output / name}, because another has its name.")
    return [(image, output / name) for image, name in zip(ordered, names, strict=True)]


def reconstruct_all(
    jobs: list[tuple[str, Path]],
    options: Options,
    as_json: bool,
    told: bool,
    more: tuple[str, ...] = (),
) -> int:
    """Work through the pictures; a bad one does not stop the others.

    ``told`` says whether each stage is printed; ``more`` are further pictures of the person in
    the only one.
    """
    tally = Tally(len(jobs))
    with _progress(0 if told else len(jobs)) as progress, interrupts() as stop:
        task = progress.add_task("photos", total=len(jobs)) if progress else None
        try:
            for image, target in jobs:
                _reconstruct_one(image, target, options, more, as_json, told, tally, progress)
                gc.enable()
                if progress and task is not None:
                    progress.advance(task)
                if stop.is_set():
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            say(f"Stopped: {tally.done} of {tally.total} pictures are finished and kept.")
            return INTERRUPTED
    if not tally.exit_codes:
        return 0
    return tally.exit_codes.pop() if len(tally.exit_codes) == 1 else InputError.exit_code


def _reconstruct_one(
    image: str,
    target: Path,
    options: Options,
    more: tuple[str, ...],
    as_json: bool,
    told: bool,
    tally: Tally,
    progress: Progress | None,
) -> None:
    """Do one picture, and print what became of it."""
    from vitruvian.pipeline.photo import ASSUMED_LENS, NOBODY  # heavy: not for mere usage errors
    from vitruvian.pipeline.run import Job, run

    def tell(stage: str, person: int, people: int) -> None:
        print_stage(stage, person=person, people=people, image=readable(image))

    outcome = run(Job(image, target, options, same_person=more), tell if told else None)
    if outcome.error is not None:
        if debugging() or isinstance(outcome.error, WeightsError):
            raise outcome.error  # without its weights every other picture would fail, too
        tally.exit_codes.add(outcome.error.exit_code)
        _fail(image, outcome.error, as_json)
        return
    assert outcome.report is not None
    tally.done += 1
    report = outcome.report
    if outcome.replaced is not None:
        say(f"{image}: {target} held the result of {outcome.replaced} and was replaced.")
    if as_json:
        _print_json({"directory": str(target), **report}, progress)
        return
    count = len(report["people"])
    who = {0: "nobody", 1: "1 person"}.get(count, f"{count} people")
    left_out = len(report.get("left_out", ()))
    but = f" ({left_out} left out)" if left_out else ""
    _print(f"{target}: {who}{but}, {outcome.seconds:.1f} s", progress)
    for warning in report.get("warnings", ()):
        if warning in (ASSUMED_LENS, NOBODY):  # of a hundred pictures none may name its lens
            if warning in tally.said:
                continue
            tally.said.add(warning)
        say(f"{image}: {warning}")
    for person in report["people"]:
        for warning in person.get("warnings", ()):
            say(f"{image}, person {person['id']}: {warning}")
    causes: dict[str, list[str]] = {}
    for one in report.get("left_out", ()):
        causes.setdefault(one["sentence"], []).append(_place(one))
    for sentence, places in causes.items():
        say(f"{image}, {'; '.join(places)} left out: {sentence}")


def _place(left_out: dict[str, Any]) -> str:
    """Whom somebody who is left out was, or where."""
    if left_out["id"] is not None:
        return f"person {left_out['id']}"
    x0, y0, x1, y1 = (round(value) for value in left_out["box"])
    return f"box {x0},{y0},{x1},{y1}"


def _fail(image: str, error: VitruvianError, as_json: bool) -> None:
    say(str(error))
    if as_json:
        line = {"image": {"path": readable(image)}, "error": str(error), "code": error.code}
        _print_json(line, None)


def _print_json(value: dict[str, Any], progress: Progress | None) -> None:
    from vitruvian.formats.atomic import json_text

    # A terminal or pipe of another encoding still gets JSON.
    ascii_only = "utf" not in (sys.stdout.encoding or "utf-8").lower()
    _print(json_text(value, indent=None, ascii_only=ascii_only), progress)


def _print(line: str, progress: Progress | None) -> None:
    """A line on stdout, above the progress bar where both share the terminal."""
    encoding = sys.stdout.encoding or "utf-8"
    line = readable(line).encode(encoding, "backslashreplace").decode(encoding)
    if progress is not None and sys.stdout.isatty():
        progress.console.out(line, highlight=False)
    else:
        print(line, flush=True)


@contextmanager
def _progress(total: int) -> Iterator[Progress | None]:
    """A bar on stderr for several pictures on a terminal, else nothing."""
    if total < 2 or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    # stdout stays untouched: it may carry JSON to another program while stderr is a terminal.
    console = Console(stderr=True)
    with Progress(
        *columns,
        console=console,
        redirect_stdout=False,
        transient=True,
        speed_estimate_period=600,  # a crowded picture takes longer than the default looks back
    ) as progress:
        yield progress
