"""The photograph of one person, with what their surface hides in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.disc import disc
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_ARM, RIGHT_ARM

# An arm that is this near in the picture (of the window's longer side) may not be quite where the
# fit has it, and what it holds is larger than its hand: what lies behind is not trusted there.
_ARM_MARGIN = 0.012
MAX_SIDE = 1152  # pixels of the window's longer side: an atlas of 1024 holds no more detail


@dataclass(frozen=True)
class View:
    """A person's window of the photograph, at working size, with what the mesh hides there.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        back: (h, w, 3) uint8 sRGB, what is looked up for the side that faces away.
        alpha: (h, w) uint8 matte, drawn in so that no background shines through its rim.
        depth: (h, w) float32 of the mesh, metres, inf where it is not.
        arms: (h, w) float32, the least depth of an arm in a small neighbourhood.
        part: (h, w) uint8 of the vertex region that is seen, 255 where none is.
        vertex: (h, w) int32, a vertex of the triangle that is seen, -1 where none is.
        hair: (h, w) uint8, 255 where the side that faces away is covered by hair or a hat.
        camera: of the window.
    """

    pixels: np.ndarray
    back: np.ndarray
    alpha: np.ndarray
    depth: np.ndarray
    arms: np.ndarray
    part: np.ndarray
    vertex: np.ndarray
    hair: np.ndarray
    camera: Camera


def person_view(
    photo: Photo,
    alpha: Alpha,
    mesh: Mesh,
    parts: np.ndarray,
    hidden: np.ndarray | None = None,
) -> View | None:
    """The window of the photograph around a camera-frame mesh; None when it is out of view.

    Args:
        photo: the picture.
        alpha: matte of the person.
        mesh: in the camera frame.
        parts: (V,) uint8 region of each vertex.
        hidden: (V,) bool, vertices where the picture shows something before the person.

    Its ``back`` is the front as it is; see ``behind.closed_over`` and
    ``back_of_head.back_of_head`` for others.
    """
    camera = photo.camera
    pixels = camera.project(mesh.vertices)
    x0, y0 = np.maximum(np.floor(pixels.min(0)) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(pixels.max(0)) + 2, [photo.width, photo.height]).astype(int)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return None
    scale = min(1.0, MAX_SIDE / max(x1 - x0, y1 - y0))
    width, height = max(4, round((x1 - x0) * scale)), max(4, round((y1 - y0) * scale))
    window_camera = camera.window(x0, y0, scale, width, height)
    crop = photo.pixels[y0:y1, x0:x1]
    matte = alpha.window(x0, y0, x1, y1)
    if scale < 1:
        crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
        matte = cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)
    margin = max(1, round(0.003 * max(width, height)))
    kernel = disc(margin)
    matte = cv2.erode(matte, kernel)
    matte = cv2.GaussianBlur(matte, (0, 0), margin * 0.7)
    fragments = rasterize(
        window_camera.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, width, height
    )
    if hidden is not None and hidden.any():
        before = np.append(hidden[mesh.faces[:, 0]], False)[fragments.face]
        matte = np.where(before, 0, matte).astype(np.uint8)
    reach = max(1, round(_ARM_MARGIN * max(width, height)))
    kernel = disc(reach)
    vertex = np.append(mesh.faces[:, 0], np.int32(-1))[fragments.face]
    part = np.append(parts, np.uint8(255))[vertex]
    of_arms = (part == LEFT_ARM) | (part == RIGHT_ARM)
    arms = np.where(of_arms, fragments.depth, np.float32(np.inf))
    arms = cv2.erode(arms, kernel, borderValue=float("inf"))
    crop = np.ascontiguousarray(crop)
    return View(
        crop,
        crop,
        np.ascontiguousarray(matte),
        fragments.depth,
        np.ascontiguousarray(arms, np.float32),
        part,
        vertex,
        np.zeros(matte.shape, np.uint8),
        window_camera,
    )
