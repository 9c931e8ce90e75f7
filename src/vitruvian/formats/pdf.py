"""PDF 1.4: pages of text, lines and pictures, for what is printed.

The typefaces are Helvetica's, which every reader has; their letters are those of Windows-1252.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes

A4 = (595.28, 841.89)  # points of 1/72 inch
Color = tuple[float, float, float]
BLACK: Color = (0.0, 0.0, 0.0)


@dataclass
class PdfPage:
    """What is on a page; places are points from its upper left corner.

    Attributes:
        size: width and height.
    """

    size: tuple[float, float] = A4
    _drawn: list[str] = field(default_factory=list)
    _pictures: list[np.ndarray] = field(default_factory=list)

    def text(
        self, x: float, y: float, text: str, *, size: float = 9, bold: bool = False,
        color: Color = BLACK,
    ) -> None:  # fmt: skip
        """Write a line of text whose baseline is at ``y``; letters without a place become ``?``."""
        letters = text.encode("cp1252", "replace").decode("latin-1")
        for special in "\\()":
            letters = letters.replace(special, f"\\{special}")
        place = f"{x:.2f} {self.size[1] - y:.2f}"
        font = f"/F{2 if bold else 1} {size:g} Tf"
        self._drawn.append(f"BT {_color(color)} rg {font} {place} Td ({letters}) Tj ET")

    def numbers(self, right: float, y: float, text: str, *, size: float = 9) -> None:
        """Write digits and points that end at ``right``."""
        width = sum(0.278 if letter in ".," else 0.556 for letter in text) * size
        self.text(right - width, y, text, size=size)

    def line(self, x: float, y: float, to_x: float, *, color: Color = BLACK) -> None:
        """Draw a thin level line."""
        level = f"{self.size[1] - y:.2f}"
        self._drawn.append(f"{_color(color)} RG 0.5 w {x:.2f} {level} m {to_x:.2f} {level} l S")

    def picture(self, x: float, y: float, width: float, pixels: np.ndarray) -> float:
        """Put a picture (H, W, 3) uint8 with its upper left corner there; returns its height."""
        height = width * pixels.shape[0] / pixels.shape[1]
        self._pictures.append(pixels)
        corner = f"{x:.2f} {self.size[1] - y - height:.2f}"
        name = f"/I{len(self._pictures)}"
        self._drawn.append(f"q {width:.2f} 0 0 {height:.2f} {corner} cm {name} Do Q")
        return height


def write_pdf(pages: Sequence[PdfPage], path: Path, *, title: str) -> Path:
    """Write pages into a file.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    return write_bytes(path, pdf_bytes(pages, title=title))


def pdf_bytes(pages: Sequence[PdfPage], *, title: str) -> bytes:
    """The file with those pages."""
    objects: list[bytes] = [b"", b""]  # the catalogue and the pages, known at the end

    def add(content: bytes) -> int:
        objects.append(content)
        return len(objects)

    fonts = " ".join(
        f"/F{number} {add(_font(name))} 0 R"
        for number, name in ((1, "Helvetica"), (2, "Helvetica-Bold"))
    )
    kids = []
    for page in pages:
        pictures = " ".join(
            f"/I{number} {add(_picture(pixels))} 0 R"
            for number, pixels in enumerate(page._pictures, 1)
        )
        content = add(_stream("", "\n".join(page._drawn).encode("latin-1")))
        box = f"[0 0 {page.size[0]:.2f} {page.size[1]:.2f}]"
        resources = f"<< /Font << {fonts} >> /XObject << {pictures} >> >>"
        page_object = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents {content} 0 R "
            f"/Resources {resources} >>"
        )
        kids.append(add(page_object.encode()))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>".encode()
    told = title.encode("utf-16-be").hex()
    info = add(f"<< /Title <feff{told}> /Producer (Vitruvian) >>".encode())
    return _file(objects, info)


def _file(objects: Sequence[bytes], info: int) -> bytes:
    """Objects with their table of places."""
    data = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, info)
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % table)


def _color(color: Color) -> str:
    return " ".join(f"{part:.3f}" for part in color)


def _font(name: str) -> bytes:
    encoding = "/Encoding /WinAnsiEncoding"
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} {encoding} >>".encode()


def _picture(pixels: np.ndarray) -> bytes:
    height, width = pixels.shape[:2]
    kind = f"/Type /XObject /Subtype /Image /Width {width} /Height {height}"
    space = "/ColorSpace /DeviceRGB /BitsPerComponent 8 "
    return _stream(f"{kind} {space}", np.ascontiguousarray(pixels).tobytes())


def _stream(entries: str, content: bytes) -> bytes:
    packed = zlib.compress(content, 6)
    head = f"<< {entries}/Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
    return head.encode() + packed + b"\nendstream"
