"""Binary STL, for slicers and CAD."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.geometry.normals import face_normals
from vitruvian.types.mesh import Mesh


def write_stl(mesh: Mesh, path: str | Path) -> Path:
    """Write the triangles of ``mesh`` as binary STL, in metres with y up; no colours.

    STL has no units: a slicer that takes them for millimetres shows a person 1.7 mm tall.
    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    mesh = in_file_axes(mesh)
    facets = np.zeros(
        len(mesh.faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]
    )
    facets["normal"] = face_normals(mesh.vertices, mesh.faces)
    facets["corners"] = mesh.vertices[mesh.faces]
    # The header must not begin with "solid": readers would take the file for ASCII.
    header = b"Vitruvian: y up, right-handed, metres".ljust(80, b" ")
    return write_bytes(path, header + np.uint32(len(facets)).tobytes() + facets.tobytes())
