"""Which formats there are. A new one is a module in ``formats``, and a line here.

Nothing heavy is imported: the command line's help lists the formats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Format:
    """A kind of file for a mesh, or for an avatar.

    Attributes:
        function: where its writer lives, ``(mesh, path) -> path``; of an avatar's format
            ``(rigged avatar, path) -> path``.
        media_type: what HTTP calls it.
        needs: where a function lives that raises ``MissingExtraError`` while the format's programs
            are not installed; None for formats that need none.
    """

    function: str
    media_type: str
    needs: str | None = None

    def writer(self) -> Callable[[Any, Path], Path]:
        """The writer, imported."""
        return _imported(self.function)

    def check(self) -> None:
        """Raise ``MissingExtraError``, one sentence, where it cannot be written."""
        if self.needs is not None:
            _imported(self.needs)()


def _imported(function: str) -> Callable[..., Any]:
    module, name = function.rsplit(".", 1)
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


# By the file's suffix, without the dot.
FORMATS = {
    "obj": Format("vitruvian.formats.obj.write_obj", "model/obj"),
    "glb": Format("vitruvian.formats.glb.write_glb", "model/gltf-binary"),
    "ply": Format("vitruvian.formats.ply.write_ply", "application/octet-stream"),
    "stl": Format("vitruvian.formats.stl.write_stl", "model/stl"),
}

# Of avatars, beside their GLB, which is always written.
AVATAR_FORMATS = {
    "vrm": Format("vitruvian.formats.vrm.write_vrm", "model/vrm"),
    "bvh": Format("vitruvian.formats.bvh.write_bvh", "text/x-bvh"),
    "usdz": Format(
        "vitruvian.formats.usdz.write_usdz",
        "model/vnd.usdz+zip",
        needs="vitruvian.formats.usdz.check_usd",
    ),
    "fbx": Format(
        "vitruvian.formats.fbx.write_fbx",
        "application/octet-stream",
        needs="vitruvian.formats.fbx.check_blender",
    ),
}
