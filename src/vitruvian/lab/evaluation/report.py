"""The report page and contact sheets of a run: its best and worst cases in pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes, write_text
from vitruvian.lab.evaluation.pictures import contact_sheet, decoded, png, strip
from vitruvian.lab.evaluation.runner import CaseResult
from vitruvian.lab.evaluation.scores import Scores
from vitruvian.lab.evaluation.suite import Metric
from vitruvian.lab.evaluation.table import heading, number

_SHOWN = 10
_SAMPLE = 60

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 78rem;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 1rem; color: #555; }
dd { margin: 0; } .failed { color: #b00020; } .scroll { overflow-x: auto; }
section.case { border-top: 1px solid #ddd; padding: .6rem 0; }
section.case h3 { font-size: 1rem; margin: 0 0 .3rem; }
section.case p { margin: .2rem 0; color: #555; }
figure { display: inline-block; margin: 0 .4rem .4rem 0; }
figure img { height: 300px; max-width: 100%; object-fit: contain; }
figcaption { font-size: .8rem; color: #555; }
svg text { font-size: 10px; fill: #555; }
"""


def write_report(scores: Scores, results: Sequence[CaseResult], folder: Path) -> list[Path]:
    """Write ``report.html`` and the contact sheets ``worst.png``, ``best.png``, ``sample.png``.

    The page holds its pictures, so that it can be moved and opened anywhere. Sheets are left out
    where no case has pictures. Returns the paths.
    """
    by_name = {result.name: result for result in results if result.failure is None}
    ranked = scores.ranked()
    # With few cases, none is shown as both one of the best and one of the worst.
    count = min(_SHOWN, (len(ranked) + 1) // 2)
    best, worst = ranked[:count], ranked[::-1][: min(count, len(ranked) - count) or count]
    written = [
        write_text(folder / "report.html", _page(scores, by_name, best, worst)),
    ]
    step = max(1, -(-len(ranked) // _SAMPLE))
    sample = list(by_name)[::step]
    for name, chosen in (("worst", worst), ("best", best), ("sample", sample)):
        strips = [_strip(scores, by_name[case]) for case in chosen if by_name[case].pictures]
        if strips:
            written.append(write_bytes(folder / f"{name}.png", png(contact_sheet(strips))))
    return written


def _strip(scores: Scores, result: CaseResult) -> np.ndarray:
    metric = scores.metric(scores.ranking)
    value = number(result.numbers.get(metric.key, float("nan")), metric)
    pictures = [(caption, decoded(data)) for caption, data in result.pictures]
    return strip(f"{result.name}  {metric.label} {value}", pictures)


def _page(
    scores: Scores, by_name: Mapping[str, CaseResult], best: Sequence[str], worst: Sequence[str]
) -> str:
    title = html.escape(f"Vitruvian: {scores.suite}")
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        _about(scores.about),
        _summary(scores),
    ]
    if scores.failures:
        parts.append("<h2>Failed</h2><ul class='failed'>")
        parts += [
            f"<li>{html.escape(name)}: {html.escape(reason)}</li>"
            for name, reason in scores.failures.items()
        ]
        parts.append("</ul>")
    label = html.escape(scores.metric(scores.ranking).label)
    for word, names in (("Worst", worst), ("Best", best)):
        parts.append(f"<h2>{word} by {label}</h2>")
        parts += [_case(scores, by_name[name]) for name in names]
    parts += ["<h2>All cases</h2>", _all(scores), "</body></html>"]
    return "\n".join(parts) + "\n"


def _about(about: Mapping[str, str]) -> str:
    rows = "".join(
        f"<dt>{html.escape(key)}</dt><dd>{html.escape(value)}</dd>" for key, value in about.items()
    )
    return f"<dl>{rows}</dl>"


def _summary(scores: Scores) -> str:
    rows = []
    for metric, summary in zip(scores.metrics, scores.summaries().values(), strict=True):
        cells = "".join(
            f"<td>{number(value, metric)}</td>"
            for value in (summary.mean, summary.median, summary.p10, summary.p90)
        )
        rows.append(
            f"<tr><td>{html.escape(heading(metric))}</td>{cells}<td>{summary.count}</td>"
            f"<td>{_histogram(scores.values(metric.key), metric)}</td></tr>"
        )
    head = "".join(f"<th>{text}</th>" for text in ("metric", "mean", "median", "10 %", "90 %"))
    return (
        f"<div class='scroll'><table><tr>{head}<th>cases</th><th>distribution</th></tr>"
        f"{''.join(rows)}</table></div>"
    )


def _histogram(values: Sequence[float], metric: Metric, *, bins: int = 24) -> str:
    """The distribution as a small inline SVG, its range written below."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    # Numbers that differ in their last digits only are one.
    if len(finite) < 2 or np.ptp(finite) <= 1e-9 * np.abs(finite).max():
        return ""
    counts, edges = np.histogram(finite, bins)
    bars = "".join(
        f'<rect x="{6 * i}" y="{26 - 26 * c / counts.max():.1f}" width="5" '
        f'height="{26 * c / counts.max():.1f}" fill="#4a7ab5"/>'
        for i, c in enumerate(counts)
    )
    return (
        f'<svg width="{6 * bins}" height="38" role="img" aria-label="distribution">{bars}'
        f'<text x="0" y="37">{number(float(edges[0]), metric)}</text>'
        f'<text x="{6 * bins}" y="37" text-anchor="end">{number(float(edges[-1]), metric)}</text>'
        "</svg>"
    )


def _case(scores: Scores, result: CaseResult) -> str:
    numbers = ", ".join(
        f"{html.escape(metric.label)} {number(result.numbers[metric.key], metric)}"
        + (f" {html.escape(metric.unit)}" if metric.unit else "")
        for metric in scores.metrics
        if np.isfinite(result.numbers.get(metric.key, float("nan")))
    )
    figures = "".join(
        f'<figure><img alt="{html.escape(caption)}" loading="lazy" '
        f'src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, data in result.pictures
    )
    note = f"<p>{html.escape(result.note)}</p>" if result.note else ""
    return (
        f"<section class='case'><h3>{html.escape(result.name)}</h3>{figures}"
        f"<p>{numbers}</p>{note}</section>"
    )


def _all(scores: Scores) -> str:
    head = "".join(f"<th>{html.escape(heading(metric))}</th>" for metric in scores.metrics)
    rows = []
    for name in scores.ranked()[::-1]:
        cells = "".join(
            f"<td>{number(scores.cases[name].get(metric.key, float('nan')), metric)}</td>"
            for metric in scores.metrics
        )
        rows.append(f"<tr><td>{html.escape(name)}</td>{cells}</tr>")
    return f"<div class='scroll'><table><tr><th>case</th>{head}</tr>{''.join(rows)}</table></div>"
