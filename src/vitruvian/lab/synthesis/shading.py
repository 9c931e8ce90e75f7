"""Shading of rasterised samples: textures, wrinkles, ambient light, lamps and their shadows."""

# Compiled functions state their types as Numba signatures.
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel, kernel_part

# Columns of the table of surfaces, float32 (P, 24).
TINT = 0  # 0-2 linear colour
GLOSS = 3  # strength of the highlight
SHININESS = 4  # Blinn-Phong exponent
SCATTER = 5  # how far light wraps around (skin, cloth)
RECOLOR = 6  # 0 texture x tint; 1 tint with the texture's relative brightness
MEAN = 7  # mean luminance of the texture
PATTERN = (
    8  # 0 none, 1 stripes, 2 checks, 3 dots, 4 blotches, 5 ribs and cables, 6 flowers, 7 tweed
)
FREQUENCY = 9  # repeats per metre
SECOND = 10  # 10-12 second linear colour
DUTY = 13  # share of the second colour
DIRECTION = 14  # 14-16 stripes' normal in rest space
CONTRAST = 17  # how much of the texture's relative brightness to keep
CREASE = 18  # how much darker a fold is per metre of depth, as a share
COLUMNS = 24
FOLDS = 3  # the volume of folds that the pose causes


@kernel_part
def _noise(volumes, which, x, y, z, out):
    """Trilinear lookup of one volume of (V, n, n, n, 4) in periodic coordinates."""
    n = volumes.shape[1]
    x = (x - np.floor(x)) * n
    y = (y - np.floor(y)) * n
    z = (z - np.floor(z)) * n
    i, j, k = int(x), int(y), int(z)
    a, b, c = x - i, y - j, z - k
    # Comparisons instead of remainders, and indices instead of slices: both are much faster.
    i, j, k = 0 if i >= n else i, 0 if j >= n else j, 0 if k >= n else k
    i1 = 0 if i + 1 >= n else i + 1
    j1 = 0 if j + 1 >= n else j + 1
    k1 = 0 if k + 1 >= n else k + 1
    for m in range(4):
        front = (volumes[which, i, j, k, m] * (1 - c) + volumes[which, i, j, k1, m] * c) * (
            1 - b
        ) + (volumes[which, i, j1, k, m] * (1 - c) + volumes[which, i, j1, k1, m] * c) * b
        back = (volumes[which, i1, j, k, m] * (1 - c) + volumes[which, i1, j, k1, m] * c) * (
            1 - b
        ) + (volumes[which, i1, j1, k, m] * (1 - c) + volumes[which, i1, j1, k1, m] * c) * b
        out[m] = front * (1 - a) + back * a


@kernel_part
def _texel(texels, offset, height, width, u, v, out):
    """Bilinear lookup of 0..255 values, repeating."""
    fx = (u - np.floor(u)) * width - 0.5
    fy = (1.0 - (v - np.floor(v))) * height - 0.5
    x, y = int(np.floor(fx)), int(np.floor(fy))
    dx, dy = fx - x, fy - y
    x0, x1 = width - 1 if x < 0 else x, 0 if x + 1 >= width else x + 1
    y0, y1 = height - 1 if y < 0 else y, 0 if y + 1 >= height else y + 1
    a, b = offset + y0 * width + x0, offset + y0 * width + x1
    c, d = offset + y1 * width + x0, offset + y1 * width + x1
    for m in range(3):
        out[m] = (texels[a, m] * (1 - dx) + texels[b, m] * dx) * (1 - dy) + (
            texels[c, m] * (1 - dx) + texels[d, m] * dx
        ) * dy


TAPS = 8
_GOLDEN = 2.399963  # the golden angle: taps that fill a disc evenly
_TAP_X = np.sqrt((np.arange(TAPS) + 0.5) / TAPS) * np.cos(_GOLDEN * np.arange(TAPS))
_TAP_Y = np.sqrt((np.arange(TAPS) + 0.5) / TAPS) * np.sin(_GOLDEN * np.arange(TAPS))


