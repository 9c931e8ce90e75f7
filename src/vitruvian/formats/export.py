"""A mesh to a file in the format of the file's suffix."""

from __future__ import annotations

from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.mesh_formats import FORMATS
from vitruvian.types.mesh import Mesh


def export_mesh(mesh: Mesh, path: str | Path) -> Path:
    """Write ``mesh`` to ``path`` in the format of the path's suffix; returns the path.

    The file has y up and metres, STL z up and millimetres; a camera-frame mesh is turned. Raises
    ``InputError`` for a suffix that is not in ``FORMATS``, and for a place that cannot be written.
    """
    path = Path(path)
    known = FORMATS.get(path.suffix.lower().removeprefix("."))
    if known is None:
        endings = ", ".join(f".{name}" for name in FORMATS)
        raise InputError(
            f"Cannot export to {path}: the file's ending must be one of {endings}.",
            code="bad-option",
        )
    return known.writer()(mesh, path)
