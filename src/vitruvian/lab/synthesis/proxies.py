"""Files of MakeHuman: proxies, materials and meshes.

A proxy (``.mhclo``) hangs every vertex on three vertices of MakeHuman's mesh hm08 by barycentric
weights plus an offset that scales with the body. Format: MakeHuman's ``shared/proxy.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.errors import InputError

DECIMETRES = 10.0  # MakeHuman's unit of length per metre
_NUMBER = re.compile(r"-?\d")


@dataclass(frozen=True)
class Material:
    """A ``.mhmat`` file: paths of textures that exist, or None."""

    diffuse: Path | None = None
    normal: Path | None = None
    occlusion: Path | None = None


@dataclass(frozen=True)
class Proxy:
    """A mesh that follows the body (clothes, hair, eyes, brows).

    Attributes:
        name: the asset's name.
        references: (V, 3) int32 vertices of hm08 that each vertex hangs on.
        weights: (V, 3) float32 their weights; may be negative, rows sum to about 1.
        offsets: (V, 3) float32 decimetres at MakeHuman's reference body.
        scales: per axis (vertex, vertex, reference distance in decimetres) or None.
        uvs: (T, 2) float32, origin at the lower left.
        faces, uv_faces: (F, 3) int32.
        hidden: indices of hm08's vertices that the asset covers.
        material: its textures.
    """

    name: str
    references: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    scales: tuple[tuple[int, int, float] | None, ...]
    uvs: np.ndarray
    faces: np.ndarray
    uv_faces: np.ndarray
    hidden: np.ndarray
    material: Material

    def fit(self, base: np.ndarray) -> np.ndarray:
        """Rest positions (V, 3) float32 in metres on the rest body ``base`` (19158, 3)."""
        stretch = np.ones(3)
        for axis, scale in enumerate(self.scales):
            if scale is not None:
                first, second, reference = scale
                distance = abs(float(base[first, axis] - base[second, axis]))
                stretch[axis] = distance * DECIMETRES / reference
        anchors = np.einsum("vk,vkc->vc", self.weights, base[self.references])
        return (anchors + self.offsets * stretch / DECIMETRES).astype(np.float32)


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), uvs (T, 2), faces (F, 3) and uv faces (F, 3) of an OBJ, as triangles."""
    vertices, uvs, faces, uv_faces = [], [], [], []
    for line in path.read_text(encoding="utf-8", errors="ignore").splitlines():
        token = line.split()
        if not token:
            continue
        if token[0] == "v":
            vertices.append([float(x) for x in token[1:4]])
        elif token[0] == "vt":
            uvs.append([float(x) for x in token[1:3]])
        elif token[0] == "f":
            corners = [corner.split("/") for corner in token[1:]]
            place = [int(c[0]) - 1 for c in corners]
            where = [int(c[1]) - 1 if len(c) > 1 and c[1] else 0 for c in corners]
            for k in range(1, len(corners) - 1):
                faces.append([place[0], place[k], place[k + 1]])
                uv_faces.append([where[0], where[k], where[k + 1]])
    return (
        np.array(vertices, np.float32).reshape(-1, 3),
        np.array(uvs or [[0, 0]], np.float32),
        np.array(faces, np.int32).reshape(-1, 3),
        np.array(uv_faces, np.int32).reshape(-1, 3),
    )


def read_material(path: Path) -> Material:
    """The textures that a ``.mhmat`` names and that exist beside it."""
    found: dict[str, Path] = {}
    for line in path.read_text(encoding="utf-8", errors="ignore").splitlines():
        token = line.split(maxsplit=1)
        if len(token) == 2 and token[0].endswith("Texture"):
            texture = (path.parent / token[1].strip()).resolve()
            if texture.is_file():
                found[token[0]] = texture
    return Material(
        found.get("diffuseTexture"), found.get("normalmapTexture"), found.get("aomapTexture")
    )


def read_proxy(path: Path) -> Proxy:
    """Read a ``.mhclo`` with its mesh and material.

    Some shoes write header lines (``material``, ``vertexboneweights_file``) after ``verts 0``:
    a section ends only where another section starts, never at a header line.

    Raises ``InputError`` when the file and its mesh do not agree.
    """
    section = ""
    header: dict[str, str] = {}
    references, weights, offsets = [], [], []
    hidden: set[int] = set()
    for line in path.read_text(encoding="utf-8", errors="ignore").splitlines():
        token = line.split()
        if not token or token[0].startswith("#"):
            continue
        key = token[0]
        if key in ("verts", "delete_verts", "weights"):
            section = key
        elif not _NUMBER.match(key):
            header[key] = line.strip()[len(key) :].strip()
        elif section == "verts":
            if len(token) == 1:
                references.append([int(key)] * 3)
                weights.append([1.0, 0.0, 0.0])
                offsets.append([0.0, 0.0, 0.0])
            else:
                references.append([int(x) for x in token[:3]])
                weights.append([float(x) for x in token[3:6]])
                offsets.append([float(x) for x in (token[6:9] or (0, 0, 0))])
        elif section == "delete_verts":
            hidden.update(_ranges(token))
    if "obj_file" not in header:
        raise InputError(f"The asset {path} names no obj_file: restore it from the asset pack.")
    _, uvs, faces, uv_faces = read_obj(path.parent / header["obj_file"])
    if not len(faces) or faces.max() >= len(references):
        raise InputError(
            f"The asset {path} has {len(references)} vertices and its mesh needs more: restore it "
            "from the asset pack."
        )
    material = Material()
    if "material" in header and (path.parent / header["material"]).is_file():
        material = read_material(path.parent / header["material"])
    return Proxy(
        name=path.stem,
        references=np.array(references, np.int32),
        weights=np.array(weights, np.float32),
        offsets=np.array(offsets, np.float32),
        scales=tuple(_scale(header.get(f"{axis}_scale")) for axis in "xyz"),
        uvs=uvs,
        faces=faces,
        uv_faces=uv_faces,
        hidden=np.array(sorted(hidden), np.int64),
        material=material,
    )


def _scale(text: str | None) -> tuple[int, int, float] | None:
    if text is None:
        return None
    first, second, reference = text.split()[:3]
    return int(first), int(second), float(reference)


def _ranges(token: list[str]) -> list[int]:
    """Indices named by ``12 15 - 18 40``."""
    out: list[int] = []
    k = 0
    while k < len(token):
        if k + 2 < len(token) and token[k + 1] == "-":
            out.extend(range(int(token[k]), int(token[k + 2]) + 1))
            k += 3
        else:
            out.append(int(token[k]))
            k += 1
    return out