@kernel_part
def _lit(shadows, views, m, bias, x, y, z, radius, cosine, sine):
    """Share of the parallel light m that reaches (x, y, z): one tap, or eight on a turned disc."""
    size = shadows.shape[1]
    sx = views[m, 0, 0] * x + views[m, 0, 1] * y + views[m, 0, 2] * z + views[m, 0, 3]
    sy = views[m, 1, 0] * x + views[m, 1, 1] * y + views[m, 1, 2] * z + views[m, 1, 3]
    sz = views[m, 2, 0] * x + views[m, 2, 1] * y + views[m, 2, 2] * z + views[m, 2, 3] - bias
    if radius <= 0:
        i, j = int(sx), int(sy)
        lit = sx < 0 or sy < 0 or i >= size or j >= size or shadows[m, j, i] > sz
        return 1.0 if lit else 0.0
    total = 0.0
    for k in range(TAPS):
        tx = sx + radius * (_TAP_X[k] * cosine - _TAP_Y[k] * sine)
        ty = sy + radius * (_TAP_X[k] * sine + _TAP_Y[k] * cosine)
        i, j = int(tx), int(ty)
        if tx < 0 or ty < 0 or i >= size or j >= size or shadows[m, j, i] > sz:
            total += 1.0
    return total / TAPS


