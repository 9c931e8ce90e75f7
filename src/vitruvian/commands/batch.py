"""``vitruvian batch``: very many inputs, each exactly once."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from vitruvian.commands.cli import INTERRUPTED, say
from vitruvian.commands.interrupts import interrupts
from vitruvian.commands.photo import given
from vitruvian.errors import InputError
from vitruvian.image.names import expanded
from vitruvian.options import (
    DEFAULTS,
    OPTIONS,
    Options,
    parse_formats,
    parse_keypoint_files,
    parse_millimetres,
)

if TYPE_CHECKING:
    from vitruvian.batch import BatchPlan, Tally
    from vitruvian.batch.manifest import Manifest
    from vitruvian.batch.orders import Answer
    from vitruvian.batch.pool import Pool

# What is known of one person is of no use for all; a list says it for each.
OFFERED = tuple(
    name for name, option in OPTIONS.items()
    if option.server and name not in ("height_cm", "hints")
)  # fmt: skip
_PARSED = {
    "formats": parse_formats,
    "print_height_mm": parse_millimetres,
    "keypoint_files": parse_keypoint_files,
}
_TOLD_EVERY_S = 30.0


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    """The command with the options of a reconstruction that go for many, instead of keywords."""
    kinds = get_type_hints(Options)
    own = [
        parameter for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]  # fmt: skip
    for name in OFFERED:
        kind, default = kinds[name], DEFAULTS[name]
        if name in _PARSED:
            kind, default = (str | None), None
        elif OPTIONS[name].choices:
            kind = str
        own.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=Annotated[kind, given(name)],
            )
        )
    command.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in own}
    return command


@_with_options
def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, patterns, lists (.txt, .csv, -), archives (.zip, .tar), "
            "addresses (s3://, gs://).",
        ),
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="DIR", help="Folder or address of the results."),
    ] = "out",
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Processes; else one per processor."),
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="Processor threads of each.")
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="ADDRESS", help="Work on this Ray cluster; local starts one here."
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="Manifest; else manifest.sqlite in DIR."),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(
            "--retries", metavar="N", min=0, help="More attempts where a worker or storage fails."
        ),
    ] = 2,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed in earlier runs.")
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", metavar="S", min=1, help="Longest time for an input."),
    ] = None,
    chunk: Annotated[
        float,
        typer.Option("--chunk", metavar="S", min=4, max=600, help="Cut videos into such parts."),
    ] = 60.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print how it went on stdout, in one line.")
    ] = False,
    **wanted: Any,
) -> int:
    """Turn very many photographs, videos and pairs into results, each exactly once.

    Writes DIR/manifest.sqlite, which knows what is done; the same command goes on where
    it was stopped. Results are in folders named by what they were made of; index.csv
    says which is whose, report.html how it went.
    """
    options = _options(wanted)
    from vitruvian.batch import BatchPlan, run_batch
    from vitruvian.batch.listing import list_tasks
    from vitruvian.batch.manifest import Manifest
    from vitruvian.batch.page import write_page, write_table
    from vitruvian.batch.places import is_address
    from vitruvian.batch.results import open_results

    if is_address(output) and manifest is None:
        raise InputError(
            "Results at an address need a manifest on this machine: name its file with --manifest.",
            code="bad-option",
        )
    results = output if is_address(output) else str(expanded(output).absolute())
    file = expanded(manifest) if manifest is not None else Path(results) / "manifest.sqlite"
    plan = BatchPlan(
        results, options, chunk_s=chunk, threads=threads, retries=retries, retry_failed=retry_failed
    )

    def open_pool() -> Pool:
        return _pool(ray, workers, threads, time_limit, plan)

    tasks = list_tasks(inputs, results)  # before anything is written
    with Manifest(file, plan.settings) as opened:
        stopped = False
        with _telling() as tell, interrupts():
            try:
                tally = run_batch(opened, tasks, plan, open_pool, tell)
            except KeyboardInterrupt:
                stopped = True
        store = open_results(results)
        write_table(opened, store, file.with_name("index.csv"))
        page = write_page(opened, store, file.with_name("report.html"))
        counts, elsewhere = opened.counts(), opened.waiting_elsewhere()
        if as_json:
            _print_json(opened, results)
    done, failed = counts.get("done", 0), counts.get("failed", 0)
    waiting = counts.get("queued", 0) + counts.get("running", 0)
    sentence = f"{done} done, {failed} failed, {waiting} waiting: see {page}."
    if stopped:
        say(f"Stopped: {sentence} The same command goes on.")
        return INTERRUPTED
    say(sentence)
    if elsewhere:
        say(f"{elsewhere} inputs of other options wait: repeat the command with those.")
    if tally.stopped is not None:
        raise tally.stopped
    return InputError.exit_code if failed else 0


def _options(wanted: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, as plain values, checked."""
    for name, parse in _PARSED.items():
        if wanted[name] is not None:
            wanted[name] = parse(wanted[name])
    options = Options.of(**wanted)
    chosen = {name: getattr(options, name) for name in OFFERED}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in chosen.items()
        if value != DEFAULTS[name]
    }


def _pool(
    ray: str | None, workers: int | None, threads: int, limit: float | None, plan: BatchPlan
) -> Pool:
    if ray is not None:
        from vitruvian.batch.cluster import RayPool

        return RayPool(ray, workers, threads, limit)
    from vitruvian.batch.pool import LocalPool
    from vitruvian.commands.diagnosis import product_kernels
    from vitruvian.compute.preparation import Preparation
    from vitruvian.compute.threads import available_processors
    from vitruvian.networks.ahead import needed

    if workers is None:
        workers = max(1, available_processors() // threads)
    Preparation(product_kernels(), say).start().wait()  # once, not in every worker
    return LocalPool(workers, threads, limit, needed(plan.options.get("detail", "clothed")))


@contextmanager
def _telling() -> Iterator[Callable[[Tally, Answer | None], None]]:
    """Tells on stderr how far it is: a line that changes on a terminal, else one now and then."""
    terminal = sys.stderr.isatty()
    last = time.monotonic()

    def tell(tally: Tally, answer: Answer | None) -> None:
        nonlocal last
        if answer is not None and answer.state == "failed" and not terminal:
            say(answer.sentence or "")
        now = time.monotonic()
        if now - last < (0.2 if terminal else _TOLD_EVERY_S):
            return
        last = now
        line = _line(tally)
        if terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            say(line)

    yield tell
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _line(tally: Tally) -> str:
    if tally.listing:
        return f"listing: {tally.listed}"
    total = tally.done + tally.failed + tally.waiting
    line = f"{tally.done + tally.failed} of {total}, {tally.failed} failed"
    if tally.left_s is None:
        return line
    rate = tally.rate
    speed = f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"
    return f"{line}, {speed}, {_duration(tally.left_s)} left"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _print_json(manifest: Manifest, results: str) -> None:
    from vitruvian.formats.atomic import json_text

    counts = manifest.counts()
    told = {
        "results": results,
        "done": counts.get("done", 0),
        "failed": counts.get("failed", 0),
        "waiting": counts.get("queued", 0) + counts.get("running", 0),
        "failures": dict(manifest.failures()),
    }
    print(json_text(told, indent=None, ascii_only=True), flush=True)
