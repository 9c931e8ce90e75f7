"""Wavefront OBJ with its material and texture."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.formats.corners import sample_texture
from vitruvian.formats.images import encode_png
from vitruvian.types.mesh import Mesh


def write_obj(
    mesh: Mesh,
    path: str | Path,
    *,
    texture_name: str | None = None,
    normal_map_name: str | None = None,
    vertex_colors: bool = False,
) -> Path:
    """Write ``mesh`` as OBJ; with a texture or normal map also ``<stem>.mtl`` and PNGs beside it.

    Readers split the line that names those files at spaces, and take what begins with ``-`` for an
    option: where the stem has such characters, those files get a plain name, see
    ``plain_name``.

    Positions are in metres with y up, to the micrometre; a camera-frame mesh is turned. Texture
    coordinates have indices of their own, so a closed surface stays closed. Vertex colours,
    where there is no texture, follow the position as r g b in 0..1, which most programs read.

    Args:
        mesh: the mesh, in any frame.
        path: where the ``.obj`` goes.
        texture_name: file name of the PNG; ``<stem>.png`` when None; made plain, too.
        normal_map_name: likewise; ``<stem>-normals.png`` when None.
        vertex_colors: write colours at the vertices beside a texture, too, read from it; sRGB.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    path = Path(path)
    mesh = in_file_axes(mesh)
    header = "# Vitruvian: y up, right-handed, metres\ns 1\n"  # shaded smoothly
    pictures = {
        plain_name(name): pixels
        for name, pixels in (
            (texture_name or f"{path.stem}.png", mesh.texture),
            (normal_map_name or f"{path.stem}-normals.png", mesh.normal_map),
        )
        if pixels is not None and mesh.uvs is not None
    }
    if pictures:
        for name, pixels in pictures.items():
            write_bytes(path.with_name(name), encode_png(pixels))
        kinds = [kind for kind in ("texture", "normal_map") if getattr(mesh, kind) is not None]
        material_name = plain_name(f"{path.stem}.mtl")
        material = _material(**dict(zip(kinds, pictures, strict=True)))
        write_bytes(path.with_name(material_name), os.fsencode(material))
        header += f"mtllib {material_name}\nusemtl person\n"
    return write_bytes(path, os.fsencode(header) + obj_body(mesh, vertex_colors=vertex_colors))


def plain_name(name: str) -> str:
    """A file's name that every reader of OBJ and MTL takes for one name.

    Spaces separate names there, ``#`` begins a comment, a backslash continues the line or parts
    folders, and a leading ``-`` an option. Letters of any script stay. A changed name ends in a
    checksum of the old one, so that ``a b.obj`` and ``a_b.obj`` do not share a texture.
    """
    stem, dot, suffix = name.rpartition(".")
    plain = re.sub(r"[\s#\\\"'\x00-\x1f\x7f]", "_", stem)
    plain = re.sub("^-+", "_", plain)
    if plain == stem:
        return name
    return f"{plain}-{zlib.crc32(os.fsencode(stem)):08x}{dot}{suffix}"


def obj_body(mesh: Mesh, *, vertex_colors: bool = False) -> bytes:
    """The ``v``, ``vt`` and ``f`` lines of ``mesh``, as ASCII; see ``write_obj``."""
    # Numba's compiled functions take half a second to load: not for those who only ask what
    # formats there are.
    from vitruvian.formats.obj_text import face_lines, float_lines

    positions = mesh.vertices
    colors = sample_texture(mesh) if vertex_colors or mesh.texture is None else None
    if colors is not None:
        positions = np.hstack([positions, colors[:, :3] / 255.0])
    parts = [float_lines(b"v", positions)]
    if mesh.uvs is not None and mesh.uv_faces is not None:
        parts.append(float_lines(b"vt", mesh.uvs))
        corners = np.stack([mesh.faces, mesh.uv_faces], axis=-1)  # (F, 3, 2)
    else:
        corners = mesh.faces[..., None]
    parts.append(face_lines(corners))
    return b"".join(parts)


def _material(texture: str | None = None, normal_map: str | None = None) -> str:
    lines = ["newmtl person", "Ka 1 1 1", "Kd 1 1 1", "Ks 0 0 0", "d 1", "illum 1"]
    if texture is not None:
        lines.append(f"map_Kd {texture}")
    if normal_map is not None:
        # Readers know one or the other: ``norm`` is the extension for physically based materials,
        # and Blender, Unity and others take the picture of a ``map_Bump`` for normals.
        lines += [f"norm {normal_map}", f"map_Bump {normal_map}"]
    return "\n".join(lines) + "\n"
