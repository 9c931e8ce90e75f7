"""Which point of the surface every texel of an atlas shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from vitruvian.geometry.rasterizer import rasterize


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


@numba.njit("void(uint8[:,::1],int32[::1],uint8[:,::1])", cache=True, nogil=True)
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
    covered = flat.mask
    # Labels of the nearest zero pixel, and from them the texel's running number.
    gaps = (~covered).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        gaps, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    number_of_label = np.zeros(int(labels.max()) + 1, np.int32)
    number_of_label[labels[covered]] = np.arange(np.count_nonzero(covered), dtype=np.int32)
    return TexelMap(
        size, flat.face[covered], flat.barycentric[covered], number_of_label[labels].ravel()
    )
