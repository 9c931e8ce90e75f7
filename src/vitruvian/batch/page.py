"""What a batch came to: a page with counts, failures and the worst results, and a table of all."""

from __future__ import annotations

import base64
import csv
import html
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vitruvian.batch.manifest import Manifest, Row
from vitruvian.batch.results import Results
from vitruvian.errors import CODES, InputError
from vitruvian.formats.atomic import write_text
from vitruvian.formats.images import encode_jpeg

_WORST, _EXAMPLES = 12, 5
_PICTURE_HEIGHT = 360
_COLUMNS = ("input", "state", "result", "people", "agreement", "code", "sentence")
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 78rem;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid #ddd;
  vertical-align: top; overflow-wrap: anywhere; }
td.number { text-align: right; }
figure { margin: 0 0 1.5rem; } figure img { max-width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #555; overflow-wrap: anywhere; }
"""


def write_page(manifest: Manifest, results: Results, path: Path) -> Path:
    """Write the page about all jobs of the manifest's settings; its pictures are in it.

    Raises:
        InputError: the place cannot be written.
    """
    counts = manifest.counts()
    seconds, people = manifest.sums()
    rows = [
        ("done", counts.get("done", 0)),
        ("failed", counts.get("failed", 0)),
        ("waiting", counts.get("queued", 0) + counts.get("running", 0)),
        ("people", people),
        ("seconds of work", f"{seconds:.0f}"),
    ]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Vitruvian: batch</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><h1>Vitruvian: batch</h1><table>",
        *(f'<tr><th>{name}</th><td class="number">{value}</td></tr>' for name, value in rows),
        "</table>",
        *_failures(manifest),
        *_worst(manifest, results),
        "</body></html>",
    ]
    return write_text(path, "\n".join(parts) + "\n")


def write_table(manifest: Manifest, results: Results, path: Path) -> Path:
    """Write ``index.csv``: of every input its state, and where its result is.

    Raises:
        InputError: the place cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")  # one driver at a time: nobody else writes it
    try:
        # Row by row: of a million inputs the table would not fit in memory with everything else.
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for row in manifest.rows():
                place = results.place(row.result) if row.result else ""
                known = (row.people, row.agreement, row.code, row.sentence)
                writer.writerow([row.task.label, row.state, place, *known])
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"Cannot write {path} ({reason}): make room, and run the command again.",
            code="cannot-write",
        ) from error
    return path


def _failures(manifest: Manifest) -> Iterator[str]:
    kinds = manifest.failures()
    if not kinds:
        return
    yield "<h2>Failed</h2><table><tr><th>code</th><th>how many</th><th>for example</th></tr>"
    for code, count in kinds:
        some = "<br>".join(
            html.escape(row.sentence or "") for row in manifest.failed(code, _EXAMPLES)
        )
        yield (
            f"<tr><td><b>{html.escape(code)}</b><br>{html.escape(CODES.get(code, ''))}</td>"
            f'<td class="number">{count}</td><td>{some}</td></tr>'
        )
    yield "</table>"


def _worst(manifest: Manifest, results: Results) -> Iterator[str]:
    figures = [figure for row in manifest.worst(_WORST) if (figure := _figure(row, results))]
    if figures:
        yield "<h2>Where model and picture agree least</h2>"
        yield from figures


def _figure(row: Row, results: Results) -> str | None:
    assert row.result is not None
    data = results.read(row.result, "preview.png")
    if data is None:
        return None
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    scale = min(1.0, _PICTURE_HEIGHT / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    code = base64.b64encode(encode_jpeg(small[..., ::-1], quality=80)).decode()
    caption = f"{row.task.label}: overlap {row.agreement:.2f}, {results.place(row.result)}"
    return (
        f'<figure><img alt="" src="data:image/jpeg;base64,{code}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
