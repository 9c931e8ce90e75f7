"""Check the skin weights: put a reconstructed person into other poses."""

from __future__ import annotations

import numpy as np

from vitruvian.body.model.repose import in_shown_poses
from vitruvian.lab.evaluation.metrics.skinning import Stretch, stretch
from vitruvian.lab.evaluation.pictures import on_white
from vitruvian.result.preview import lineup
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh


def repose(mesh: Mesh, body: Body) -> tuple[list[Mesh], Stretch]:
    """The surface in every pose of ``shown_poses``, frame ``body``, and how far it is drawn out.

    Args:
        mesh: camera frame, with a skin.
        body: the fitted body underneath.
    """
    meshes = in_shown_poses(mesh, body)
    return meshes, stretch(mesh.vertices, [posed.vertices for posed in meshes], mesh.faces)


def drawn(meshes: list[Mesh], *, height: int = 300) -> np.ndarray:
    """The meshes beside each other from the front, (height, w, 3) uint8 sRGB on white."""
    views = lineup(meshes, [0.0] * len(meshes), (round(1.05 * height), height), crop=True)
    return on_white(np.concatenate(views, axis=1))
