"""Photographs in; metric, textured, animatable 3D people out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# ONNX Runtime otherwise keeps an identifier of this machine and looks up a host on the internet.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from vitruvian._lazy import lazy
from vitruvian._version import __version__

if TYPE_CHECKING:
    from vitruvian.anthropometry.measured import Measured
    from vitruvian.client import Client
    from vitruvian.errors import VitruvianError
    from vitruvian.hints import Hint
    from vitruvian.image.photo import load_photo
    from vitruvian.options import Options
    from vitruvian.pipeline.measuring import measure
    from vitruvian.pipeline.photo import reconstruct
    from vitruvian.types.body import Body
    from vitruvian.types.mesh import Mesh
    from vitruvian.types.photo import Photo
    from vitruvian.types.scene import Person, Scene
    from vitruvian.video.run import reconstruct_video
    from vitruvian.video.scene import MovingScene

# Loaded on first use, so that ``import vitruvian`` and the command line's help are instant.
_HOMES = {
    "Body": "vitruvian.types.body",
    "Client": "vitruvian.client",
    "Hint": "vitruvian.hints",
    "Measured": "vitruvian.anthropometry.measured",
    "Mesh": "vitruvian.types.mesh",
    "MovingScene": "vitruvian.video.scene",
    "Options": "vitruvian.options",
    "Person": "vitruvian.types.scene",
    "Photo": "vitruvian.types.photo",
    "Scene": "vitruvian.types.scene",
    "VitruvianError": "vitruvian.errors",
    "load_photo": "vitruvian.image.photo",
    "measure": "vitruvian.pipeline.measuring",
    "reconstruct": "vitruvian.pipeline.photo",
    "reconstruct_video": "vitruvian.video.run",
}

__all__ = [
    "Body",
    "Client",
    "Hint",
    "Measured",
    "Mesh",
    "MovingScene",
    "Options",
    "Person",
    "Photo",
    "Scene",
    "VitruvianError",
    "__version__",
    "load_photo",
    "measure",
    "reconstruct",
    "reconstruct_video",
]


__getattr__ = lazy(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
