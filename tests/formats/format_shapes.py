"""Shapes with known answers for the file formats."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.mesh import Mesh

# Colours of the quarters of the atlas: as seen in an image, so row 0 is the top.
TOP_LEFT, TOP_RIGHT = (220, 30, 30), (30, 200, 30)
BOTTOM_LEFT, BOTTOM_RIGHT = (30, 30, 220), (230, 210, 20)


def quarter_atlas(size: int = 64) -> np.ndarray:
    """An (size, size, 3) uint8 picture with a colour of its own in each quarter."""
    half = size // 2
    atlas = np.empty((size, size, 3), np.uint8)
    atlas[:half, :half], atlas[:half, half:] = TOP_LEFT, TOP_RIGHT
    atlas[half:, :half], atlas[half:, half:] = BOTTOM_LEFT, BOTTOM_RIGHT
    return atlas


def tube(rings: int = 12, sides: int = 10, *, frame: str = "world") -> Mesh:
    """A closed cylinder from y = 0 to 1, radius 0.15, with a texture seam down its side.

    The sides' texture runs around (u) and from the bottom (v = 0) to the top (v = 1); the caps
    use one texture coordinate each, so cap corners share a coordinate between vertices.
    """
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    height = np.linspace(0, 1, rings)
    ring = np.stack([0.15 * np.sin(angle), 0 * angle, 0.15 * np.cos(angle)], 1)
    vertices = np.concatenate(
        [ring + np.array([0, y, 0]) for y in height] + [[[0, 0, 0], [0, 1, 0]]]
    )
    u, v = np.meshgrid(np.linspace(0, 1, sides + 1), height)
    uvs = np.concatenate([np.stack([u.ravel(), v.ravel()], 1), [[0.25, 0.25], [0.75, 0.75]]])
    faces, uv_faces = [], []
    bottom, top = rings * sides, rings * sides + 1
    for r in range(rings - 1):
        for s in range(sides):
            a, b = r * sides + s, r * sides + (s + 1) % sides
            ta = r * (sides + 1) + s
            faces += [(a, b, b + sides), (a, b + sides, a + sides)]
            uv_faces += [(ta, ta + 1, ta + sides + 2), (ta, ta + sides + 2, ta + sides + 1)]
    for s in range(sides):
        n = (s + 1) % sides
        faces += [(bottom, n, s), (top, (rings - 1) * sides + s, (rings - 1) * sides + n)]
        uv_faces += [(len(uvs) - 2,) * 3, (len(uvs) - 1,) * 3]
    return Mesh(
        vertices=vertices.astype(np.float32),
        faces=np.array(faces, np.int32),
        frame=frame,  # type: ignore[arg-type]
        uvs=uvs.astype(np.float32),
        uv_faces=np.array(uv_faces, np.int32),
        texture=quarter_atlas(),
    )
