"""Ground and walls as parts that are drawn, and that catch shadows, like everything else."""

from __future__ import annotations

import numpy as np

from vitruvian.synthesis.materials import Tile
from vitruvian.synthesis.parts import LABEL, Part, Surface


def plane_part(
    name: str,
    tile: Tile,
    corner: tuple[float, float, float],
    along: tuple[float, float, float],
    across: tuple[float, float, float],
    *,
    cells: int = 24,
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
    gloss: float = 0.02,
) -> Part:
    """A rectangle in the world frame, textured by repeating ``tile``.

    ``along`` x ``across`` points to the side that is seen. Cut into cells, so that what reaches
    behind the camera can be left out cell by cell.
    """
    s = np.linspace(0, 1, cells + 1)
    grid = np.stack(np.meshgrid(s, s, indexing="ij"), -1).reshape(-1, 2)
    vertices = (
        np.asarray(corner) + grid[:, :1] * np.asarray(along) + grid[:, 1:] * np.asarray(across)
    )
    lengths = np.array([np.linalg.norm(along), np.linalg.norm(across)])
    index = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2).reshape(-1, 3)
    faces = faces.astype(np.int32)
    surface = Surface(
        texture=tile.color, normal_map=tile.normal, tint=tint, gloss=gloss, shininess=20.0
    )
    return Part(
        name, LABEL["background"], vertices.astype(np.float32), vertices.astype(np.float32), faces,
        (grid * lengths / tile.size).astype(np.float32), faces, surface, solid=False,
    )  # fmt: skip
