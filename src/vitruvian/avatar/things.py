"""What of the photograph's surface is no clothes: bags and the like that somebody carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.texture.carried import Carried, carried_by
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

_THICK_M = 0.08  # behind what is seen of a thing, to which it reaches


@dataclass(frozen=True)
class Things:
    """What somebody carries, in the picture and on the photograph's surface.

    Attributes:
        carried: where in the picture.
        vertices: (N,) bool, which vertices of the surface are of it: those that the picture shows
            there, and what is behind them within its thickness.
    """

    carried: Carried
    vertices: np.ndarray

    @staticmethod
    def of(photo: Photo, figure: Figure, body: Body, sculpture: Mesh) -> Things | None:
        """None where nothing can be told; ``body`` and ``sculpture`` in the camera frame."""
        carried = carried_by(photo, figure.alpha, body)
        if carried is None:
            return None
        camera = carried.camera
        pixels = camera.project(sculpture.vertices)
        depth = sculpture.vertices[:, 2].astype(np.float32)
        seen = rasterize(pixels, depth, sculpture.faces, camera.width, camera.height)
        columns, rows = np.floor(pixels).astype(int).T
        inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
        out = np.zeros(len(pixels), bool)
        rows, columns = rows[inside], columns[inside]
        near = depth[inside] < seen.depth[rows, columns] + _THICK_M
        out[inside] = near & (carried.mask[rows, columns] > 127)
        return Things(carried, out)

    def left_out(self, sculpture: Mesh) -> Mesh:
        """The surface without faces of them; its vertices stay."""
        kept = ~self.vertices[sculpture.faces].any(1)
        return Mesh(
            sculpture.vertices,
            sculpture.faces[kept],
            sculpture.frame,
            body_vertices=sculpture.body_vertices,
        )
