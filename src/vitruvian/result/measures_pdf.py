"""The sheet of somebody's measures that is printed: where the tape lies, sizes, the table."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitruvian.formats.pdf import A4, PdfPage

_MARGIN, _RIGHT = 42.0, A4[0] - 42.0
_SOFT = (0.38, 0.38, 0.38)
_RULE = (0.8, 0.8, 0.8)
_ROW = 15.5


def measures_pages(report: dict[str, Any], sheet: np.ndarray) -> list[PdfPage]:
    """Two pages A4.

    Args:
        report: as ``measures_report`` makes it.
        sheet: (H, W, 3) uint8 of ``tape_sheet``.
    """
    return [_first(report, sheet), _second(report)]


def _first(report: dict[str, Any], sheet: np.ndarray) -> PdfPage:
    page = PdfPage()
    page.text(_MARGIN, 60, "Body measures", size=20, bold=True)
    page.text(_MARGIN, 78, _told(report["subject"]), size=10, color=_SOFT)
    y = 96 + page.picture(_MARGIN, 96, _RIGHT - _MARGIN, sheet)
    y += 30
    page.text(_MARGIN, y, "Sizes of clothes", size=13, bold=True)
    y += 8
    columns = (_MARGIN, 200.0, 280.0, 360.0)
    garment = ""
    for one in report["sizes"]:
        y += _ROW
        page.line(_MARGIN, y - 11, _RIGHT, color=_RULE)
        named = f"{one['garment']} ({one['wearer']})"
        page.text(columns[0], y, named if named != garment else "")
        garment = named
        page.text(columns[1], y, one["system"], color=_SOFT)
        page.text(columns[2], y, one["size"] or "outside the table", bold=True)
        page.text(columns[3], y, _open(one), color=_SOFT)
    y += 24
    for sentence in (*report["warnings"], SIZES_NOTE):
        for line in _wrapped(sentence):
            page.text(_MARGIN, y, line, size=8.5, color=_SOFT)
            y += 12
    return page


SIZES_NOTE = (
    "Sizes by EN 13402-3, BS 3666 and ASTM D5585; makers follow them loosely. In brackets: the "
    "sizes that the measures leave open."
)
_NOTES = (
    "Body measures, without ease; of pairs the right side. In nine cases of ten a tape reads a "
    "value between the two.",
    "? The pictures show little of it: measure it by hand before you cut.",
)


def _second(report: dict[str, Any]) -> PdfPage:
    page = PdfPage()
    page.text(_MARGIN, 60, "All measures, in centimetres", size=13, bold=True)
    heads = (
        (_MARGIN, "Measure"),
        (166.0, "cm"),
        (188.0, "likely between"),
        (276.0, "Where the tape lies"),
    )
    for x, head in heads:
        page.text(x, 82, head, size=8.5, color=_SOFT)
    y = 86.0
    for one in report["measures"].values():
        y += _ROW + 4
        page.line(_MARGIN, y - 13, _RIGHT, color=_RULE)
        page.text(_MARGIN, y, one["label"] + ("" if one["sure"] else "  ?"), bold=True)
        page.numbers(178, y, f"{one['cm']:.1f}")
        page.numbers(215, y, f"{one['low_cm']:.1f}")
        page.text(220, y, "to")
        page.numbers(254, y, f"{one['high_cm']:.1f}")
        page.text(276, y, one["definition"], size=7.5, color=_SOFT)
    for number, line in enumerate(_NOTES):
        page.text(_MARGIN, y + 22 + 12 * number, line, size=8.5, color=_SOFT)
    return page


def _told(subject: dict[str, Any]) -> str:
    """``172 cm, 68 kg, woman, 34 years``."""
    parts = [f"{subject['height_cm']:g} cm"]
    if subject["weight_kg"] is not None:
        parts.append(f"{subject['weight_kg']:g} kg")
    if subject["sex"] is not None:
        parts.append(subject["sex"])
    if subject["age"] is not None:
        parts.append(f"{subject['age']:g} years")
    if subject["clothes"] is not None:
        worn = subject["clothes"]
        parts.append(f"measured in {worn}{'' if worn == 'underwear' else ' clothes'}")
    return ", ".join(parts)


def _open(one: dict[str, Any]) -> str:
    if one["smallest"] == one["largest"] or None in (one["smallest"], one["largest"]):
        return ""
    return f"({one['smallest']} to {one['largest']})"


def _wrapped(sentence: str, most: int = 118) -> list[str]:
    """Lines of so many letters at most."""
    lines = [""]
    for word in sentence.split():
        if len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
