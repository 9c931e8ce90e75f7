"""A normal map for the clothed mesh: what the maps network sees and the mesh is too coarse for.

Where a texel is what the camera sees, or the farthest that its ray meets, the difference of the
network's normal and the mesh's own is added to the latter. Broad differences are left out: the
mesh knows better where limbs are, and a lamp would show them as stains.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vitruvian.compute import SideBySide, kernel, kernel_part, thread_count
from vitruvian.geometry.atlas import TexelMap, texel_map
from vitruvian.geometry.normal_map import FLAT, corner_tangents
from vitruvian.geometry.normals import vertex_normals
from vitruvian.networks.maps import draw_body
from vitruvian.surface.maps import SurfaceMaps
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh

SIZE = 512  # texels along the atlas: the front gets about one for each pixel of the maps
_BROAD = 24 / 457  # sigma, of the figure's longer side, of differences that are left out
_COARSER = 4  # the broad part is smooth: it is found in a picture so much smaller
_LIMIT = 0.7  # a difference as long as this is halved, longer ones never double it
_NEAR_M = 0.02  # of the seen depth, or the mesh hides the texel
_ELSEWHERE_M = 0.04  # between the mesh and what the maps are of: another layer
_LEAP_M = (0.03, 0.06)  # of depth within two pixels of the maps, beside which nothing is drawn
_FACING = (0.15, 0.4)  # cosine to the ray from which, and at which, a texel is trusted


def with_normal_map(
    mesh: Mesh,
    maps: SurfaceMaps,
    model: ParametricModel,
    *,
    depths: np.ndarray | None = None,
    texels: TexelMap | None = None,
) -> Mesh:
    """The mesh with a ``normal_map`` that brings it to the normals of ``maps``.

    Args:
        mesh: camera frame, with texture coordinates and ``body_vertices``.
        maps: what the network says.
        model: the body model; its face and hands are finer than the maps and stay as they are, so
            do its feet.
        depths: (2, H, W) metres, of the first and the last surface that ``maps`` are of, where that
            is not the mesh: what lies before or behind the mesh is not drawn upon it.
        texels: of the mesh's atlas, where they are known.
    """
    if mesh.uvs is None or mesh.uv_faces is None or mesh.body_vertices is None:
        raise ValueError("a normal map needs uvs, uv_faces and body_vertices")
    normals = vertex_normals(mesh.vertices, mesh.faces)
    with SideBySide() as pool:
        laid_out = None
        if texels is None:
            laid_out = pool.submit(texel_map, mesh.uvs, mesh.uv_faces, SIZE)
        tangents = corner_tangents(mesh.vertices, mesh.faces, normals, mesh.uvs, mesh.uv_faces)
        camera = maps.camera
        drawn = draw_body(mesh.vertices, mesh.faces, normals, camera, 0.0, 1.0)
        own_depths = np.stack([drawn.front_depth, drawn.back_depth])
        near = np.broadcast_to(drawn.covered, own_depths.shape)
        if depths is not None:
            near = near & (np.abs(depths - own_depths) < _ELSEWHERE_M)
        differences = np.stack(
            [
                _fine_difference(target, own, there) * _in_the_open(depth, there)
                for target, own, depth, there in (
                    (maps.front_normals, drawn.front_normals, drawn.front_depth, near[0]),
                    (maps.back_normals, drawn.back_normals, drawn.back_depth, near[1]),
                )
            ]
        )
        if laid_out is not None:
            texels = laid_out.result()
    assert texels is not None
    regions = model.regions
    # Feet: the network draws the body's toes upon shoes.
    body_own = np.maximum.reduce([regions.face, regions.hand, regions.foot])
    keep = 1 - body_own[mesh.body_vertices]
    values = np.concatenate([mesh.vertices, normals, keep[:, None]], axis=1)
    values = np.ascontiguousarray(values, np.float32)
    colors = np.empty((len(texels.faces), 3), np.uint8)
    pieces = thread_count()
    bounds = np.linspace(0, len(colors), pieces + 1).astype(int)
    cx, cy = camera.principal_point

    def work(piece: int) -> None:
        chosen = slice(bounds[piece], bounds[piece + 1])
        _encode(
            texels.faces[chosen],
            texels.barycentric[chosen],
            mesh.faces,
            values,
            mesh.uv_faces,
            tangents,
            differences,
            own_depths,
            float(camera.focal_px),
            float(cx),
            float(cy),
            colors[chosen],
        )

    with SideBySide() as pool:
        pool.map(work, range(pieces))
    if not len(colors):
        return mesh
    return replace(mesh, normal_map=texels.image(colors))


def _fine_difference(target: np.ndarray, own: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: what is fine of ``target - own`` within the mask, of limited length."""
    weight = mask.astype(np.float32)
    difference = (target - own) * weight[..., None]
    height, width = (max(side // _COARSER, 1) for side in mask.shape)
    longer = max(
        (np.ptp(np.flatnonzero(mask.any(axis))) for axis in (0, 1) if mask.any()), default=1
    )
    sigma = max(_BROAD * longer / _COARSER, 0.5)
    sums, counts = (
        cv2.GaussianBlur(
            cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA), (0, 0), sigma
        )
        for one in (difference, weight)
    )
    broad = cv2.resize(sums / np.maximum(counts, 1e-6)[..., None], mask.shape[::-1])
    fine = (difference - broad) * weight[..., None]
    length = np.sqrt(np.einsum("hwc,hwc->hw", fine, fine))[..., None]
    fine *= _LIMIT * np.tanh(length / _LIMIT) / np.maximum(length, 1e-6)
    return np.ascontiguousarray(fine, np.float32)


def _in_the_open(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 1) float32 0..1: 0 beside leaps of depth. A wall along the rays there is as narrow as
    a texel in the atlas, and would be drawn with what belongs beside it, in streaks."""
    around = np.ones((3, 3), np.uint8)
    inside = mask.astype(np.float32)
    low, high = (
        operation(np.where(mask, depth, beyond).astype(np.float32), around)
        for operation, beyond in ((cv2.erode, 1e3), (cv2.dilate, -1e3))
    )
    steady = 1 - np.clip((high - low - _LEAP_M[0]) / (_LEAP_M[1] - _LEAP_M[0]), 0, 1)
    return np.asarray(cv2.erode(steady * inside, around)[..., None], np.float32)


@kernel_part
def _step(value: float, start: float, end: float) -> float:
    """Smooth step from 0 at ``start`` to 1 at ``end``."""
    t = min(max((value - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@kernel(
    "void(int32[::1],float32[:,::1],int32[:,::1],float32[:,::1],int32[:,::1],float32[:,::1],"
    "float32[:,:,:,::1],float32[:,:,::1],float64,float64,float64,uint8[:,::1])"
)
def _encode(
    texel_faces: np.ndarray,
    barycentric: np.ndarray,
    faces: np.ndarray,
    vertex_values: np.ndarray,
    uv_faces: np.ndarray,
    tangents: np.ndarray,
    differences: np.ndarray,
    depths: np.ndarray,
    focal: float,
    cx: float,
    cy: float,
    out: np.ndarray,
) -> None:
    """Tangent-space normals of texels; ``differences`` (2, H, W, 3) and ``depths`` (2, H, W) are of
    front and back, ``vertex_values`` (V, 7) position, normal and share of the difference."""
    height, width = depths.shape[1], depths.shape[2]
    p, t, d = np.empty(7), np.empty(3), np.empty(3)
    for n in range(len(texel_faces)):
        face = texel_faces[n]
        out[n, 0], out[n, 1], out[n, 2] = FLAT
        p[:], t[:] = 0.0, 0.0
        sign = 0.0
        for corner in range(3):
            weight = barycentric[n, corner]
            at = uv_faces[face, corner]
            sign += weight * tangents[at, 3]
            for k in range(7):
                p[k] += weight * vertex_values[faces[face, corner], k]
            for k in range(3):
                t[k] += weight * tangents[at, k]
        if p[2] <= 0.05:
            continue
        u, v = p[0] / p[2] * focal + cx - 0.5, p[1] / p[2] * focal + cy - 0.5
        if not (0 <= u < width - 1 and 0 <= v < height - 1):
            continue
        length = max(np.sqrt(p[3] * p[3] + p[4] * p[4] + p[5] * p[5]), 1e-9)
        nx, ny, nz = p[3] / length, p[4] / length, p[5] / length
        ray = np.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
        facing = -(nx * p[0] + ny * p[1] + nz * p[2]) / ray
        which = 0 if facing > 0 else 1
        row, column = int(v + 0.5), int(u + 0.5)
        off = p[2] - depths[0, row, column] if which == 0 else depths[1, row, column] - p[2]
        share = p[6] * _step(abs(facing), _FACING[0], _FACING[1])
        share *= 1 - _step(off, 0.5 * _NEAR_M, _NEAR_M)
        if share <= 0:
            continue
        column, row = int(u), int(v)
        right, down = u - column, v - row
        for k in range(3):
            above = (1 - right) * differences[which, row, column, k]
            above += right * differences[which, row, column + 1, k]
            below = (1 - right) * differences[which, row + 1, column, k]
            below += right * differences[which, row + 1, column + 1, k]
            d[k] = share * ((1 - down) * above + down * below)
        x, y, z = nx + d[0], ny + d[1], nz + d[2]
        along = nx * t[0] + ny * t[1] + nz * t[2]
        tx, ty, tz = t[0] - along * nx, t[1] - along * ny, t[2] - along * nz
        length = max(np.sqrt(tx * tx + ty * ty + tz * tz), 1e-9)
        tx, ty, tz = tx / length, ty / length, tz / length
        w = 1.0 if sign >= 0 else -1.0
        bx, by, bz = w * (ny * tz - nz * ty), w * (nz * tx - nx * tz), w * (nx * ty - ny * tx)
        a, b, c = x * tx + y * ty + z * tz, x * bx + y * by + z * bz, x * nx + y * ny + z * nz
        c = max(c, 0.1)  # the map never looks into the surface
        length = np.sqrt(a * a + b * b + c * c)
        out[n, 0] = int((a / length + 1) * 127.5 + 0.5)
        out[n, 1] = int((b / length + 1) * 127.5 + 0.5)
        out[n, 2] = int((c / length + 1) * 127.5 + 0.5)
