"""The triangle mesh that travels between the stages and out to the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from vitruvian.types.record import Record

Frame = Literal["camera", "world", "body"]


@dataclass(frozen=True, eq=False, repr=False)
class Mesh(Record):
    """A triangle mesh, optionally with a texture atlas, vertex colours and a skin.

    Vertices are shared across texture seams, so that a closed surface stays closed; texture
    coordinates have faces of their own, as in OBJ.

    Attributes:
        vertices: (V, 3) float32, metres, in ``frame``.
        faces: (F, 3) int32, counter-clockwise seen from outside.
        frame: ``camera`` (OpenCV: x right, y down, z forward), ``world`` or ``body`` (both as in
            glTF: y up, right-handed; ``body`` faces +z in its rest pose).
        uvs: (T, 2) float32 or None; origin at the lower left, as in OBJ (glTF flips v).
        uv_faces: (F, 3) int32 into ``uvs``, or None.
        texture: (H, W, 3) uint8 sRGB or None.
        normal_map: (H, W, 3) uint8 or None: relief finer than the faces, in the atlas of the
            texture coordinates. ``value / 127.5 - 1`` is the unit normal in the tangent space of
            ``geometry.normal_map``, as in glTF.
        vertex_colors: (V, 3) uint8 sRGB or None.
        skin_joints: (V, 4) uint16 indices of joints of the rig, or None.
        skin_weights: (V, 4) float32, rows summing to 1, or None.
        body_vertices: (V,) int32, the vertex of the body model beneath each vertex; None where the
            mesh has the body's own vertices, or none beneath it.
    """

    vertices: np.ndarray
    faces: np.ndarray
    frame: Frame = "world"
    uvs: np.ndarray | None = None
    uv_faces: np.ndarray | None = None
    texture: np.ndarray | None = None
    normal_map: np.ndarray | None = None
    vertex_colors: np.ndarray | None = None
    skin_joints: np.ndarray | None = None
    skin_weights: np.ndarray | None = None
    body_vertices: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 3:
            raise ValueError(f"vertices must have shape (V, 3), got {self.vertices.shape}")
        if self.faces.ndim != 2 or self.faces.shape[1] != 3:
            raise ValueError(f"faces must have shape (F, 3), got {self.faces.shape}")
        if (self.uvs is None) != (self.uv_faces is None):
            raise ValueError("uvs and uv_faces go together")
        if self.normal_map is not None and self.uvs is None:
            raise ValueError("a normal_map needs uvs and uv_faces")
        if self.uv_faces is not None and self.uv_faces.shape != self.faces.shape:
            raise ValueError(
                f"uv_faces must have the shape of faces {self.faces.shape}, "
                f"got {self.uv_faces.shape}"
            )

    def with_vertices(self, vertices: np.ndarray, frame: Frame | None = None) -> Mesh:
        """The same mesh with other vertex positions (V, 3), in ``frame`` if given."""
        vertices = np.ascontiguousarray(vertices, dtype=np.float32)
        return replace(self, vertices=vertices, frame=frame or self.frame)

    def transformed(self, matrix: np.ndarray, frame: Frame) -> Mesh:
        """The mesh moved by a rigid or similarity (4, 4) matrix ``<frame>_from_<self.frame>``."""
        moved = self.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        return self.with_vertices(moved, frame)

    def export(self, path: str | Path) -> Path:
        """Write the mesh to ``path``; the suffix (.obj, .glb, .ply, .stl) picks the format.

        Returns the path. Raises ``InputError`` for an unknown suffix or an unwritable place.
        """
        from vitruvian.formats.export import export_mesh  # formats sits above geometry

        return export_mesh(self, path)
