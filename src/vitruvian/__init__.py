"""Photographs in; metric, textured, animatable 3D people out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vitruvian._version import __version__

if TYPE_CHECKING:
    from vitruvian.client import Client
    from vitruvian.errors import VitruvianError
    from vitruvian.image.photo import load_photo
    from vitruvian.pipeline.photo import reconstruct
    from vitruvian.types.body import Body
    from vitruvian.types.mesh import Mesh
    from vitruvian.types.photo import Photo
    from vitruvian.types.scene import Person, Scene

# Loaded on first use, so that ``import vitruvian`` and the command line's help are instant.
_HOMES = {
    "Body": "vitruvian.types.body",
    "Client": "vitruvian.client",
    "Mesh": "vitruvian.types.mesh",
    "Person": "vitruvian.types.scene",
    "Photo": "vitruvian.types.photo",
    "Scene": "vitruvian.types.scene",
    "VitruvianError": "vitruvian.errors",
    "load_photo": "vitruvian.image.photo",
    "reconstruct": "vitruvian.pipeline.photo",
}

__all__ = [
    "Body",
    "Client",
    "Mesh",
    "Person",
    "Photo",
    "Scene",
    "VitruvianError",
    "__version__",
    "load_photo",
    "reconstruct",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'vitruvian' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
