"""Binary PLY with vertex colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.formats.corners import sample_texture
from vitruvian.geometry.mapped_relief import with_relief_of_map
from vitruvian.geometry.normals import vertex_normals
from vitruvian.types.mesh import Mesh


def write_ply(mesh: Mesh, path: str | Path) -> Path:
    """Write ``mesh`` as little-endian PLY: positions, normals, colours and triangles.

    Metres with y up; a camera-frame mesh is turned. PLY has no agreed way to carry a texture, so
    a textured mesh gets the texture's colours at its vertices, and the relief of a normal map is in
    the geometry (``geometry.mapped_relief``).

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    mesh = with_relief_of_map(in_file_axes(mesh))
    colors = sample_texture(mesh)
    fields: list[tuple] = [("position", "<f4", 3), ("normal", "<f4", 3)]
    if colors is not None:
        fields.append(("color", "u1", 3))
    vertices = np.empty(len(mesh.vertices), fields)
    vertices["position"] = mesh.vertices
    vertices["normal"] = vertex_normals(mesh.vertices, mesh.faces)
    if colors is not None:
        vertices["color"] = colors[:, :3]
    triangles = np.empty(len(mesh.faces), [("count", "u1"), ("corners", "<i4", 3)])
    triangles["count"] = 3
    triangles["corners"] = mesh.faces
    properties = [f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")]
    if colors is not None:
        properties += [f"property uchar {name}" for name in ("red", "green", "blue")]
    header = [
        "ply",
        "format binary_little_endian 1.0",
        "comment Vitruvian: y up, right-handed, metres",
        f"element vertex {len(vertices)}",
        *properties,
        f"element face {len(triangles)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    return write_bytes(path, "\n".join(header).encode() + vertices.tobytes() + triangles.tobytes())
