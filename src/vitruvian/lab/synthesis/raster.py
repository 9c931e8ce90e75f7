"""Rasterise textured, partly transparent geometry: nearest and farthest surface, all layers."""

# Compiled functions state their types as Numba signatures.
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel, kernel_part
from vitruvian.geometry.triangles import corner_weights, pixels_within, twice_area

# texels: uint8 (M, 4) of all textures end to end; texture: int32 (P, 3) offset, height, width.


@kernel_part
def _alpha(texels, texture, part, u, v):
    """Alpha 0..255 of a part's texture at (u, v), nearest texel."""
    height, width = texture[part, 1], texture[part, 2]
    x = min(width - 1, int((u - np.floor(u)) * width))
    y = min(height - 1, int((1.0 - (v - np.floor(v))) * height))
    return texels[texture[part, 0] + y * width + x, 3]


@kernel_part
def _hash(x, y, t):
    """A uniform number in 0..255 from integers: dithers alpha between neighbouring samples."""
    h = np.uint32(x) * np.uint32(0x9E3779B1)
    h ^= np.uint32(y) * np.uint32(0x85EBCA77)
    h ^= np.uint32(t) * np.uint32(0xC2B2AE3D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x2C1B3C6D)
    h ^= h >> np.uint32(12)
    return np.int64(h & np.uint32(255))


@kernel("void(float32[:,::1],float32,float64,float64,float64,float32[:,::1])")
def project(points, focal, principal_x, principal_y, supersample, out):
    """Samples and depth (V, 3) of camera-frame points (V, 3); nonsense behind the camera."""
    for v in range(points.shape[0]):
        z = points[v, 2]
        safe = z if z > np.float32(0.01) else np.float32(1.0)
        out[v, 0] = (points[v, 0] / safe * focal + principal_x) * supersample
        out[v, 1] = (points[v, 1] / safe * focal + principal_y) * supersample
        out[v, 2] = z


@kernel("void(float32[:,::1],uint8[::1],float64[:,::1],float64[::1],float64[::1])")
def extent(points, used, axes, low, high):
    """Least and greatest coordinates (2,) of the used points (V, 3) along axes (3, 3)."""
    low[:], high[:] = np.inf, -np.inf
    for v in range(points.shape[0]):
        if used[v]:
            for k in range(2):
                at = (
                    axes[k, 0] * points[v, 0]
                    + axes[k, 1] * points[v, 1]
                    + axes[k, 2] * points[v, 2]
                )
                low[k], high[k] = min(low[k], at), max(high[k], at)


@kernel("void(float32[:,::1],float32[:,:],float32[:,::1])")
def map_points(points, view, out):
    """Points (V, 3) through the rows of a view (3, 4 and more)."""
    for v in range(points.shape[0]):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        for k in range(3):
            out[v, k] = view[k, 0] * x + view[k, 1] * y + view[k, 2] * z + view[k, 3]


@kernel(
    "void(float32[:,::1],int32[::1],int32[:,::1],float32[:,::1],int32[::1],uint8[::1],"
    "uint8[:,::1],int32[:,::1],boolean,float32[:,::1],int32[:,::1],float32[:,:,::1])"
)
def rasterize_surface(
    points, chosen, faces, uvs, part, cutout, texels, texture, far, depth_out, face_out, weight_out
):
    """Nearest (or, with ``far``, farthest) surface per sample.

    points (V, 3) samples and depth, chosen (C,): the faces to draw, faces (F, 3), uvs (V, 2),
    part (F,), cutout (P,): whether the part's alpha matters. depth_out comes filled with inf
    (or -inf), face_out with -1; weight_out (H, W, 2) receives the perspective-correct weights of
    corners 1 and 2.
    """
    height, width = face_out.shape
    sign = np.float32(-1.0) if far else np.float32(1.0)
    for q in range(chosen.shape[0]):
        t = chosen[q]
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        z0, z1, z2 = points[a, 2], points[b, 2], points[c, 2]
        if z0 < 0.05 or z1 < 0.05 or z2 < 0.05:
            continue
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        left, right, top, bottom = pixels_within(x0, y0, x1, y1, x2, y2, width, height)
        if left > right or top > bottom:
            continue
        area = twice_area(x0, y0, x1, y1, x2, y2)
        if abs(area) < 1e-8:
            continue
        inverse = 1.0 / area
        i0, i1, i2 = 1.0 / z0, 1.0 / z1, 1.0 / z2
        cut = cutout[part[t]]
        for y in range(top, bottom + 1):
            py = y + 0.5
            for x in range(left, right + 1):
                px = x + 0.5
                w0, w1, w2 = corner_weights(px, py, x0, y0, x1, y1, x2, y2, inverse)
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                z = 1.0 / (w0 * i0 + w1 * i1 + w2 * i2)
                if sign * z >= sign * depth_out[y, x]:
                    continue
                u1, u2 = w1 * i1 * z, w2 * i2 * z
                if cut:
                    u0 = 1.0 - u1 - u2
                    u = u0 * uvs[a, 0] + u1 * uvs[b, 0] + u2 * uvs[c, 0]
                    v = u0 * uvs[a, 1] + u1 * uvs[b, 1] + u2 * uvs[c, 1]
                    level = np.int64(_alpha(texels, texture, part[t], u, v))
                    if level < 25 or (level < 230 and level <= _hash(x, y, q)):
                        continue
                depth_out[y, x] = z
                face_out[y, x] = t
                weight_out[y, x, 0] = u1
                weight_out[y, x, 1] = u2


@kernel(
    "void(float32[:,::1],int32[:,::1],float32[:,::1],int32[::1],uint8[::1],"
    "uint8[:,::1],int32[:,::1],float32[:,::1])"
)
def rasterize_shadow(points, faces, uvs, part, cutout, texels, texture, depth_out):
    """Nearest depth seen along a parallel light (orthographic), half-transparent parts solid.

    points (V, 3): map pixels and depth.
    """
    height, width = depth_out.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        left, right, top, bottom = pixels_within(x0, y0, x1, y1, x2, y2, width, height)
        if left > right or top > bottom:
            continue
        area = twice_area(x0, y0, x1, y1, x2, y2)
        if abs(area) < 1e-8:
            continue
        inverse = 1.0 / area
        cut = cutout[part[t]]
        for y in range(top, bottom + 1):
            py = y + 0.5
            for x in range(left, right + 1):
                px = x + 0.5
                w0, w1, w2 = corner_weights(px, py, x0, y0, x1, y1, x2, y2, inverse)
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                z = w0 * points[a, 2] + w1 * points[b, 2] + w2 * points[c, 2]
                if z >= depth_out[y, x]:
                    continue
                if cut:
                    u = w0 * uvs[a, 0] + w1 * uvs[b, 0] + w2 * uvs[c, 0]
                    v = w0 * uvs[a, 1] + w1 * uvs[b, 1] + w2 * uvs[c, 1]
                    if _alpha(texels, texture, part[t], u, v) < 128:
                        continue
                depth_out[y, x] = z
