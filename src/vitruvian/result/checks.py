"""Does the reconstruction tell the truth? It is rendered back over its photograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.avatar import MOST_TORN
from vitruvian.geometry.rasterizer import Fragments, rasterize
from vitruvian.geometry.shading import shade_texture
from vitruvian.image.similarity import ssim
from vitruvian.types.avatar import Avatar
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.scene import Checks

_CHILD_MATURITY = 0.7  # of ``phenotype``: that of somebody of twelve or thirteen years
WORKING_SIZE = 384  # long side in pixels of the compared window


@dataclass(frozen=True)
class _Window:
    """What is compared: ``box`` x0, y0, x1, y1 in pixels of the picture, at ``size``."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]

    def resized(self, pixels: np.ndarray) -> np.ndarray:
        return cv2.resize(pixels, self.size, interpolation=cv2.INTER_AREA)

    def drawn(self, pixels: np.ndarray, mesh: Mesh) -> Fragments:
        x0, y0, x1, y1 = self.box
        width, height = self.size
        points = (pixels - [x0, y0]) * [width / (x1 - x0), height / (y1 - y0)]
        return rasterize(points, mesh.vertices[:, 2], mesh.faces, width, height)


@dataclass(frozen=True)
class _Compared:
    """A mesh drawn over a matte: the window, its ``matte`` (h, w) bool, the mesh's fragments, and
    the IoU of both."""

    window: _Window
    matte: np.ndarray
    fragments: Fragments
    iou: float


def _compared(mesh: Mesh, alpha: Alpha, camera: Camera) -> _Compared | None:
    """A camera-frame mesh against a matte; None where there is nothing to compare."""
    pixels = camera.project(mesh.vertices)
    window = _window(pixels, alpha, camera)
    if window is None:
        return None
    matte = window.resized(alpha.window(*window.box)) > 127
    fragments = window.drawn(pixels, mesh)
    union = np.count_nonzero(fragments.mask | matte)
    iou = float(np.count_nonzero(fragments.mask & matte) / union) if union else 0.0
    return _Compared(window, matte, fragments, iou)


def _window(pixels: np.ndarray, alpha: Alpha, camera: Camera) -> _Window | None:
    """The window around a matte and a mesh's ``pixels`` (V, 2); None where there is nothing."""
    rows, columns = np.nonzero(alpha.values > 127)
    if len(rows) == 0:
        return None
    low = np.minimum(pixels.min(0), [alpha.x + columns.min(), alpha.y + rows.min()])
    high = np.maximum(pixels.max(0), [alpha.x + columns.max() + 1, alpha.y + rows.max() + 1])
    x0, y0 = (int(v) for v in np.maximum(np.floor(low), 0))
    x1, y1 = (int(v) for v in np.minimum(np.ceil(high), [camera.width, camera.height]))
    if x1 <= x0 or y1 <= y0:
        return None
    scale = min(1.0, WORKING_SIZE / max(x1 - x0, y1 - y0))
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    return _Window((x0, y0, x1, y1), size)


def check_person(mesh: Mesh, figure: Figure, photo: Photo, keypoint_error: float) -> Checks:
    """Render a camera-frame mesh over the photograph and compare.

    Only what falls inside the photograph counts. The comparison runs on a window around mesh and
    matte, at most ``WORKING_SIZE`` pixels long.
    """
    compared = _compared(mesh, figure.alpha, photo.camera)
    if compared is None:
        return Checks(0.0, keypoint_error)
    window, fragments = compared.window, compared.fragments
    height = window.size[1]
    similarity = float("nan")
    if mesh.texture is not None and mesh.uvs is not None and mesh.uv_faces is not None:
        texture = mesh.texture
        while texture.shape[0] > 2 * height and texture.shape[0] > 64:
            texture = cv2.resize(texture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        drawn = shade_texture(fragments, mesh.uvs, mesh.uv_faces, texture)
        x0, y0, x1, y1 = window.box
        seen = window.resized(photo.pixels[y0:y1, x0:x1])
        similarity = ssim(
            np.ascontiguousarray(drawn[..., :3]), seen, fragments.mask & compared.matte
        )
    return Checks(compared.iou, keypoint_error, similarity)


def silhouette_iou(mesh: Mesh, alpha: Alpha, camera: Camera) -> float:
    """IoU of a camera-frame mesh's silhouette and a matte; see ``check_person``."""
    compared = _compared(mesh, alpha, camera)
    return 0.0 if compared is None else compared.iou


def kind_warnings(phenotype: Mapping[str, float | str] | None) -> list[str]:
    """A sentence about a body that is a child's although no face says so."""
    if phenotype is None or phenotype.get("basis") != "build":
        return []
    if float(phenotype["maturity"]) < _CHILD_MATURITY:
        return ["No face was seen to tell the age by, so that this is a child is a guess."]
    return []


def avatar_warnings(avatar: Avatar) -> list[str]:
    """Sentences about an avatar that does not move well, though the safest way was taken."""
    if avatar.severed:
        return [
            "Where limbs touch what they lie on, the avatar comes apart when it moves; photograph "
            "the person with arms and legs apart for one that does not."
        ]
    if avatar.torn > MOST_TORN:
        return [
            f"When it moves, {avatar.torn:.0%} of the avatar's surface is drawn out too far; "
            "photograph the person upright, with arms and legs apart, for a better one."
        ]
    return []


def check_warnings(checks: Checks) -> list[str]:
    """Sentences about a reconstruction that does not agree with its photograph."""
    warnings = []
    if checks.silhouette_iou < 0.7:
        warnings.append(
            "The model covers the person in the picture poorly (overlap "
            f"{checks.silhouette_iou:.2f}); its shape or pose may be wrong."
        )
    if checks.keypoint_error > 0.05:
        warnings.append(
            "The model's joints miss those in the picture by "
            f"{checks.keypoint_error:.0%} of the person's height; the pose may be wrong."
        )
    if checks.image_similarity < 0.6:
        warnings.append(
            "Seen from the camera, the model's colours differ from the picture's (similarity "
            f"{checks.image_similarity:.2f})."
        )
    return warnings
