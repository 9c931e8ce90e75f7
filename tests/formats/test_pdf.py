"""PDF files: the table of places, text, pictures."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib

import numpy as np
import pytest

from vitruvian.formats.pdf import PdfPage, pdf_bytes, write_pdf


def objects_of(data):
    """Each object's bytes, found by the file's own table of places."""
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    rows = data[table:].split(b"\n")
    count = int(rows[1].split()[1])
    found = {}
    for number in range(1, count):
        place = int(rows[2 + number].split()[0])
        assert data[place:].startswith(b"%d 0 obj\n" % number)
        found[number] = data[place : data.index(b"\nendobj", place)]
    return found


def stream_of(content):
    head, _, rest = content.partition(b"stream\n")
    length = int(re.search(rb"/Length (\d+)", head)[1])
    assert rest[length:] == b"\nendstream"
    return zlib.decompress(rest[:length])


def pages():
    page = PdfPage()
    page.text(42, 60, "Fünf (5) Maße \\ 体", size=12, bold=True)
    page.numbers(100, 80, "96.5")
    page.line(42, 90, 200)
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    assert page.picture(42, 100, 60, pixels) == 40
    return [page, PdfPage()], pixels


def test_text_and_pictures_are_found_by_the_table_of_places():
    made, pixels = pages()
    objects = objects_of(pdf_bytes(made, title="体 1"))
    assert b"/Count 2" in objects[2]
    streams = [stream_of(one) for one in objects.values() if b"stream\n" in one]
    assert pixels.tobytes() in streams
    (drawn,) = [one for one in streams if b"Tj" in one]
    assert (
        rb"(F\374nf \(5\) Ma\337e \\ ?)".replace(rb"\374", b"\xfc").replace(rb"\337", b"\xdf")
        in drawn
    )
    # 96.5 in 9 points is three figures of 0.556 and a point of 0.278 wide, and ends at 100.
    assert f"{100 - 9 * (3 * 0.556 + 0.278):.2f} {841.89 - 80:.2f} Td (96.5)".encode() in drawn
    assert "体 1".encode("utf-16-be").hex().encode() in b"".join(objects.values())


@pytest.mark.skipif(shutil.which("gs") is None, reason="needs Ghostscript")
def test_a_reader_of_others_draws_it(tmp_path):
    made, _ = pages()
    write_pdf(made, tmp_path / "a.pdf", title="A")
    arguments = ["-q", "-dBATCH", "-dNOPAUSE", "-dPDFSTOPONERROR", "-sDEVICE=nullpage"]
    done = subprocess.run(["gs", *arguments, tmp_path / "a.pdf"], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
