"""Files: meshes as OBJ, GLB, PLY and STL, and avatars with a skeleton.

All of them have y up, a right-handed frame and metres, but for STL, which is for slicers: z up and
millimetres. A format is one module with a writer, and
one line in ``mesh_formats.FORMATS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitruvian._lazy import lazy
from vitruvian.mesh_formats import FORMATS, Format

if TYPE_CHECKING:
    from vitruvian.formats.atomic import write_bytes, write_json, write_text
    from vitruvian.formats.export import export_mesh
    from vitruvian.formats.glb import scene_glb, write_glb, write_scene_glb
    from vitruvian.formats.obj import write_obj
    from vitruvian.formats.ply import write_ply
    from vitruvian.formats.rig import Clip, Rig
    from vitruvian.formats.rigged import RiggedAvatar
    from vitruvian.formats.rigged_glb import avatar_glb, write_avatar_glb
    from vitruvian.formats.rigging import AvatarStyle, rig_avatar
    from vitruvian.formats.stl import write_stl

_HOMES = {
    "RiggedAvatar": "vitruvian.formats.rigged",
    "AvatarStyle": "vitruvian.formats.rigging",
    "Clip": "vitruvian.formats.rig",
    "Rig": "vitruvian.formats.rig",
    "avatar_glb": "vitruvian.formats.rigged_glb",
    "export_mesh": "vitruvian.formats.export",
    "rig_avatar": "vitruvian.formats.rigging",
    "scene_glb": "vitruvian.formats.glb",
    "write_avatar_glb": "vitruvian.formats.rigged_glb",
    "write_bytes": "vitruvian.formats.atomic",
    "write_glb": "vitruvian.formats.glb",
    "write_json": "vitruvian.formats.atomic",
    "write_obj": "vitruvian.formats.obj",
    "write_ply": "vitruvian.formats.ply",
    "write_scene_glb": "vitruvian.formats.glb",
    "write_stl": "vitruvian.formats.stl",
    "write_text": "vitruvian.formats.atomic",
}
__all__ = [
    "FORMATS",
    "AvatarStyle",
    "Clip",
    "Format",
    "Rig",
    "RiggedAvatar",
    "avatar_glb",
    "export_mesh",
    "rig_avatar",
    "scene_glb",
    "write_avatar_glb",
    "write_bytes",
    "write_glb",
    "write_json",
    "write_obj",
    "write_ply",
    "write_scene_glb",
    "write_stl",
    "write_text",
]

__getattr__ = lazy(__name__, _HOMES)