@kernel(
    "void(int64,int64,int64,float32[:,::1],int32[:,::1],float32[:,:,::1],float32[:,::1],"
    "float32[:,::1],float32[:,::1],float32[:,::1],float32[:,::1],int32[:,::1],int32[::1],"
    "uint8[:,::1],"
    "int32[:,::1],int32[:,::1],float32[:,::1],int32[:,::1],float32[:,:,:,::1],"
    "float32[:,:,:,:,::1],float32[::1],float32[:,::1],float32[:,::1],float32[:,::1],"
    "float32[::1],float32[:,:,::1],float32[:,:,::1],float32[::1],boolean,boolean,uint8[:,::1],"
    "float32[:,:,::1],float32[:,:,::1],float32[:,:,::1])",
    fastmath={"contract", "arcp", "nsz"},
)
def shade_rows(
    start,
    stop,
    supersample,
    depth,
    face,
    weight,
    camera_points,
    rest_points,
    normals,
    uvs,
    folds,
    faces,
    part,
    texels,
    texture,
    normal_texture,
    surface,
    wrinkle_volume,
    wrinkle_map,
    volumes,
    gamma,
    harmonics,
    lamp_direction,
    lamp_color,
    lamp_radius,
    shadow_views,
    shadows,
    shadow_bias,
    far,
    share,
    lit_pixels,
    color_out,
    normal_out,
    albedo_out,
):
    """Shade pixels of the rows start..stop, averaging supersample**2 samples each.

    Everything is in the camera frame (y down). ``harmonics`` (9, 3) gives irradiance as a function
    of the normal (Ramamoorthi and Hanrahan, 2001). The first lamps own the first shadow maps; the
    maps after them sample the sky and measure how open a point is. ``far`` shades the farthest
    surface, whose normals look away from the camera. With ``share``, neighbouring samples of one
    part within a pixel are shaded once. Where ``lit_pixels`` (H, W) is 0 there are normals and
    albedo, but no light. Sums are over samples that hit something: divide by the coverage.
    """
    lamps = lamp_direction.shape[0]
    maps = shadows.shape[0]
    texel = np.zeros(3)
    noise = np.zeros(4)
    noise2 = np.zeros(4)
    basis = np.zeros(9)
    light = np.zeros(3)
    last = np.zeros(9)
    for row in range(start, stop):
        for column in range(color_out.shape[1]):
            last_part = -1
            for sy in range(supersample):
                for sx in range(supersample):
                    y, x = row * supersample + sy, column * supersample + sx
                    t = face[y, x]
                    if t < 0:
                        continue
                    a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
                    u1, u2 = weight[y, x, 0], weight[y, x, 1]
                    u0 = 1.0 - u1 - u2
                    k = part[t]
                    if share and k == last_part:
                        for m in range(3):
                            normal_out[row, column, m] += last[m]
                            albedo_out[row, column, m] += last[3 + m]
                            color_out[row, column, m] += last[6 + m]
                        continue
                    last_part = k
                    px = (
                        u0 * camera_points[a, 0]
                        + u1 * camera_points[b, 0]
                        + u2 * camera_points[c, 0]
                    )
                    py = (
                        u0 * camera_points[a, 1]
                        + u1 * camera_points[b, 1]
                        + u2 * camera_points[c, 1]
                    )
                    pz = (
                        u0 * camera_points[a, 2]
                        + u1 * camera_points[b, 2]
                        + u2 * camera_points[c, 2]
                    )
                    rx = u0 * rest_points[a, 0] + u1 * rest_points[b, 0] + u2 * rest_points[c, 0]
                    ry = u0 * rest_points[a, 1] + u1 * rest_points[b, 1] + u2 * rest_points[c, 1]
                    rz = u0 * rest_points[a, 2] + u1 * rest_points[b, 2] + u2 * rest_points[c, 2]
                    nx = u0 * normals[a, 0] + u1 * normals[b, 0] + u2 * normals[c, 0]
                    ny = u0 * normals[a, 1] + u1 * normals[b, 1] + u2 * normals[c, 1]
                    nz = u0 * normals[a, 2] + u1 * normals[b, 2] + u2 * normals[c, 2]
                    scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
                    nx, ny, nz = nx * scale, ny * scale, nz * scale
                    scale = -1.0 / np.sqrt(px * px + py * py + pz * pz)
                    vx, vy, vz = px * scale, py * scale, pz * scale
                    facing = nx * vx + ny * vy + nz * vz
                    side = 1.0
                    if (facing < 0) != far:
                        side = -1.0
                        nx, ny, nz = -nx, -ny, -nz
                    u = u0 * uvs[a, 0] + u1 * uvs[b, 0] + u2 * uvs[c, 0]
                    v = u0 * uvs[a, 1] + u1 * uvs[b, 1] + u2 * uvs[c, 1]
                    # Slopes of wrinkles (rest space) and of the normal map (texture space), as
                    # height differences along the two edges of the triangle.
                    d1, d2, height = 0.0, 0.0, 0.0
                    for m in range(3):
                        volume = wrinkle_volume[k, m]
                        if volume < 0:
                            continue
                        qx = (
                            wrinkle_map[k, m, 0, 0] * rx
                            + wrinkle_map[k, m, 0, 1] * ry
                            + wrinkle_map[k, m, 0, 2] * rz
                            + wrinkle_map[k, m, 0, 3]
                        )
                        qy = (
                            wrinkle_map[k, m, 1, 0] * rx
                            + wrinkle_map[k, m, 1, 1] * ry
                            + wrinkle_map[k, m, 1, 2] * rz
                            + wrinkle_map[k, m, 1, 3]
                        )
                        qz = (
                            wrinkle_map[k, m, 2, 0] * rx
                            + wrinkle_map[k, m, 2, 1] * ry
                            + wrinkle_map[k, m, 2, 2] * rz
                            + wrinkle_map[k, m, 2, 3]
                        )
                        _noise(volumes, volume, qx, qy, qz, noise)
                        _noise(
                            volumes, 0, 0.31 * qx + 0.3, 0.31 * qy + 0.1, 0.31 * qz + 0.7, noise2
                        )
                        amount = wrinkle_map[k, m, 0, 4] * min(
                            1.6, max(0.05, 0.6 + 0.7 * noise2[0])
                        )
                        height += amount * noise[0]
                        gx = amount * (
                            wrinkle_map[k, m, 0, 0] * noise[1]
                            + wrinkle_map[k, m, 1, 0] * noise[2]
                            + wrinkle_map[k, m, 2, 0] * noise[3]
                        )
                        gy = amount * (
                            wrinkle_map[k, m, 0, 1] * noise[1]
                            + wrinkle_map[k, m, 1, 1] * noise[2]
                            + wrinkle_map[k, m, 2, 1] * noise[3]
                        )
                        gz = amount * (
                            wrinkle_map[k, m, 0, 2] * noise[1]
                            + wrinkle_map[k, m, 1, 2] * noise[2]
                            + wrinkle_map[k, m, 2, 2] * noise[3]
                        )
                        d1 += (
                            gx * (rest_points[b, 0] - rest_points[a, 0])
                            + gy * (rest_points[b, 1] - rest_points[a, 1])
                            + gz * (rest_points[b, 2] - rest_points[a, 2])
                        )
                        d2 += (
                            gx * (rest_points[c, 0] - rest_points[a, 0])
                            + gy * (rest_points[c, 1] - rest_points[a, 1])
                            + gz * (rest_points[c, 2] - rest_points[a, 2])
                        )
                    amount = u0 * folds[a, 3] + u1 * folds[b, 3] + u2 * folds[c, 3]
                    if amount > 0:  # folds that the pose causes, in coordinates of their own
                        _noise(
                            volumes,
                            FOLDS,
                            u0 * folds[a, 0] + u1 * folds[b, 0] + u2 * folds[c, 0],
                            u0 * folds[a, 1] + u1 * folds[b, 1] + u2 * folds[c, 1],
                            u0 * folds[a, 2] + u1 * folds[b, 2] + u2 * folds[c, 2],
                            noise,
                        )
                        height += amount * noise[0]
                        for m in range(3):
                            d1 += amount * noise[1 + m] * (folds[b, m] - folds[a, m])
                            d2 += amount * noise[1 + m] * (folds[c, m] - folds[a, m])
                    e1x = camera_points[b, 0] - camera_points[a, 0]
                    e1y = camera_points[b, 1] - camera_points[a, 1]
                    e1z = camera_points[b, 2] - camera_points[a, 2]
                    e2x = camera_points[c, 0] - camera_points[a, 0]
                    e2y = camera_points[c, 1] - camera_points[a, 1]
                    e2z = camera_points[c, 2] - camera_points[a, 2]
                    if normal_texture[k, 1] > 0:
                        # Tangents from the triangle's texture coordinates.
                        s1, t1 = uvs[b, 0] - uvs[a, 0], uvs[b, 1] - uvs[a, 1]
                        s2, t2 = uvs[c, 0] - uvs[a, 0], uvs[c, 1] - uvs[a, 1]
                        det = s1 * t2 - s2 * t1
                        if abs(det) > 1e-12:
                            _texel(
                                texels,
                                normal_texture[k, 0],
                                normal_texture[k, 1],
                                normal_texture[k, 2],
                                u,
                                v,
                                texel,
                            )
                            mx = texel[0] / 127.5 - 1.0
                            my = texel[1] / 127.5 - 1.0
                            mz = max(0.3, texel[2] / 127.5 - 1.0)
                            tx, ty, tz = (
                                (e1x * t2 - e2x * t1) / det,
                                (e1y * t2 - e2y * t1) / det,
                                (e1z * t2 - e2z * t1) / det,
                            )
                            bx, by, bz = (
                                (e2x * s1 - e1x * s2) / det,
                                (e2y * s1 - e1y * s2) / det,
                                (e2z * s1 - e1z * s2) / det,
                            )
                            lt = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-12
                            lb = np.sqrt(bx * bx + by * by + bz * bz) + 1e-12
                            mx, my = mx / mz / lt, my / mz / lb
                            nx += mx * tx + my * bx
                            ny += mx * ty + my * by
                            nz += mx * tz + my * bz
                    if wrinkle_volume[k, 0] >= 0 or amount > 0:
                        e11 = e1x * e1x + e1y * e1y + e1z * e1z
                        e12 = e1x * e2x + e1y * e2y + e1z * e2z
                        e22 = e2x * e2x + e2y * e2y + e2z * e2z
                        det = e11 * e22 - e12 * e12
                        if det > 1e-16:
                            k1 = (e22 * d1 - e12 * d2) / det
                            k2 = (e11 * d2 - e12 * d1) / det
                            gx, gy, gz = (
                                k1 * e1x + k2 * e2x,
                                k1 * e1y + k2 * e2y,
                                k1 * e1z + k2 * e2z,
                            )
                            steep = np.sqrt(gx * gx + gy * gy + gz * gz)
                            limit = side * min(1.0, 1.2 / (steep + 1e-9))
                            nx -= gx * limit
                            ny -= gy * limit
                            nz -= gz * limit
                    scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
                    nx, ny, nz = nx * scale, ny * scale, nz * scale
                    facing = nx * vx + ny * vy + nz * vz
                    if (facing < 0) != far:  # bent past the silhouette: bend back to it
                        nx, ny, nz = nx - facing * vx, ny - facing * vy, nz - facing * vz
                        scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
                        nx, ny, nz = nx * scale, ny * scale, nz * scale
                        facing = 0.0
                    normal_out[row, column, 0] += nx
                    normal_out[row, column, 1] += ny
                    normal_out[row, column, 2] += nz
                    last[0], last[1], last[2] = nx, ny, nz
                    # Colour.
                    _texel(texels, texture[k, 0], texture[k, 1], texture[k, 2], u, v, texel)
                    for m in range(3):
                        texel[m] = gamma[int(texel[m] * 16.0)]
                    mix, third = 0.0, 0.0
                    kind = int(surface[k, PATTERN])
                    if kind > 0:
                        f = surface[k, FREQUENCY]
                        q = (rx * surface[k, 14] + ry * surface[k, 15] + rz * surface[k, 16]) * f
                        r = (rx * surface[k, 15] - ry * surface[k, 14] + rz * surface[k, 16]) * f
                        if kind == 1:
                            mix = 1.0 if q - np.floor(q) < surface[k, DUTY] else 0.0
                        elif kind == 2:
                            mix = (0.5 if q - np.floor(q) < surface[k, DUTY] else 0.0) + (
                                0.5 if r - np.floor(r) < surface[k, DUTY] else 0.0
                            )
                        elif kind == 3:
                            dx, dy = q - np.floor(q) - 0.5, r - np.floor(r) - 0.5
                            mix = 1.0 if dx * dx + dy * dy < 0.2 * surface[k, DUTY] else 0.0
                        elif kind == 5:  # light and dark as of a knit, which is flat from afar
                            mix = surface[k, DUTY] * (
                                0.5 + 0.5 * np.sin(6.2831853 * (q + 0.3 * np.sin(1.7 * r)))
                            )
                        elif kind == 7:
                            _noise(volumes, 5, rx * f, ry * f, rz * f, noise)
                            mix = 1.0 / (1.0 + np.exp(-2.5 * noise[0]))
                        else:
                            volume = 1 if kind == 4 else 5
                            _noise(
                                volumes, volume, rx * f * 0.15, ry * f * 0.15, rz * f * 0.15, noise
                            )
                            mix = 1.0 / (1.0 + np.exp(-8.0 * (noise[0] - 0.3)))
                            if kind == 6:  # a third colour, that of light and the second turned
                                _noise(volumes, 6, rx * f * 0.3, ry * f * 0.3, rz * f * 0.3, noise)
                                third = 1.0 / (1.0 + np.exp(-6.0 * (noise[0] - 0.2)))
                    if surface[k, RECOLOR] > 0:
                        lum = 0.25 * texel[0] + 0.65 * texel[1] + 0.1 * texel[2]
                        lum = 1.0 + (lum / surface[k, MEAN] - 1.0) * surface[k, CONTRAST]
                        for m in range(3):
                            second = (1 - third) * surface[k, SECOND + m] + third * surface[
                                k, SECOND + (m + 1) % 3
                            ]
                            texel[m] = (surface[k, m] * (1 - mix) + second * mix) * max(0.0, lum)
                    else:
                        for m in range(3):
                            second = (1 - third) * surface[k, SECOND + m] + third * surface[
                                k, SECOND + (m + 1) % 3
                            ]
                            texel[m] *= surface[k, m] * (1 - mix) + second * mix
                    albedo_out[row, column, 0] += texel[0]
                    albedo_out[row, column, 1] += texel[1]
                    albedo_out[row, column, 2] += texel[2]
                    last[3], last[4], last[5] = texel[0], texel[1], texel[2]
                    if lit_pixels[row, column] == 0:
                        last[6], last[7], last[8] = 0.0, 0.0, 0.0
                        continue
                    # Light: how open the point is, ambient, lamps.
                    openness, total = 0.0, 0.0
                    for m in range(lamps, maps):
                        toward = -(
                            nx * shadow_views[m, 2, 4]
                            + ny * shadow_views[m, 2, 5]
                            + nz * shadow_views[m, 2, 6]
                        )
                        toward = max(0.0, toward * 0.8 + 0.2)
                        if toward <= 0:
                            continue
                        total += toward
                        openness += toward * _lit(
                            shadows,
                            shadow_views,
                            m,
                            0.6 * shadow_bias[m],
                            px + nx * shadow_bias[m],
                            py + ny * shadow_bias[m],
                            pz + nz * shadow_bias[m],
                            0.0,
                            1.0,
                            0.0,
                        )
                    openness = 0.12 + 0.88 * openness / total if total > 0 else 1.0
                    # Less light reaches the bottom of a fold, whatever the light.
                    crease = min(1.15, max(0.3, 1.0 + surface[k, CREASE] * height * side))
                    openness *= crease
                    crease = 0.5 + 0.5 * min(1.0, crease)
                    basis[0] = 1.0
                    basis[1], basis[2], basis[3] = ny, nz, nx
                    basis[4], basis[5], basis[7] = nx * ny, ny * nz, nx * nz
                    basis[6] = 3.0 * nz * nz - 1.0
                    basis[8] = nx * nx - ny * ny
                    for m in range(3):
                        value = 0.0
                        for j in range(9):
                            value += harmonics[j, m] * basis[j]
                        light[m] = max(0.0, value) * openness
                    shine = 0.0
                    h = np.sin(px * 913.7 + py * 517.3 + pz * 331.9) * 43758.5453
                    jitter = (h - np.floor(h)) * 6.2831853
                    jitter_cosine, jitter_sine = np.cos(jitter), np.sin(jitter)
                    for m in range(lamps):
                        lx, ly, lz = (
                            lamp_direction[m, 0],
                            lamp_direction[m, 1],
                            lamp_direction[m, 2],
                        )
                        cosine = nx * lx + ny * ly + nz * lz
                        wrap = surface[k, SCATTER]
                        soft = (cosine + wrap) / (1.0 + wrap)
                        if soft <= 0:
                            continue
                        lit = _lit(
                            shadows,
                            shadow_views,
                            m,
                            0.6 * shadow_bias[m],
                            px + nx * shadow_bias[m],
                            py + ny * shadow_bias[m],
                            pz + nz * shadow_bias[m],
                            lamp_radius[m],
                            jitter_cosine,
                            jitter_sine,
                        )
                        if lit <= 0:
                            continue
                        lit *= crease
                        sharp = max(0.0, cosine)
                        for j in range(3):
                            # Red light travels farthest under skin.
                            reach = soft if j == 0 else (0.55 * soft + 0.45 * sharp)
                            light[j] += lamp_color[m, j] * reach * lit
                        hx, hy, hz = lx + vx, ly + vy, lz + vz
                        scale = 1.0 / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                        peak = max(0.0, (nx * hx + ny * hy + nz * hz) * scale)
                        shine += (
                            lit
                            * sharp
                            * surface[k, GLOSS]
                            * (surface[k, SHININESS] + 8.0)
                            / 25.0
                            * peak ** surface[k, SHININESS]
                            * lamp_color[m, 1]
                        )
                    rim = (1.0 - max(0.0, facing)) ** 4 * surface[k, GLOSS] * 0.25 * light[1]
                    for m in range(3):
                        last[6 + m] = texel[m] * light[m] + shine + rim
                        color_out[row, column, m] += last[6 + m]
