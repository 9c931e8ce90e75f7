"""Looking up points of a surface in the photograph that shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.regions import HEAD, LEFT_ARM, RIGHT_ARM, TRUNK
from vitruvian.compute import SideBySide, kernel, kernel_part, thread_count
from vitruvian.geometry.atlas import TexelMap
from vitruvian.geometry.normals import vertex_normals
from vitruvian.texture.view import View
from vitruvian.types.mesh import Mesh

_ARM_GAP = (0.05, 0.11)  # metres before the surface from which, to which, an arm is in the way
_DEPTH_TOLERANCE = 0.025  # metres behind the nearest surface that still count as seen


@dataclass(frozen=True)
class Lookup:
    """What the photograph says of N points.

    Attributes:
        colors: (N, 3) float32 sRGB 0..255 at each point's place in the photograph.
        back_colors: (N, 3) likewise in the picture of the back.
        seen: (N,) float32 0..1: the point is in view, faces the camera and is on the person.
        behind: (N,) float32 0..1: the point faces away, and what hides it is the front of the
            same part of the same person.
    """

    colors: np.ndarray
    back_colors: np.ndarray
    seen: np.ndarray
    behind: np.ndarray


@kernel_part
def _ramp(value: float, start: float, end: float) -> float:
    """Smooth step from 0 at ``start`` to 1 at ``end``."""
    t = min(max((value - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@kernel_part
def _look_up_one(
    point: tuple[float, float, float],
    normal: tuple[float, float, float],
    own_part: int,
    pixels: np.ndarray,
    back: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    arms: np.ndarray,
    part: np.ndarray,
    focal: float,
    cx: float,
    cy: float,
    colors: np.ndarray,
) -> tuple[float, float]:
    """Seen and behind of one point; ``colors`` (2, 3) gets its own and its back's.

    See ``Lookup``. ``back`` (h, w, 4) has ``View.hair`` beside its colours: with one more array the
    compiler no longer puts this into its callers' loops, which then take three times as long.
    """
    height, width = alpha.shape
    x, y, z = point
    for k in range(2):
        for c in range(3):
            colors[k, c] = 0
    if z <= 0.05:
        return 0.0, 0.0
    u, v = x / z * focal + cx - 0.5, y / z * focal + cy - 0.5
    if not (0 <= u < width - 1 and 0 <= v < height - 1):
        return 0.0, 0.0
    column, row = int(u), int(v)
    fu, fv = u - column, v - row
    # Each pixel counts by its matte too, so that the rim takes its colour from inside.
    a00 = (1 - fu) * (1 - fv) * (alpha[row, column] + 0.01)
    a01 = fu * (1 - fv) * (alpha[row, column + 1] + 0.01)
    a10 = (1 - fu) * fv * (alpha[row + 1, column] + 0.01)
    a11 = fu * fv * (alpha[row + 1, column + 1] + 0.01)
    matte = a00 + a01 + a10 + a11
    for c in range(3):
        own = a00 * pixels[row, column, c] + a01 * pixels[row, column + 1, c]
        own += a10 * pixels[row + 1, column, c] + a11 * pixels[row + 1, column + 1, c]
        behind_it = a00 * back[row, column, c] + a01 * back[row, column + 1, c]
        behind_it += a10 * back[row + 1, column, c] + a11 * back[row + 1, column + 1, c]
        colors[0, c], colors[1, c] = own / matte, behind_it / matte

    opaque = min(max((matte / 255 - 0.5) * 2.5, 0.0), 1.0)
    length = np.sqrt(x * x + y * y + z * z)
    facing = -(normal[0] * x + normal[1] * y + normal[2] * z) / length
    row, column = int(v + 0.5), int(u + 0.5)
    seen = behind = 0.0
    arm = np.inf if own_part in (LEFT_ARM, RIGHT_ARM) else arms[row, column]
    if z <= depth[row, column] + _DEPTH_TOLERANCE:
        beside_arm = _ramp(z - arm, _ARM_GAP[0], _ARM_GAP[1])
        seen = _ramp(facing, 0.08, 0.38) * opaque * (1 - beside_arm)
    if own_part == HEAD or (own_part == TRUNK and part[row, column] == HEAD):
        # Never a face on the back of the head, but hair, which hangs before the back, too.
        behind = (1 - _ramp(facing, 0.0, 0.2)) * opaque * (back[row, column, 3] / 255)
    elif part[row, column] == own_part:
        beside_arm = _ramp(depth[row, column] - arm, _ARM_GAP[0], _ARM_GAP[1])
        behind = (1 - _ramp(facing, 0.0, 0.2)) * opaque * (1 - beside_arm)
    return seen, behind


@kernel(
    "void(float32[:,::1],float32[:,::1],uint8[::1],uint8[:,:,::1],uint8[:,:,::1],uint8[:,::1],"
    "float32[:,::1],float32[:,::1],uint8[:,::1],float64,float64,float64,float64[:,::1],"
    "float32[:,::1],float32[:,::1],float32[::1],float32[::1])"
)
def _look_up(
    points: np.ndarray,
    normals: np.ndarray,
    parts: np.ndarray,
    pixels: np.ndarray,
    back: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    arms: np.ndarray,
    part: np.ndarray,
    focal: float,
    cx: float,
    cy: float,
    both: np.ndarray,
    colors: np.ndarray,
    back_colors: np.ndarray,
    seen: np.ndarray,
    behind: np.ndarray,
) -> None:
    for n in range(points.shape[0]):
        seen[n], behind[n] = _look_up_one(
            (float(points[n, 0]), float(points[n, 1]), float(points[n, 2])),
            (float(normals[n, 0]), float(normals[n, 1]), float(normals[n, 2])),
            parts[n], pixels, back, alpha, depth, arms, part, focal, cx, cy, both,
        )  # fmt: skip
        for c in range(3):
            colors[n, c] = both[0, c]
            back_colors[n, c] = both[1, c]


def look_up(view: View, points: np.ndarray, normals: np.ndarray, parts: np.ndarray) -> Lookup:
    """Look points up in a view.

    Args:
        view: the person's window.
        points: (N, 3) camera frame, metres.
        normals: (N, 3) unit length, camera frame.
        parts: (N,) uint8 region of each point.
    """
    count = len(points)
    colors, back_colors = np.zeros((count, 3), np.float32), np.zeros((count, 3), np.float32)
    seen, behind = np.zeros(count, np.float32), np.zeros(count, np.float32)
    _look_up(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(normals, np.float32),
        np.ascontiguousarray(parts, np.uint8),
        *_view_arguments(view),
        np.empty((2, 3)),
        colors,
        back_colors,
        seen,
        behind,
    )
    return Lookup(colors, back_colors, seen, behind)


def _view_arguments(
    view: View,
) -> tuple[np.ndarray | float, ...]:
    focal, (cx, cy) = view.camera.focal_px, view.camera.principal_point
    back = np.dstack([view.back, view.hair])
    images = view.pixels, back, view.alpha, view.depth, view.arms, view.part
    return *images, float(focal), float(cx), float(cy)


@kernel(
    "void(int32[::1],float32[:,::1],int32[:,::1],float32[:,::1],uint8[::1],uint8[:,:,::1],"
    "uint8[:,:,::1],uint8[:,::1],float32[:,::1],float32[:,::1],uint8[:,::1],float64,"
    "float64,float64,float64[::1],float64[:,::1],uint8[:,::1])"
)
def _paint(
    texel_faces: np.ndarray,
    barycentric: np.ndarray,
    faces: np.ndarray,
    vertex_values: np.ndarray,
    vertex_parts: np.ndarray,
    pixels: np.ndarray,
    back: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    arms: np.ndarray,
    part: np.ndarray,
    focal: float,
    cx: float,
    cy: float,
    values: np.ndarray,
    both: np.ndarray,
    out: np.ndarray,
) -> None:
    for n in range(texel_faces.shape[0]):
        face = texel_faces[n]
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        w0, w1, w2 = barycentric[n, 0], barycentric[n, 1], barycentric[n, 2]
        for k in range(9):
            values[k] = (
                w0 * vertex_values[a, k] + w1 * vertex_values[b, k] + w2 * vertex_values[c, k]
            )
        own_part = vertex_parts[a]
        seen, behind = _look_up_one(
            (values[0], values[1], values[2]),
            (values[3], values[4], values[5]),
            own_part, pixels, back, alpha, depth, arms, part, focal, cx, cy, both,
        )  # fmt: skip
        behind = max(behind - seen, 0.0)
        for c in range(3):
            value = values[6 + c]
            value += seen * (both[0, c] - value) + behind * (both[1, c] - value)
            out[n, c] = int(value + 0.5)


def paint_texels(
    view: View, texels: TexelMap, mesh: Mesh, fill: np.ndarray, parts: np.ndarray
) -> np.ndarray:
    """Colours (N, 3) uint8 sRGB of an atlas's covered texels.

    The photograph where the texel is seen or faces away behind what is seen;
    the fill elsewhere. One pass over the texels: as arrays this moves some 100 MB.

    Args:
        view: the person's window.
        texels: of the mesh's texture coordinates.
        mesh: camera frame.
        fill: (V, 3) sRGB 0..255, what to paint where nothing is seen.
        parts: (V,) uint8 region of each vertex.
    """
    values = np.concatenate(
        [mesh.vertices, vertex_normals(mesh.vertices, mesh.faces), np.clip(fill, 0, 255)], axis=1
    )
    values = np.ascontiguousarray(values, np.float32)
    out = np.empty((len(texels.faces), 3), np.uint8)
    pieces = thread_count()
    bounds = np.linspace(0, len(out), pieces + 1).astype(int)

    arguments = _view_arguments(view)

    def work(piece: int) -> None:
        chosen = slice(bounds[piece], bounds[piece + 1])
        _paint(
            texels.faces[chosen],
            texels.barycentric[chosen],
            mesh.faces,
            values,
            parts,
            *arguments,
            np.empty(9),
            np.empty((2, 3)),
            out[chosen],
        )

    with SideBySide() as pool:
        pool.map(work, range(pieces))
    return out
