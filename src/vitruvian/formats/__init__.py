"""Files: OBJ, GLB, PLY and STL meshes, and avatars.

All of them have y up, a right-handed frame and metres. A format is one module with a writer, and
one line in ``WRITERS``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes, write_json, write_text
from vitruvian.formats.avatar import avatar_glb, write_avatar
from vitruvian.formats.glb import scene_glb, write_glb, write_scene_glb
from vitruvian.formats.obj import write_obj
from vitruvian.formats.ply import write_ply
from vitruvian.formats.rig import Rig
from vitruvian.formats.stl import write_stl
from vitruvian.types.mesh import Mesh

WRITERS: dict[str, Callable[[Mesh, Path], Path]] = {
    ".obj": write_obj,
    ".glb": write_glb,
    ".ply": write_ply,
    ".stl": write_stl,
}

__all__ = [
    "WRITERS",
    "Rig",
    "avatar_glb",
    "export_mesh",
    "scene_glb",
    "write_avatar",
    "write_bytes",
    "write_glb",
    "write_json",
    "write_obj",
    "write_ply",
    "write_scene_glb",
    "write_stl",
    "write_text",
]


def export_mesh(mesh: Mesh, path: str | Path) -> Path:
    """Write ``mesh`` to ``path`` in the format of the path's suffix; returns the path.

    The file has y up and metres; a camera-frame mesh is turned. Raises ``InputError`` for a
    suffix that no writer in ``WRITERS`` has, and for a place that cannot be written.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        known = ", ".join(WRITERS)
        raise InputError(f"Cannot export to {path}: the file's ending must be one of {known}.")
    return writer(mesh, path)
