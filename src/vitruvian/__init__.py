"""Photographs in; metric, textured, animatable 3D people out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vitruvian._version import __version__

if TYPE_CHECKING:
    from vitruvian.body.body import Body
    from vitruvian.client import Client
    from vitruvian.errors import VitruvianError
    from vitruvian.geometry.mesh import Mesh
    from vitruvian.image.photo import Photo, load_photo
    from vitruvian.pipeline import reconstruct
    from vitruvian.scene.scene import Person, Scene

# Loaded on first use, so that ``import vitruvian`` and the command line's help are instant.
_HOMES = {
    "Body": "vitruvian.body.body",
    "Client": "vitruvian.client",
    "Mesh": "vitruvian.geometry.mesh",
    "Person": "vitruvian.scene.scene",
    "Photo": "vitruvian.image.photo",
    "Scene": "vitruvian.scene.scene",
    "VitruvianError": "vitruvian.errors",
    "load_photo": "vitruvian.image.photo",
    "reconstruct": "vitruvian.pipeline",
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
