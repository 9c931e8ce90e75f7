"""Colours of rasterised surfaces from their texture, in one pass."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.rasterizer import Fragments


def shade_texture(
    fragments: Fragments,
    uvs: np.ndarray,
    uv_faces: np.ndarray,
    texture: np.ndarray,
    *,
    supersample: int = 1,
) -> np.ndarray:
    """The texture as seen through fragments, averaged over blocks of samples.

    Args:
        fragments: of (H, W) samples; both sizes are multiples of ``supersample``.
        uvs: (T, 2) texture coordinates, origin at the lower left.
        uv_faces: (F, 3) int indices into ``uvs``.
        texture: (h, w, 3) uint8, read with bilinear interpolation, clamped at its border.
        supersample: samples per pixel along each axis.

    Returns:
        (H / supersample, W / supersample, 4) uint8 with straight alpha: the share of the samples
        that see the surface, and their mean colour.
    """
    height, width = (side // supersample for side in fragments.face.shape)
    out = np.zeros((height, width, 4), np.uint8)
    _shade(
        np.ascontiguousarray(fragments.face),
        np.ascontiguousarray(fragments.barycentric),
        np.ascontiguousarray(uvs, np.float32),
        np.ascontiguousarray(uv_faces, np.int32),
        np.ascontiguousarray(texture),
        supersample,
        out,
    )
    return out


# Gathering, remapping and averaging as arrays moves every sample through memory some ten times.
@kernel(
    "void(int32[:,::1],float32[:,:,::1],float32[:,::1],int32[:,::1],uint8[:,:,::1],int64,"
    "uint8[:,:,::1])"
)
def _shade(
    face: np.ndarray,
    barycentric: np.ndarray,
    uvs: np.ndarray,
    uv_faces: np.ndarray,
    texture: np.ndarray,
    supersample: int,
    out: np.ndarray,
) -> None:
    rows, columns = texture.shape[0], texture.shape[1]
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            red = green = blue = 0.0
            count = 0
            for i in range(row * supersample, (row + 1) * supersample):
                for j in range(column * supersample, (column + 1) * supersample):
                    t = face[i, j]
                    if t < 0:
                        continue
                    u = v = 0.0
                    for corner in range(3):
                        u += barycentric[i, j, corner] * uvs[uv_faces[t, corner], 0]
                        v += barycentric[i, j, corner] * uvs[uv_faces[t, corner], 1]
                    x = min(max(u * columns - 0.5, 0.0), columns - 1.0)
                    y = min(max((1 - v) * rows - 0.5, 0.0), rows - 1.0)
                    x0, y0 = int(x), int(y)
                    x1, y1 = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1)
                    right, down = x - x0, y - y0
                    w00, w01 = (1 - right) * (1 - down), right * (1 - down)
                    w10, w11 = (1 - right) * down, right * down
                    red += (
                        w00 * texture[y0, x0, 0]
                        + w01 * texture[y0, x1, 0]
                        + w10 * texture[y1, x0, 0]
                        + w11 * texture[y1, x1, 0]
                    )
                    green += (
                        w00 * texture[y0, x0, 1]
                        + w01 * texture[y0, x1, 1]
                        + w10 * texture[y1, x0, 1]
                        + w11 * texture[y1, x1, 1]
                    )
                    blue += (
                        w00 * texture[y0, x0, 2]
                        + w01 * texture[y0, x1, 2]
                        + w10 * texture[y1, x0, 2]
                        + w11 * texture[y1, x1, 2]
                    )
                    count += 1
            if count:
                out[row, column, 0] = int(red / count + 0.5)
                out[row, column, 1] = int(green / count + 0.5)
                out[row, column, 2] = int(blue / count + 0.5)
                out[row, column, 3] = int(255 * count / (supersample * supersample) + 0.5)
