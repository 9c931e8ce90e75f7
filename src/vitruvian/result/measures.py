"""Files of a measured person: tables, the body, and where the tape lies."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.anthropometry.measured import Measured
from vitruvian.anthropometry.sizes import sizes_of
from vitruvian.formats.atomic import write_bytes, write_json, write_text
from vitruvian.formats.export import export_mesh
from vitruvian.formats.images import encode_png
from vitruvian.formats.pdf import write_pdf
from vitruvian.result.measures_pdf import measures_pages
from vitruvian.result.tape_sheet import tape_sheet

# What is drawn; all lines at once hide one another.
_DRAWN = (
    "neck", "neck_base", "chest", "underbust", "waist", "hip", "thigh", "mid_thigh", "knee", "calf",
    "ankle", "upper_arm", "forearm", "wrist", "shoulder_length", "sleeve", "waist_back", "head",
    "outside_leg", "back_width",
)  # fmt: skip
_SHEET_HEIGHT = 900


def measures_report(measured: Measured) -> dict[str, Any]:
    """What ``measures.json`` contains, in centimetres."""
    subject = measured.subject
    return {
        "subject": {
            "height_cm": subject.height_cm,
            "weight_kg": subject.weight_kg,
            "sex": subject.sex,
            "age": subject.age,
            "clothes": subject.clothes,
        },
        "measures": {
            one.measure.name: {
                "label": one.measure.label,
                "kind": one.measure.kind,
                "cm": round(one.cm, 1),
                "low_cm": round(one.low_cm, 1),
                "high_cm": round(one.high_cm, 1),
                "sure": one.sure,
                "definition": one.measure.definition,
            }
            for one in measured.values
        },
        "sizes": [
            {
                "wearer": one.wearer,
                "garment": one.garment,
                "system": one.system,
                "size": one.size,
                "smallest": one.smallest,
                "largest": one.largest,
            }
            for one in sizes_of(
                {one.measure.name: one for one in measured.values}, subject.sex, subject.child
            )
        ],
        "warnings": list(measured.warnings),
    }


def save_measures(measured: Measured, folder: Path) -> dict[str, Any]:
    """Write ``measures.json``, ``.csv`` and ``.pdf``, ``body.obj``, ``body.glb``, ``tape.json``,
    ``tape.png`` and ``silhouettes.png``, and return the report.

    Raises:
        InputError: the place cannot be written.
    """
    report = measures_report(measured)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["measure", "label", "cm", "low_cm", "high_cm", "sure", "definition"])
    for name, one in report["measures"].items():
        row = [one[key] for key in ("label", "cm", "low_cm", "high_cm")]
        writer.writerow([name, *row, "yes" if one["sure"] else "no", one["definition"]])
    write_text(folder / "measures.csv", table.getvalue())
    for name in ("body.obj", "body.glb"):
        export_mesh(measured.mesh, folder / name)
    lines = {name: measured.taken[name].line for name in _DRAWN}
    sheet = tape_sheet(measured.mesh, lines, height=_SHEET_HEIGHT)
    write_bytes(folder / "tape.png", encode_png(sheet))
    write_json(folder / "tape.json", {name: line.round(4).tolist() for name, line in lines.items()})
    write_pdf(measures_pages(report, sheet), folder / "measures.pdf", title="Body measures")
    both = np.concatenate([np.concatenate(list(pair), 1) for pair in measured.views])
    both = cv2.resize(both, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    write_bytes(folder / "silhouettes.png", encode_png(np.repeat(both[..., None], 3, 2)))
    write_json(folder / "measures.json", report)
    return report
