"""Static GLB: one mesh, or a scene of several people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.formats.corners import SplitMesh, split_at_seams
from vitruvian.formats.gltf import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GltfBuilder
from vitruvian.geometry.normal_map import corner_tangents
from vitruvian.geometry.normals import vertex_normals
from vitruvian.image.color import srgb_decoded
from vitruvian.image.names import readable
from vitruvian.types.mesh import Mesh


def write_glb(
    mesh: Mesh, path: str | Path, *, image_format: str = "jpeg", unlit: bool = False
) -> Path:
    """Write ``mesh`` as a binary glTF 2.0 file with its texture inside.

    Args:
        mesh: the mesh; a camera-frame one is turned so that y is up.
        path: where the ``.glb`` goes.
        image_format: ``jpeg`` (quality 90) or ``png`` (lossless, 5 times larger).
        unlit: mark the material ``KHR_materials_unlit``: viewers then show the photograph's
            own light and add none, nor the normal map, which is left out. Without it the person
            takes part in the scene's lighting.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    people = {readable(Path(path).stem) or "person": mesh}
    return write_bytes(path, scene_glb(people, image_format=image_format, unlit=unlit))


def scene_glb(
    people: Mapping[str, Mesh],
    *,
    extras: Mapping[str, Mapping[str, Any]] | None = None,
    image_format: str = "jpeg",
    unlit: bool = False,
) -> bytes:
    """A GLB with one named node per person, as bytes.

    Args:
        people: node name -> mesh, all in one frame (world; the camera's is turned to y up).
        extras: node name -> plain values kept in the node's ``extras``, such as its height.
        image_format, unlit: see ``write_glb``.
    """
    builder = GltfBuilder()
    for name, mesh in people.items():
        index = add_mesh(builder, name, mesh, image_format=image_format, unlit=unlit)
        node: dict[str, Any] = {"name": name, "mesh": index}
        if extras and name in extras:
            node["extras"] = dict(extras[name])
        builder.add_node(node)
    return builder.to_glb()


def write_scene_glb(path: str | Path, people: Mapping[str, Mesh], **options: Any) -> Path:
    """Write ``scene_glb(people, **options)`` to ``path`` and return the path."""
    return write_bytes(path, scene_glb(people, **options))


def add_mesh(
    builder: GltfBuilder,
    name: str,
    mesh: Mesh,
    *,
    image_format: str = "jpeg",
    unlit: bool = False,
    skin: tuple[np.ndarray, np.ndarray] | None = None,
) -> int:
    """Add ``mesh`` as one primitive, cut at its texture seams; returns the mesh's index.

    ``skin`` is (V, 4) uint16 joints and (V, 4) float32 weights, for a skinned mesh.
    """
    mesh = in_file_axes(mesh)
    split = split_at_seams(mesh)
    vertices = mesh.vertices.astype(np.float32)[split.source]
    # Normals of the uncut surface: the shading then does not show the seams.
    normals = _normals(mesh)[split.source]
    attributes = {
        "POSITION": builder.add_accessor(vertices, target=ARRAY_BUFFER, bounds=True),
        "NORMAL": builder.add_accessor(normals, target=ARRAY_BUFFER),
    }
    texture = normal_texture = None
    if split.uvs is not None:
        top_left = split.uvs.copy()
        top_left[:, 1] = 1 - top_left[:, 1]  # glTF's v points down
        attributes["TEXCOORD_0"] = builder.add_accessor(top_left, target=ARRAY_BUFFER)
        if mesh.texture is not None:
            texture = builder.add_texture(mesh.texture, image_format=image_format)
        if mesh.normal_map is not None and not unlit:
            tangents = corner_tangents(vertices, split.faces, normals, split.uvs, split.faces)
            attributes["TANGENT"] = builder.add_accessor(tangents, target=ARRAY_BUFFER)
            normal_texture = builder.add_texture(
                mesh.normal_map, image_format=image_format, full_chroma=True
            )
    if mesh.vertex_colors is not None and texture is None:
        attributes["COLOR_0"] = builder.add_accessor(
            _linear_colors(mesh.vertex_colors)[split.source], target=ARRAY_BUFFER, normalized=True
        )
    if skin is not None:
        joints, weights = skin
        attributes["JOINTS_0"] = builder.add_accessor(joints[split.source], target=ARRAY_BUFFER)
        attributes["WEIGHTS_0"] = builder.add_accessor(weights[split.source], target=ARRAY_BUFFER)
    primitive = {
        "attributes": attributes,
        "indices": builder.add_accessor(_indices(split), target=ELEMENT_ARRAY_BUFFER),
        "material": builder.add_material(
            name, texture=texture, normal_texture=normal_texture, unlit=unlit
        ),
    }
    return builder.add("meshes", {"name": name, "primitives": [primitive]})


def _indices(split: SplitMesh) -> np.ndarray:
    # 65535 itself is reserved (primitive restart).
    return split.faces.ravel().astype(np.uint16 if len(split.source) < 65535 else np.uint32)


def _normals(mesh: Mesh) -> np.ndarray:
    normals = vertex_normals(mesh.vertices, mesh.faces)
    # glTF requires unit normals; a vertex without area gets an arbitrary one.
    normals[np.linalg.norm(normals, axis=1) < 0.5] = (0, 1, 0)
    return normals


def _linear_colors(colors: np.ndarray) -> np.ndarray:
    """(V, 4) uint16 linear RGBA of (V, 3) uint8 sRGB colours: glTF's vertex colours are linear."""
    table = np.round(srgb_decoded(np.arange(256) / 255) * 65535).astype(np.uint16)
    opaque = np.full((len(colors), 1), 65535, np.uint16)
    return np.hstack([table[colors[:, :3]], opaque])
