"""Print scores as tables on the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from vitruvian.lab.evaluation.scores import Scores, compare, moved_most
from vitruvian.lab.evaluation.suite import Metric

_ARROW = {"higher": "↑", "lower": "↓", "neither": ""}


def number(value: float, metric: Metric, *, signed: bool = False) -> str:
    """The value with the decimals that the metric is worth; an em dash where there is none."""
    if not np.isfinite(value):
        return "—"
    return f"{value:{'+' if signed else ''}.{metric.digits}f}"


def heading(metric: Metric) -> str:
    """The metric's name with its unit and an arrow that points to better."""
    unit = f" [{metric.unit}]" if metric.unit else ""
    return f"{metric.label}{unit} {_ARROW[metric.better]}".strip()


def print_scores(scores: Scores, console: Console) -> None:
    """Print a table of means and spreads, and the cases that failed."""
    total = len(scores.cases) + len(scores.failures)
    table = Table(title=f"{scores.suite}: {total} cases", title_justify="left")
    table.add_column("metric")
    for column in ("mean", "median", "10 %", "90 %", "cases"):
        table.add_column(column, justify="right")
    for metric, summary in zip(scores.metrics, scores.summaries().values(), strict=True):
        values = (summary.mean, summary.median, summary.p10, summary.p90)
        # Square brackets would be read as markup.
        table.add_row(
            heading(metric).replace("[", "\\["),
            *(number(value, metric) for value in values),
            str(summary.count),
        )
    console.print(table)
    by_reason: dict[str, list[str]] = {}
    for name, reason in scores.failures.items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        console.print(f"failed: {listed}: {reason}", style="red", markup=False)


def markdown(scores: Scores) -> str:
    """The scores as a section of a Markdown page: what was run, when, and the table."""
    lines = [
        f"## {scores.suite}",
        "",
        f"{scores.about['date']}, {scores.about['machine']}, version {scores.about['version']}: "
        f"`{scores.about['command']}`",
        "",
        "| metric | mean | median | 10 % | 90 % | cases |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for metric, summary in zip(scores.metrics, scores.summaries().values(), strict=True):
        values = (summary.mean, summary.median, summary.p10, summary.p90)
        cells = " | ".join(number(value, metric) for value in values)
        lines.append(f"| {heading(metric)} | {cells} | {summary.count} |")
    if scores.failures:
        lines += ["", f"Failed: {', '.join(scores.failures)}."]
    return "\n".join(lines) + "\n"


def print_comparison(before: Scores, after: Scores, console: Console) -> None:
    """Print what moved between two runs of a suite, on their common cases.

    Raises ``InputError`` when they cannot be compared.
    """
    changes = compare(before, after)
    common = sum(name in after.cases for name in before.cases)
    table = Table(title=f"{before.suite}: {common} common cases", title_justify="left")
    table.add_column("metric")
    for column in ("before", "after", "change", "± 95 %", "cases"):
        table.add_column(column, justify="right")
    table.add_column("")
    style = {"better": "green", "worse": "red", "same": ""}
    for change in changes:
        table.add_row(
            heading(change.metric).replace("[", "\\["),
            number(change.before, change.metric),
            number(change.after, change.metric),
            number(change.difference, change.metric, signed=True),
            number(change.margin, change.metric),
            str(change.count),
            change.verdict if change.verdict != "same" else "",
            style=style[change.verdict],
        )
    console.print(table)
    metric = before.metric(before.ranking)
    for word, names in zip(("better", "worse"), moved_most(before, after), strict=True):
        for name in names:
            values = [number(run.cases[name][metric.key], metric) for run in (before, after)]
            console.print(
                f"{word}: {name}: {metric.label} {values[0]} → {values[1]}",
                style=style[word],
                markup=False,
            )
    for name in after.failures:
        if name not in before.failures:
            console.print(f"now fails: {name}: {after.failures[name]}", style="red", markup=False)
