"""A new format is one module and one line: every face then offers it."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from vitruvian import mesh_formats
from vitruvian.formats import export_mesh
from vitruvian.mesh_formats import Format
from vitruvian.types.mesh import Mesh

PROGRAM = """
from vitruvian import mesh_formats

mesh_formats.FORMATS["off"] = mesh_formats.Format("off_format.write_off", "model/off")
"""


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Object File Format, as somebody might add it."""

    def write_off(mesh: Mesh, path: Path) -> Path:
        lines = ["OFF", f"{len(mesh.vertices)} {len(mesh.faces)} 0"]
        lines += [" ".join(map(str, point)) for point in mesh.vertices]
        lines += [f"3 {a} {b} {c}" for a, b, c in mesh.faces]
        path.write_text("\n".join(lines) + "\n")
        return path

    module = types.ModuleType("off_format")
    module.write_off = write_off  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "off_format", module)
    line = Format("off_format.write_off", media_type="model/off")
    monkeypatch.setitem(mesh_formats.FORMATS, "off", line)


def test_a_mesh_is_exported(off: None, tmp_path: Path) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    mesh = Mesh(corners, np.array([[0, 1, 2]], np.int32))
    path = export_mesh(mesh, tmp_path / "triangle.off")
    assert path.read_text().splitlines() == [
        "OFF", "3 1 0", "0.0 0.0 0.0", "1.0 0.0 0.0", "0.0 1.0 0.0", "3 0 1 2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (
            "from vitruvian.commands.cli import main; main(['photo', '--help'])",
            "obj, glb, ply, stl, off",
        ),
        (
            "from vitruvian.options import parse_formats; print(parse_formats('off'))",
            "('off',)",
        ),
        (
            "from vitruvian.server.files.names import OF_PERSON; print(OF_PERSON['mesh_off'])",
            "mesh.off",
        ),
        (
            "from vitruvian.server.files.serving import MEDIA_TYPES;"
            "print('model/off' in MEDIA_TYPES)",
            "True",
        ),
        (
            "from vitruvian.server.api.schemas import CreateForm;"
            "print(CreateForm(formats='off').options()['formats'], CreateForm().formats)",
            "['off'] obj,glb,ply,stl,off",
        ),
    ],
)
def test_every_face_offers_it(ask: str, answer: str) -> None:
    if "server" in ask:
        pytest.importorskip("fastapi", reason="needs the extra server")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + ask],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    assert answer in done.stdout
