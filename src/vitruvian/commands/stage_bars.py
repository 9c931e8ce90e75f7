"""How far a video is, on the terminal: a bar for each stage with the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vitruvian.commands.progress_lines import print_stage

Tell = Callable[[str, int, int], None]

_STAGES = {
    "recording": "recording",
    "people": "finding people",
    "motion": "solving motion",
    "avatars": "making avatars",
    "meshes": "meshes per frame",
    "preview": "drawing preview",
}


@contextmanager
def stage_bars(told: bool) -> Iterator[Tell | None]:
    """A bar with the time left on stderr, where that is a terminal; ``told`` wants lines there."""
    if told:
        yield lambda stage, done, total: print_stage(stage, done=done, total=total)
        return
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:16}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, redirect_stdout=False, transient=True) as progress:
        tasks: dict[str, int] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(_STAGES[stage], total=max(total, 1))
            progress.update(tasks[stage], completed=done, total=max(total, 1))  # type: ignore[arg-type]

        yield tell
