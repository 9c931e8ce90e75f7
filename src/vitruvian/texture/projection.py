"""Looking up points of a surface in the photograph that shows it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numba
import numpy as np

from vitruvian.geometry.mesh import Mesh
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.camera import Camera
from vitruvian.image.photo import Photo
from vitruvian.people.figure import Alpha

MAX_SIDE = 1152  # pixels of the window's longer side: an atlas of 1024 holds no more detail
_DEPTH_TOLERANCE = 0.025  # metres behind the nearest surface that still count as seen
_THREADS = 2


@dataclass(frozen=True)
class View:
    """A person's window of the photograph, at working size, with what the mesh hides there.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        alpha: (h, w) uint8 matte, drawn in so that no background shines through its rim.
        depth: (h, w) float32 of the mesh, metres, inf where it is not.
        part: (h, w) uint8 of the vertex region that is seen, 255 where none is.
        camera: of the window.
    """

    pixels: np.ndarray
    alpha: np.ndarray
    depth: np.ndarray
    part: np.ndarray
    camera: Camera


@dataclass(frozen=True)
class Lookup:
    """What the photograph says of N points.

    Attributes:
        colors: (N, 3) float32 sRGB 0..255 at each point's place in the photograph.
        seen: (N,) float32 0..1: the point is in view, faces the camera and is on the person.
        behind: (N,) float32 0..1: the point faces away, and what hides it is the front of the
            same part of the same person.
    """

    colors: np.ndarray
    seen: np.ndarray
    behind: np.ndarray


def person_view(photo: Photo, alpha: Alpha, mesh: Mesh, parts: np.ndarray) -> View | None:
    """The window of the photograph around a camera-frame mesh; None when it is out of view.

    Args:
        photo: the picture.
        alpha: matte of the person.
        mesh: in the camera frame.
        parts: (V,) uint8 region of each vertex.
    """
    camera = photo.camera
    pixels = camera.project(mesh.vertices)
    x0, y0 = np.maximum(np.floor(pixels.min(0)) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(pixels.max(0)) + 2, [photo.width, photo.height]).astype(int)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return None
    scale = min(1.0, MAX_SIDE / max(x1 - x0, y1 - y0))
    width, height = max(4, round((x1 - x0) * scale)), max(4, round((y1 - y0) * scale))
    cx, cy = camera.principal_point
    window_camera = Camera(
        camera.focal_px * scale, width, height, ((cx - x0) * scale, (cy - y0) * scale)
    )
    crop = photo.pixels[y0:y1, x0:x1]
    matte = alpha.full()[y0:y1, x0:x1]
    if scale < 1:
        crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
        matte = cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)
    margin = max(1, round(0.003 * max(width, height)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    matte = cv2.erode(matte, kernel)
    matte = cv2.GaussianBlur(matte, (0, 0), margin * 0.7)
    fragments = rasterize(
        window_camera.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, width, height
    )
    face_parts = np.append(parts[mesh.faces[:, 0]], np.uint8(255))
    return View(
        np.ascontiguousarray(crop),
        np.ascontiguousarray(matte),
        fragments.depth,
        face_parts[fragments.face],
        window_camera,
    )


@numba.njit(
    "void(float32[:,::1],float32[:,::1],uint8[::1],uint8[:,:,::1],uint8[:,::1],float32[:,::1],"
    "uint8[:,::1],float64,float64,float64,float32[:,::1],float32[::1],float32[::1])",
    cache=True,
    nogil=True,
)
def _look_up(
    points: np.ndarray,
    normals: np.ndarray,
    parts: np.ndarray,
    pixels: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    part_image: np.ndarray,
    focal: float,
    cx: float,
    cy: float,
    colors: np.ndarray,
    seen: np.ndarray,
    behind: np.ndarray,
) -> None:
    height, width = alpha.shape
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        seen[n] = 0
        behind[n] = 0
        if z <= 0.05:
            continue
        u, v = x / z * focal + cx - 0.5, y / z * focal + cy - 0.5
        column, row = int(np.floor(u)), int(np.floor(v))
        if column < 0 or row < 0 or column >= width - 1 or row >= height - 1:
            continue
        fu, fv = u - column, v - row
        w00, w01 = (1 - fu) * (1 - fv), fu * (1 - fv)
        w10, w11 = (1 - fu) * fv, fu * fv
        # Each pixel counts by its matte too, so that the rim takes its colour from inside.
        a00 = w00 * (alpha[row, column] + 0.01)
        a01 = w01 * (alpha[row, column + 1] + 0.01)
        a10 = w10 * (alpha[row + 1, column] + 0.01)
        a11 = w11 * (alpha[row + 1, column + 1] + 0.01)
        matte = a00 + a01 + a10 + a11
        for c in range(3):
            colors[n, c] = (
                a00 * pixels[row, column, c]
                + a01 * pixels[row, column + 1, c]
                + a10 * pixels[row + 1, column, c]
                + a11 * pixels[row + 1, column + 1, c]
            ) / matte
        opaque = min(max((matte / 255 - 0.5) * 2.5, 0.0), 1.0)
        length = np.sqrt(x * x + y * y + z * z)
        facing = -(normals[n, 0] * x + normals[n, 1] * y + normals[n, 2] * z) / length
        nearest_row, nearest_column = int(v + 0.5), int(u + 0.5)
        if z <= depth[nearest_row, nearest_column] + _DEPTH_TOLERANCE:
            t = min(max((facing - 0.08) / 0.3, 0.0), 1.0)
            seen[n] = t * t * (3 - 2 * t) * opaque
        if part_image[nearest_row, nearest_column] == parts[n]:
            t = min(max((0.2 - facing) / 0.2, 0.0), 1.0)
            behind[n] = t * t * (3 - 2 * t) * opaque


def look_up(view: View, points: np.ndarray, normals: np.ndarray, parts: np.ndarray) -> Lookup:
    """Look points up in a view.

    Args:
        view: the person's window.
        points: (N, 3) camera frame, metres.
        normals: (N, 3) unit length, camera frame.
        parts: (N,) uint8 region of each point.
    """
    count = len(points)
    points = np.ascontiguousarray(points, np.float32)
    normals = np.ascontiguousarray(normals, np.float32)
    parts = np.ascontiguousarray(parts, np.uint8)
    colors = np.zeros((count, 3), np.float32)
    seen, behind = np.zeros(count, np.float32), np.zeros(count, np.float32)
    camera = view.camera
    bounds = np.linspace(0, count, _THREADS + 1).astype(int)

    def work(piece: int) -> None:
        chosen = slice(bounds[piece], bounds[piece + 1])
        _look_up(
            points[chosen],
            normals[chosen],
            parts[chosen],
            view.pixels,
            view.alpha,
            view.depth,
            view.part,
            camera.focal_px,
            *camera.principal_point,
            colors[chosen],
            seen[chosen],
            behind[chosen],
        )

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, range(_THREADS)))
    return Lookup(colors, seen, behind)
