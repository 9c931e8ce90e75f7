"""Binary STL, for slicers: millimetres, z up, standing on the plate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.geometry.mapped_relief import with_relief_of_map
from vitruvian.geometry.normals import face_normals
from vitruvian.types.mesh import Mesh

# Of a printed figure's height: the base's thickness, how far the soles sink into it, and how far
# it reaches beyond them.
BASE_THICKNESS, BASE_SINK, BASE_MARGIN = 0.02, 0.005, 0.05
_FOOTPRINT = 0.06  # of the figure's height, counted from below: what the base has to carry
_SIDES = 96
_MM = 1000.0


def write_stl(mesh: Mesh, path: str | Path, *, print_height_mm: float | None = None) -> Path:
    """Write the triangles of ``mesh`` as binary STL for a slicer; no colours.

    Millimetres, z up, facing -y, the lowest point at z = 0. Life-size and just as it is, or for
    printing: scaled, and standing on a round, flat base, a closed shell of its own that the soles
    sink into a little. The relief of a normal map is in the geometry (``geometry.mapped_relief``).

    Args:
        mesh: the mesh, in any frame.
        path: where the file goes.
        print_height_mm: height of the figure together with its base.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    mesh = with_relief_of_map(in_file_axes(mesh))
    # y up becomes z up: a quarter turn about x.
    vertices = mesh.vertices.astype(np.float64) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    vertices = (vertices - [0, 0, vertices[:, 2].min()]) * _MM
    faces = mesh.faces
    if print_height_mm is not None:
        vertices, faces = _on_base(vertices, faces, print_height_mm)
    facets = np.zeros(
        len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]
    )
    facets["normal"] = face_normals(vertices, faces)
    facets["corners"] = vertices[faces]
    # The header must not begin with "solid": readers would take the file for ASCII.
    header = b"Vitruvian: z up, right-handed, millimetres".ljust(80, b" ")
    return write_bytes(path, header + np.uint32(len(facets)).tobytes() + facets.tobytes())


def _on_base(
    vertices: np.ndarray, faces: np.ndarray, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """The figure, millimetres from z = 0, scaled and standing on a base; ``height`` in all."""
    above = (1 - BASE_THICKNESS + BASE_SINK) * height
    vertices = vertices * (above / max(float(vertices[:, 2].max()), 1e-9))
    vertices[:, 2] += height - above
    feet = vertices[vertices[:, 2] < height - above + _FOOTPRINT * height, :2]
    center = (feet.min(0) + feet.max(0)) / 2
    radius = float(np.linalg.norm(feet - center, axis=1).max()) + BASE_MARGIN * height
    base, base_faces = _disc(center, radius, BASE_THICKNESS * height)
    return np.concatenate([vertices, base]), np.concatenate([faces, base_faces + len(vertices)])


def _disc(center: np.ndarray, radius: float, thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """A closed round plate from z = 0 up."""
    angles = np.arange(_SIDES) * (2 * np.pi / _SIDES)
    ring = center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    middle = np.array([[*center, 0.0], [*center, thickness]])
    lower = np.column_stack([ring, np.zeros(_SIDES)])
    upper = np.column_stack([ring, np.full(_SIDES, thickness)])
    vertices = np.concatenate([lower, upper, middle])
    this = np.arange(_SIDES)
    following = (this + 1) % _SIDES
    bottom, top = np.full(_SIDES, 2 * _SIDES), np.full(_SIDES, 2 * _SIDES + 1)
    faces = [
        np.stack([this, following, following + _SIDES], axis=1),
        np.stack([this, following + _SIDES, this + _SIDES], axis=1),
        np.stack([bottom, following, this], axis=1),
        np.stack([top, this + _SIDES, following + _SIDES], axis=1),
    ]
    return vertices, np.concatenate(faces).astype(np.int32)
