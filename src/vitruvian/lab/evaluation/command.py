"""The command ``vitruvian evaluate``: run a suite, or compare two runs."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vitruvian._version import __version__
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_text
from vitruvian.lab.evaluation.folders import DATA_VARIABLE
from vitruvian.lab.evaluation.journal import read_journal, write_journal
from vitruvian.lab.evaluation.report import write_report
from vitruvian.lab.evaluation.runner import CaseResult, run_cases
from vitruvian.lab.evaluation.scores import Scores
from vitruvian.lab.evaluation.suite import Suite
from vitruvian.lab.evaluation.suites import SUITES, open_suite
from vitruvian.lab.evaluation.table import markdown, print_comparison, print_scores


def evaluate(
    suite: Annotated[
        str | None,
        typer.Argument(help="; ".join(f"{name}: {text}" for name, (_, text) in SUITES.items())),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder for scores.json, the report and contact sheets."
        ),
    ] = Path("scores"),
    data: Annotated[
        Path | None,
        typer.Option("--data", help=f"Folder of the data; else the variable {DATA_VARIABLE}."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Run only the first N cases.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that run cases in parallel.")
    ] = 1,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0.01, help="Begin no further case after so long."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Keep cases as they end, and go on where a run stopped."),
    ] = False,
    clip: Annotated[
        Path | None,
        typer.Option("--clip", help="video: a clip to judge anybody's meshes against."),
    ] = None,
    meshes: Annotated[
        Path | None,
        typer.Option("--meshes", help="video: folder of OBJ files, 000012.obj for frame 12."),
    ] = None,
    camera: Annotated[
        Path | None,
        typer.Option("--camera", help="video: motion.npz or JSON; by default that of --meshes."),
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--compare", help="Two scores.json, before and after: show what changed."),
    ] = None,
) -> None:
    """Score the reconstruction on a suite of pictures, or compare the scores of two runs."""
    console = Console()
    if compare is not None:
        if suite is not None:
            raise InputError("Give either a suite to run or --compare with two files, not both.")
        print_comparison(Scores.load(compare[0]), Scores.load(compare[1]), console)
        return
    if suite is None:
        raise InputError(f"Name the suite to run: one of {', '.join(SUITES)}.")
    if clip is None and meshes is None and camera is None:
        opened = open_suite(suite, data)
    else:
        opened = _sequence(suite, clip, meshes, camera)
    scores = evaluate_suite(
        opened,
        output,
        limit=limit,
        workers=workers,
        minutes=minutes,
        resume=resume,
        console=console,
    )
    if not scores.cases or (getattr(opened, "strict", False) and scores.failures):
        raise typer.Exit(1)


def _sequence(suite: str, clip: Path | None, meshes: Path | None, camera: Path | None) -> Suite:
    from vitruvian.lab.evaluation.suites.sequence import SequenceSuite

    if suite != "video" or clip is None or meshes is None:
        raise InputError("Give vitruvian evaluate video both --clip and --meshes to judge meshes.")
    return SequenceSuite.open(clip, meshes, camera)


def evaluate_suite(
    suite: Suite,
    output: Path,
    *,
    limit: int | None = None,
    workers: int = 1,
    minutes: float | None = None,
    resume: bool = False,
    console: Console | None = None,
) -> Scores:
    """Run a suite, print its table and write its files.

    Writes ``scores.json``, ``scores.md``, ``report.html``, the contact sheets and, if cases failed,
    ``failures.txt`` with their tracebacks into ``output``.

    Args:
        suite: opened on its data.
        output: folder, made if absent.
        limit: how many of the first cases to run; all by default.
        workers: processes.
        minutes: no case is begun after so long.
        resume: keep cases in ``output`` as they end, and leave out those that are there.
        console: to print on.

    Returns:
        The scores.

    Raises:
        InputError: the output folder cannot be written (checked before the run), or is to be
            resumed and holds a run of another suite.
    """
    console = console or Console()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {output}: choose another with -o.") from error
    if not os.access(output, os.W_OK):
        raise InputError(f"Cannot write into {output}: choose another folder with -o.")
    cases = suite.cases()[:limit]
    journal = output if resume else None
    results = _run_with_progress(suite, cases, workers, minutes, console, journal)
    if len(results) < len(cases):
        console.print(f"Stopped after {len(results)} of {len(cases)} cases.", highlight=False)
    if not results:
        raise typer.Exit(130)
    scores = Scores(
        suite.name,
        tuple(suite.metrics),
        suite.ranking,
        {r.name: r.numbers for r in results if r.failure is None},
        {r.name: r.note for r in results if r.note},
        {r.name: r.failure for r in results if r.failure is not None},
        _about(len(results), workers),
    )
    scores.save(output / "scores.json")
    failures = output / "failures.txt"
    failures.unlink(missing_ok=True)  # of an earlier run
    if scores.failures:
        text = "\n".join(f"{r.name}\n{r.details}" for r in results if r.details)
        write_text(failures, text)
    write_text(output / "scores.md", markdown(scores))
    print_scores(scores, console)
    for path in write_report(scores, results, output):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
    return scores


def _run_with_progress(
    suite: Suite,
    cases: Sequence[Any],
    workers: int,
    minutes: float | None,
    console: Console,
    journal: Path | None,
) -> list[CaseResult]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    kept = {} if journal is None else {one.name: one for one in read_journal(journal, suite.name)}
    left = [case for case in cases if case.name not in kept]
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(suite.name, total=len(cases), completed=len(cases) - len(left))

        def done(result: CaseResult) -> None:
            if journal is not None:
                write_journal(journal, suite.name, result)
            progress.advance(task)

        ended = run_cases(suite, left, workers=workers, minutes=minutes, done=done)
        kept |= {one.name: one for one in ended}
    return [kept[case.name] for case in cases if case.name in kept]


def _about(cases: int, workers: int) -> dict[str, str]:
    """What a reader needs in order to run it again."""
    program = Path(sys.argv[0]).name
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join([program, *sys.argv[1:]]),
        "version": __version__,
        "cases": str(cases),
        "workers": str(workers),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }
