"""Building a binary glTF 2.0 file piece by piece.

Only what our files need of https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html, packed
directly: a body's arrays go into the file without a copy through text or objects.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from vitruvian.formats.atomic import json_text
from vitruvian.formats.images import encode_jpeg, encode_png

ARRAY_BUFFER = 34962
ELEMENT_ARRAY_BUFFER = 34963
_COMPONENT_TYPES = {
    np.dtype(np.uint8): 5121,
    np.dtype(np.uint16): 5123,
    np.dtype(np.uint32): 5125,
    np.dtype(np.float32): 5126,
}
_ELEMENT_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_LINEAR, _LINEAR_MIPMAP, _CLAMP = 9729, 9987, 33071


class GltfBuilder:
    """Collects accessors, materials, meshes and nodes, and packs them as one GLB.

    Every ``add_*`` method returns the index by which other objects refer to the new one.
    """

    def __init__(self) -> None:
        self._blobs: list[bytes] = []
        self._size = 0
        self._lists: dict[str, list[dict[str, Any]]] = {}
        self._extensions: set[str] = set()
        self._own_extensions: dict[str, Any] = {}
        self._roots: list[int] = []

    def add(self, kind: str, value: dict[str, Any]) -> int:
        """Append ``value`` to the top-level list ``kind``, such as ``skins``."""
        items = self._lists.setdefault(kind, [])
        items.append(value)
        return len(items) - 1

    def add_extension(self, name: str, value: dict[str, Any]) -> None:
        """Put an extension of the whole file into it."""
        self._extensions.add(name)
        self._own_extensions[name] = value

    def add_accessor(
        self,
        values: np.ndarray,
        *,
        target: int | None = None,
        bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        """Store an array (N, ...) of uint8, uint16, uint32 or float32.

        ``bounds`` adds minimum and maximum, which positions and animation times must have.
        Matrices (N, 4, 4) are given row-major and stored column-major.
        """
        matrices = values.ndim == 3
        data = np.ascontiguousarray(values.swapaxes(1, 2) if matrices else values)
        accessor: dict[str, Any] = {
            "bufferView": self._add_view(data.tobytes(), target),
            "componentType": _COMPONENT_TYPES[data.dtype],
            "count": len(data),
            "type": _ELEMENT_TYPES[data.shape[1:]],
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:
            # As float32 converted exactly: the validator compares bounds with the data to the bit.
            accessor["min"] = np.atleast_1d(data.min(0)).astype(float).tolist()
            accessor["max"] = np.atleast_1d(data.max(0)).astype(float).tolist()
        return self.add("accessors", accessor)

    def add_texture(
        self, pixels: np.ndarray, *, image_format: str = "jpeg", full_chroma: bool = False
    ) -> int:
        """Store an (H, W, 3) uint8 atlas as ``jpeg`` (quality 90) or lossless ``png``.

        ``full_chroma`` keeps red and blue at full size in a JPEG: for numbers, such as normals.
        """
        if image_format == "jpeg":
            data, mime = encode_jpeg(pixels, full_chroma=full_chroma), "image/jpeg"
        elif image_format == "png":
            data, mime = encode_png(pixels), "image/png"
        else:
            raise ValueError(f"image_format must be 'jpeg' or 'png', got {image_format!r}")
        image = self.add("images", {"bufferView": self._add_view(data), "mimeType": mime})
        if "samplers" not in self._lists:
            self.add(
                "samplers",
                {
                    "magFilter": _LINEAR,
                    "minFilter": _LINEAR_MIPMAP,
                    "wrapS": _CLAMP,
                    "wrapT": _CLAMP,
                },
            )
        return self.add("textures", {"source": image, "sampler": 0})

    def add_material(
        self,
        name: str,
        *,
        texture: int | None = None,
        normal_texture: int | None = None,
        unlit: bool = False,
    ) -> int:
        """Store a matt material (metallic 0, roughness 1), white under its texture if any.

        An unlit one gets no normal map: there is no light to show it.
        """
        base: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
        if texture is not None:
            base["baseColorTexture"] = {"index": texture}
        material: dict[str, Any] = {"name": name, "pbrMetallicRoughness": base}
        if normal_texture is not None and not unlit:
            material["normalTexture"] = {"index": normal_texture}
        if unlit:
            material["extensions"] = {"KHR_materials_unlit": {}}
            self._extensions.add("KHR_materials_unlit")
        return self.add("materials", material)

    def add_node(self, node: dict[str, Any], *, root: bool = True) -> int:
        """Store a node; roots hang from the scene, others from a node that names them."""
        index = self.add("nodes", node)
        if root:
            self._roots.append(index)
        return index

    def adopt(self, parent: int, child: int) -> None:
        """Hang a node from another."""
        self._lists["nodes"][parent].setdefault("children", []).append(child)

    def merge_animations(self, name: str) -> None:
        """Make one animation of all, because players play one at a time."""
        samplers: list[dict[str, Any]] = []
        channels: list[dict[str, Any]] = []
        for animation in self._lists.pop("animations", []):
            first = len(samplers)
            samplers += animation["samplers"]
            channels += [
                {**channel, "sampler": first + channel["sampler"]}
                for channel in animation["channels"]
            ]
        if channels:
            self.add("animations", {"name": name, "samplers": samplers, "channels": channels})

    def to_glb(self) -> bytes:
        """The whole file."""
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "Vitruvian"},
            "scene": 0,
            # glTF forbids empty lists, and a scene may hold nobody.
            "scenes": [{"nodes": self._roots} if self._roots else {"name": "empty"}],
            **self._lists,
        }
        if self._own_extensions:
            document["extensions"] = self._own_extensions
        if self._extensions:
            document["extensionsUsed"] = sorted(self._extensions)
        if self._size:
            document["buffers"] = [{"byteLength": self._size}]
        text = json_text(document, indent=None).encode()
        text += b" " * (-len(text) % 4)
        chunks = [struct.pack("<I4s", len(text), b"JSON"), text]
        if self._size:
            chunks += [struct.pack("<I4s", self._size, b"BIN\0"), *self._blobs]
        length = 12 + sum(map(len, chunks))
        return b"".join([struct.pack("<4sII", b"glTF", 2, length), *chunks])

    def _add_view(self, data: bytes, target: int | None = None) -> int:
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self._size, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        padded = data + b"\0" * (-len(data) % 4)
        self._blobs.append(padded)
        self._size += len(padded)
        return self.add("bufferViews", view)
