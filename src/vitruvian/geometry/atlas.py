"""Which point of the surface every texel of an atlas shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.rasterizer import rasterize

_FAR = 1 << 28


@dataclass(frozen=True)
class TexelMap:
    """The covered texels of an atlas, row by row.

    Attributes:
        size: the atlas is ``size`` x ``size`` texels.
        faces: (N,) int32 face that each covered texel shows.
        barycentric: (N, 3) float32 weights of the face's corners there.
        nearest: (size * size,) int32, for every texel the covered one that colours it: itself,
            or the nearest where no face lies, so that filtering and mipmaps never meet the gaps.
    """

    size: int
    faces: np.ndarray
    barycentric: np.ndarray
    nearest: np.ndarray

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Values (V, C) at the corners ``faces`` (F, 3), interpolated to the texels (N, C)."""
        corners = faces[self.faces]
        return np.asarray(
            sum(values[corners[:, k]] * self.barycentric[:, k : k + 1] for k in range(3)),
            np.float32,
        )

    def image(self, colors: np.ndarray) -> np.ndarray:
        """The atlas (size, size, 3) uint8 from the colours (N, 3) uint8 of the covered texels."""
        out = np.empty((self.size, self.size, 3), np.uint8)
        _gather(np.ascontiguousarray(colors, np.uint8), self.nearest, out.reshape(-1, 3))
        return out


@kernel("void(uint8[:,::1],int32[::1],uint8[:,::1])")
def _gather(colors: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    for n in range(len(rows)):
        for c in range(3):
            out[n, c] = colors[rows[n], c]


def texel_map(uvs: np.ndarray, uv_faces: np.ndarray, size: int) -> TexelMap:
    """Rasterise texture coordinates into an atlas.

    Args:
        uvs: (T, 2) in 0..1, origin at the lower left.
        uv_faces: (F, 3) int indices into ``uvs``.
        size: texels along each side.
    """
    pixels = np.stack([uvs[:, 0], 1 - uvs[:, 1]], axis=1) * size
    flat = rasterize(pixels, np.ones(len(uvs), np.float32), uv_faces, size, size)
    count = int(np.count_nonzero(flat.mask))
    found = np.empty(count, np.int32)
    barycentric = np.empty((count, 3), np.float32)
    nearest = np.empty((size, size), np.int32)
    _number(flat.face, flat.barycentric, found, barycentric, nearest)
    if count:
        _spread(nearest, np.where(nearest < 0, _FAR, 0).astype(np.int32))
    return TexelMap(size, found, barycentric, np.maximum(nearest, 0).ravel())


@kernel("void(int32[:,::1],float32[:,:,::1],int32[::1],float32[:,::1],int32[:,::1])")
def _number(
    face: np.ndarray,
    weights: np.ndarray,
    found: np.ndarray,
    barycentric: np.ndarray,
    number: np.ndarray,
) -> None:
    """The covered texels row by row, and the place of each in that list, -1 for gaps."""
    count = 0
    for row in range(face.shape[0]):
        for column in range(face.shape[1]):
            number[row, column] = -1
            if face[row, column] < 0:
                continue
            found[count] = face[row, column]
            for k in range(3):
                barycentric[count, k] = weights[row, column, k]
            number[row, column] = count
            count += 1


@kernel("void(int32[:,::1],int32[:,::1])")
def _spread(number: np.ndarray, distance: np.ndarray) -> None:
    """Give every gap the number of the nearest texel, in place.

    Two passes of the chamfer distance with steps of 5 and 7 (Borgefors, 1986).
    """
    height, width = number.shape
    for turn in range(2):
        for i in range(height):
            row = i if turn == 0 else height - 1 - i
            back = row - 1 if turn == 0 else row + 1
            for j in range(width):
                column = j if turn == 0 else width - 1 - j
                before = column - 1 if turn == 0 else column + 1
                best, whose = distance[row, column], number[row, column]
                if best == 0:
                    continue
                if 0 <= before < width and distance[row, before] + 5 < best:
                    best, whose = distance[row, before] + 5, number[row, before]
                if 0 <= back < height:
                    if distance[back, column] + 5 < best:
                        best, whose = distance[back, column] + 5, number[back, column]
                    for side in (column - 1, column + 1):
                        if 0 <= side < width and distance[back, side] + 7 < best:
                            best, whose = distance[back, side] + 7, number[back, side]
                distance[row, column], number[row, column] = best, whose
