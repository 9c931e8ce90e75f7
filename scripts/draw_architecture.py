"""Draw the rooms of the code and the way of a photograph through them, as SVG.

Writes the picture of ``docs/architecture.md``::

    python scripts/draw_architecture.py                # docs/images/architecture.svg
    chromium --headless --screenshot=look.png --window-size=1130,780 docs/images/architecture.svg
"""

from __future__ import annotations

from html import escape
from pathlib import Path

OUTPUT = Path(__file__).parents[1] / "docs/images/architecture.svg"
WIDTH, HEIGHT = 1130, 780
INK, PALE = "#1f2328", "#59636e"
FACE, STAGE, TOOL, TYPE, RESULT, LAB = (
    "#dbeafe", "#fde9c8", "#e3e8ee", "#e4f1df", "#fbdcd6", "#ece4f6",
)  # fmt: skip

# Stage: what it does, and what it hands on.
STAGES = (
    ("people", ("detection,", "landmarks, mattes,", "body estimate"), "Figure"),
    ("body", ("parametric model,", "fit to landmarks", "and outline"), "Body"),
    ("placement", ("up, ground,", "size, order", "of depth"), "Body"),
    ("surface", ("envelope, volume,", "finish", ""), "Mesh"),
    ("texture", ("seen, behind,", "mirrored, spread", ""), "Mesh"),
    ("avatar", ("layers at rest,", "made to move", ""), "Avatar"),
)


class Drawing:
    """SVG elements, one after the other."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, *, dashed: bool = False
    ) -> None:
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" '
            f'stroke="{PALE}" stroke-width="1"{dash}/>'
        )

    def text(
        self, x: float, y: float, words: str, *, size: int = 13, bold: bool = False,
        anchor: str = "middle", color: str = INK, code: bool = False,
    ) -> None:  # fmt: skip
        style = ' font-weight="600"' if bold else ""
        family = ' font-family="ui-monospace, DejaVu Sans Mono, monospace"' if code else ""
        self.parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{color}"{style}{family}>{escape(words)}</text>'
        )

    def arrow(self, x0: float, y0: float, x1: float, y1: float, *, pale: bool = False) -> None:
        color, head = (PALE, "pale") if pale else (INK, "ink")
        width = 1.2 if pale else 2
        self.parts.append(
            f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{color}" '
            f'stroke-width="{width}" marker-end="url(#{head})"/>'
        )

    def room(
        self, x: float, y: float, width: float, height: float, fill: str, name: str,
        lines: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.box(x, y, width, height, fill)
        self.text(x + width / 2, y + 22, name, bold=True, size=15, code=True)
        for number, line in enumerate(lines):
            self.text(x + width / 2, y + 42 + 16 * number, line, size=12, color=PALE)

    def svg(self) -> str:
        heads = "".join(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            f'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" '
            f'fill="{color}"/></marker>'
            for name, color in (("ink", INK), ("pale", PALE))
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="system-ui, Helvetica, Arial, sans-serif" role="img">'
            "<title>The rooms of the code and the way of a photograph through them</title>"
            f'<defs>{heads}</defs><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
            + "\n".join(self.parts)
            + "</svg>\n"
        )


def draw() -> str:
    """The picture."""
    d = Drawing()
    left, inner = 150, 960

    def row(y: float, name: str, line: str) -> None:
        d.text(18, y, name, bold=True, anchor="start", size=14)
        d.text(18, y + 17, line, anchor="start", size=11, color=PALE)

    row(52, "Faces", "how it is called")
    d.room(left, 24, 300, 66, FACE, "commands/", ("vitruvian photo, doctor, ...",))
    d.room(left + 330, 24, 300, 66, FACE, "server/", ("jobs, accounts, files, api; web page",))
    d.room(left + 660, 24, 300, 66, FACE, "vitruvian", ("reconstruct(), Client, types",))
    for x in (left + 150, left + 480, left + 810):
        d.arrow(x, 90, x, 122)

    row(154, "Pipeline", "the schedule")
    d.box(left, 124, inner, 56, FACE)
    d.text(left + inner / 2, 147, "pipeline/", bold=True, size=15, code=True)
    d.text(
        left + inner / 2, 167,
        "calls the stages in order, in parallel where it can, and passes their results on",
        size=12, color=PALE,
    )  # fmt: skip

    row(290, "Stages", "the photo's way")
    width, gap, top, tall = 118, 50.4, 236, 104
    for number, (name, lines, result) in enumerate(STAGES):
        x = left + number * (width + gap)
        d.arrow(x + width / 2, 180, x + width / 2, top - 2, pale=True)
        d.room(x, top, width, tall, STAGE, name + "/", lines)
        if number + 1 < len(STAGES):
            d.arrow(x + width + 3, top + 52, x + width + gap - 3, top + 52)
            d.text(x + width + gap / 2, top + 44, result, size=12, code=True)
    # In from the picture, out to the files.
    d.arrow(left - 52, top + 52, left - 3, top + 52)
    d.text(left - 28, top + 44, "Photo", size=12, code=True)
    last = left + (len(STAGES) - 1) * (width + gap) + width / 2
    d.arrow(last, top + tall, last, 378)
    d.text(last - 8, 364, "Scene", size=12, code=True, anchor="end")

    row(412, "Result", "checks and files")
    d.room(left + 575, 380, 385, 66, RESULT, "result/", ("checks, preview, viewer, report",))
    d.room(left + 130, 380, 385, 66, RESULT, "formats/", ("OBJ, GLB, PLY, STL: one module each",))
    d.arrow(left + 575, 413, left + 518, 413)
    d.arrow(left + 130, 413, left + 60, 413)
    d.text(left + 28, 409, "files", size=13, bold=True)
    d.text(left + 28, 425, "out/NAME/", size=11, color=PALE, code=True)

    row(522, "Tools", "know no stages")
    tools = (
        ("image", "decoding, EXIF, colour"), ("geometry", "rasteriser, rotations"),
        ("networks", "classes and weights"), ("compute", "kernels, threads"),
    )  # fmt: skip
    share = (inner - 3 * 24) / 4
    for number, (name, line) in enumerate(tools):
        d.room(left + number * (share + 24), 490, share, 66, TOOL, name + "/", (line,))

    row(632, "Types", "frozen data")
    d.box(left, 600, inner, 60, TYPE)
    d.text(left + inner / 2, 623, "types/", bold=True, size=15, code=True)
    d.text(
        left + inner / 2, 645,
        "Camera · Photo · Figure · BodyEstimate · Body · Mesh · Avatar · Scene · Motion",
        size=12, color=PALE, code=True,
    )  # fmt: skip

    row(726, "Laboratory", "apart")
    d.box(left, 696, inner, 60, LAB, dashed=True)
    d.text(left + inner / 2, 719, "lab/", bold=True, size=15, code=True)
    d.text(
        left + inner / 2, 741,
        "synthesis, training, evaluation, fields: imports any room but server; no room imports it",
        size=12, color=PALE,
    )  # fmt: skip

    return d.svg()


def main() -> None:
    """Write the picture."""
    OUTPUT.write_text(draw(), encoding="utf-8")
    print(OUTPUT)


if __name__ == "__main__":
    main()
