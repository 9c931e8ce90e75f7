"""Wavefront OBJ with its material and texture."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np

from vitruvian.formats.atomic import write_bytes, write_text
from vitruvian.formats.axes import in_file_axes
from vitruvian.formats.images import encode_png
from vitruvian.geometry.mesh import Mesh


def write_obj(mesh: Mesh, path: str | Path, *, texture_name: str | None = None) -> Path:
    """Write ``mesh`` as OBJ; with a texture also ``<stem>.mtl`` and a PNG beside it.

    Positions are in metres with y up, to the micrometre; a camera-frame mesh is turned. Texture
    coordinates have indices of their own, so a closed surface stays closed. Vertex colours,
    where there is no texture, follow the position as r g b in 0..1, which most programs read.

    Args:
        mesh: the mesh, in any frame.
        path: where the ``.obj`` goes.
        texture_name: file name of the PNG; ``<stem>.png`` when None.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    path = Path(path)
    mesh = in_file_axes(mesh)
    header = "# Vitruvian: y up, right-handed, metres\n"
    if mesh.texture is not None and mesh.uvs is not None:
        texture_name = texture_name or f"{path.stem}.png"
        material_name = f"{path.stem}.mtl"
        write_bytes(path.with_name(texture_name), encode_png(mesh.texture))
        write_text(path.with_name(material_name), _material(texture_name))
        header += f"mtllib {material_name}\nusemtl person\n"
    return write_bytes(path, header.encode() + obj_body(mesh))


def obj_body(mesh: Mesh) -> bytes:
    """The ``v``, ``vt`` and ``f`` lines of ``mesh``, as ASCII."""
    positions = mesh.vertices
    if mesh.vertex_colors is not None and mesh.texture is None:
        positions = np.hstack([positions, mesh.vertex_colors[:, :3] / 255.0])
    parts = [_float_lines(b"v", positions)]
    if mesh.uvs is not None and mesh.uv_faces is not None:
        parts.append(_float_lines(b"vt", mesh.uvs))
        corners = np.stack([mesh.faces, mesh.uv_faces], axis=-1)  # (F, 3, 2)
    else:
        corners = mesh.faces[..., None]
    parts.append(_face_lines(corners))
    return b"".join(parts)


def _material(texture_name: str) -> str:
    return (
        "newmtl person\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 1\n"
        f"map_Kd {texture_name}\n"
    )  # fmt: skip


def _float_lines(keyword: bytes, values: np.ndarray) -> bytes:
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e9:
        raise ValueError("OBJ needs finite coordinates below 1e9 m")
    micro = np.ascontiguousarray(np.round(values * 1e6).astype(np.int64))
    # A line holds the keyword, and per value a space, a sign, at most 10 + 6 digits and a point.
    out = np.empty(len(micro) * (len(keyword) + 1 + 19 * micro.shape[1]), np.uint8)
    size = _format_fixed(micro, np.array(list(keyword), np.uint8), out)
    return out[:size].tobytes()


def _face_lines(corners: np.ndarray) -> bytes:
    one_based = np.ascontiguousarray(corners.astype(np.int64) + 1)
    count, kinds = len(one_based), one_based.shape[2]
    out = np.empty(count * (2 + 3 * kinds * 12), np.uint8)
    size = _format_faces(one_based, out)
    return out[:size].tobytes()


# Python needs about 60 ms to format a body's 230,000 numbers; this needs 3.
@numba.njit("int64(uint8[::1],int64,int64,int64)", cache=True, nogil=True)
def _put_digits(out: np.ndarray, at: int, value: int, least: int) -> int:
    """Write non-negative ``value`` in at least ``least`` digits at ``at``; returns the end."""
    digits = 1
    ceiling = 10
    while value >= ceiling:
        digits += 1
        ceiling *= 10
    digits = max(digits, least)
    for position in range(at + digits - 1, at - 1, -1):
        out[position] = 48 + value % 10
        value //= 10
    return at + digits


@numba.njit("int64(int64[:,::1],uint8[::1],uint8[::1])", cache=True, nogil=True)
def _format_fixed(micro: np.ndarray, keyword: np.ndarray, out: np.ndarray) -> int:
    at = 0
    for row in range(micro.shape[0]):
        for letter in keyword:
            out[at] = letter
            at += 1
        for column in range(micro.shape[1]):
            value = micro[row, column]
            out[at] = 32  # space
            at += 1
            if value < 0:
                out[at] = 45  # minus
                at += 1
                value = -value
            at = _put_digits(out, at, value // 1000000, 1)
            out[at] = 46  # point
            at = _put_digits(out, at + 1, value % 1000000, 6)
        out[at] = 10  # newline
        at += 1
    return at


@numba.njit("int64(int64[:,:,::1],uint8[::1])", cache=True, nogil=True)
def _format_faces(corners: np.ndarray, out: np.ndarray) -> int:
    at = 0
    for row in range(corners.shape[0]):
        out[at] = 102  # f
        at += 1
        for corner in range(3):
            for kind in range(corners.shape[2]):
                out[at] = 32 if kind == 0 else 47  # space, slash
                at = _put_digits(out, at + 1, corners[row, corner, kind], 1)
        out[at] = 10
        at += 1
    return at
