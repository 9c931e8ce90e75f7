"""What the maps network says of a person pixel by pixel, and windows of the photograph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.networks.maps import BodyMaps, MapsNetwork, PersonMaps
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

SIZE = 256
FINE_SIZE = 512
_FINE_FROM_PX = 400  # a figure that is shown smaller holds nothing that 256 pixels do not
_FINE_PX = 6  # sigma, of the finer window, below which only that resolves anything
_PRINT_PX, _PRINT_AROUND_PX = 3, 14  # sigma of chroma that counts as print, and of looking for it
_PRINT_CHROMA = 2.5  # CIELAB units, at a lightness of 50, off its surroundings: printed
_VIVID = 15.0  # chroma of cloth on which twice as much is due to its shading alone
_DARK = 25.0  # lightness below which chroma is mostly noise
_PRINT = (0.25, 0.5)  # share of printed pixels at which relief is first doubted, and not believed
_SMALL = ((110, 128), (190, 192))  # figures below so many pixels: network's input


@dataclass(frozen=True)
class SurfaceMaps:
    """The normals of a person's nearest and farthest surface.

    Both are pictures of one square window of the photograph. Beside the person they mean nothing.

    Attributes:
        camera: of the window (``Camera.window`` of the photograph's), S x S pixels.
        front_normals, back_normals: (S, S, 3) float32 unit normals in the camera frame (x right,
            y down, z forward) of the first and the last surface that the ray meets: the former
            have negative z, the latter positive.
    """

    camera: Camera
    front_normals: np.ndarray
    back_normals: np.ndarray

    def __post_init__(self) -> None:
        shape = self.camera.height, self.camera.width, 3
        for name in ("front_normals", "back_normals"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")

    def resampled(self, values: np.ndarray, camera: Camera) -> np.ndarray:
        """One of the pictures, or any other of this window, as another window shows it.

        ``camera`` is of a window of the same photograph; 0 beyond this window.
        """
        return warped(values, self.camera, camera)


def warped(
    values: np.ndarray, own: Camera, camera: Camera, *, nearest: bool = False, smooth: bool = False
) -> np.ndarray:
    """A picture (H, W) or (H, W, C <= 4) of one window of a photograph as another one shows it.

    0 beyond the first. ``smooth`` averages what falls into one pixel of a coarser window.
    """
    scale = own.focal_px / camera.focal_px
    if smooth and scale > 1:
        values = cv2.GaussianBlur(values, (0, 0), 0.35 * scale)
    flags = (cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    size = camera.width, camera.height
    return cv2.warpAffine(values, _between(own, camera), size, flags=flags)


def _between(own: Camera, camera: Camera) -> np.ndarray:
    """(2, 3) from pixel indices of one window of a photograph to those of another, ``own``."""
    scale = own.focal_px / camera.focal_px
    (cx, cy), (ox, oy) = own.principal_point, camera.principal_point
    # Continuous pixel u of the window is scale * (u - ox) + cx in the other.
    return np.array(
        [
            [scale, 0, cx - scale * ox + 0.5 * (scale - 1)],
            [0, scale, cy - scale * oy + 0.5 * (scale - 1)],
        ]
    )


def network_maps(
    photo: Photo, figure: Figure, body: Body, size: int | None = None
) -> tuple[PersonMaps, BodyMaps] | None:
    """What the maps network says of a person, and the body it was shown.

    None where the network's weights are absent.

    Args:
        photo: the picture.
        figure: the person.
        body: fitted to them.
        size: S, pixels along each side of the window; by default 256, fewer for somebody who is
            small in the photograph.
    """
    if not MapsNetwork.available():
        return None
    mesh, root = body.as_mesh(), float(body.translation[2])
    if size is None:
        shown = shown_px(figure, body, photo.camera)
        size = next((small for below, small in _SMALL if shown < below), SIZE)
    return MapsNetwork().person(
        photo.pixels, photo.camera, figure.alpha.full(), mesh, root, body.height_m, size
    )


def shown_px(figure: Figure, body: Body, camera: Camera) -> float:
    """The longer side of somebody in the photograph, in pixels."""
    low, high = figure_box(body.as_mesh(), figure.alpha, camera)
    return float((high - low).max())


def refined_maps(photo: Photo, figure: Figure, body: Body, coarse: SurfaceMaps) -> SurfaceMaps:
    """The maps at twice the size, the mean of what the network says at either; see ``averaged``.

    The maps as they are where the photograph does not show the person large enough for more.
    """
    if shown_px(figure, body, photo.camera) < _FINE_FROM_PX:
        return coarse
    seen = network_maps(photo, figure, body, FINE_SIZE)
    if seen is None:
        return coarse
    fine = normals_alone(*seen, body, photo.camera)
    crop = seen[0].crop
    busy = printed(crop.extract(photo.pixels), crop.extract(figure.alpha.full()))
    return averaged(coarse, fine, busy)


def averaged(coarse: SurfaceMaps, fine: SurfaceMaps, printed: np.ndarray) -> SurfaceMaps:
    """Two estimates of one person's normals in one: they err differently.

    What both resolve is their mean. What is finer only ``fine`` has, and it counts whole; but where
    the picture shows print, which the network takes for relief, that fades.

    Args:
        coarse, fine: of the same person.
        printed: (S, S) float32 0..1 in the window of ``fine``.
    """
    believed = (1 - printed)[..., None]
    front, back = (
        _unit(_combined(raised, own, believed))
        for raised, own in (
            (coarse.resampled(coarse.front_normals, fine.camera), fine.front_normals),
            (coarse.resampled(coarse.back_normals, fine.camera), fine.back_normals),
        )
    )
    return SurfaceMaps(fine.camera, front, back)


def _combined(coarse: np.ndarray, fine: np.ndarray, believed: np.ndarray) -> np.ndarray:
    difference = fine - coarse
    return coarse + believed * (difference - 0.5 * cv2.GaussianBlur(difference, (0, 0), _FINE_PX))


def printed(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Where cloth is printed, (S, S) float32 0..1: its chroma is busy all around.

    A seam between two colours is not: it touches few pixels.

    Args:
        pixels: (S, S, 3) uint8 sRGB.
        alpha: (S, S) uint8, the person's matte; what is beside it does not count.
    """
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    # Under more light, a, b and L + 16 grow alike: their ratio knows colours, not folds.
    chroma = lab[..., 1:] * (66 / (np.maximum(lab[..., :1], _DARK) + 16))
    weight = np.asarray(alpha, np.float32) / 255
    blurred = cv2.GaussianBlur(chroma * weight[..., None], (0, 0), _PRINT_PX)
    around = cv2.GaussianBlur(weight, (0, 0), _PRINT_PX)
    mean = blurred / np.maximum(around, 1e-3)[..., None]
    off = chroma - mean
    least = _PRINT_CHROMA * (1 + np.sqrt(np.einsum("hwc,hwc->hw", mean, mean)) / _VIVID)
    busy = (np.einsum("hwc,hwc->hw", off, off) > least**2) * weight
    share = _wide_mean(busy, weight)
    start, end = _PRINT
    return np.asarray(np.clip((share - start) / (end - start), 0, 1), np.float32)


def _wide_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The mean of values (S, S), which are weighted already, around every pixel."""
    small = values.shape[1] // 4, values.shape[0] // 4
    sums, counts = (
        cv2.GaussianBlur(
            cv2.resize(one, small, interpolation=cv2.INTER_AREA), (0, 0), _PRINT_AROUND_PX / 4
        )
        for one in (values, weight)
    )
    return cv2.resize(sums / np.maximum(counts, 1e-3), values.shape[::-1])


def normals_alone(found: PersonMaps, drawn: BodyMaps, body: Body, camera: Camera) -> SurfaceMaps:
    """The network's normals; the body's own where they are finer, on the face and the hands.

    The network's mattes and depths are left out: they are no better than the person's matte and
    the fitted body (see ``docs/surface.md``).

    Args:
        found: what the network says; drawn: the body that it was shown; see ``network_maps``.
        body: the same.
        camera: the photograph's.
    """
    regions = body.model.regions
    fine = np.maximum(regions.face, regions.hand)[:, None]
    front, back = (
        _unit(ours + fragments.interpolate(fine, body.model.faces) * (own - ours))
        for ours, own, fragments in (
            (found.front_normals, drawn.front_normals, drawn.front),
            (found.back_normals, drawn.back_normals, drawn.back),
        )
    )
    return SurfaceMaps(found.crop.camera(camera), front, back)


def figure_box(
    mesh: Mesh, alpha: Alpha, camera: Camera, *, framed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Left top and right bottom (2,) in pixels of everything that is body or matte.

    ``framed`` leaves out what lies beyond the photograph, as long as anything is inside.
    """
    pixels = camera.project(mesh.vertices)
    low, high = pixels.min(0), pixels.max(0)
    shown = alpha.values > 127
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    if len(rows):
        low = np.minimum(low, [alpha.x + columns[0], alpha.y + rows[0]])
        high = np.maximum(high, [alpha.x + columns[-1] + 1, alpha.y + rows[-1] + 1])
    if framed:
        inner, outer = np.maximum(low, 0), np.minimum(high, [camera.width, camera.height])
        if (outer > inner + 1).all():
            return inner, outer
    return low, high


def window_alpha(alpha: Alpha, camera: Camera, window: Camera) -> np.ndarray:
    """The matte (height, width) float32 0..1 as a window of the photograph shows it.

    Beyond the photograph it continues as at its border, since nothing is known there.
    """
    scale = camera.focal_px / window.focal_px
    full = alpha.full()
    if scale > 1:  # the window is smaller than its part of the photograph
        sigma = 0.35 * scale
        full = cv2.GaussianBlur(full, (0, 0), sigma)
    out = cv2.warpAffine(
        full,
        _between(camera, window),
        (window.width, window.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return out.astype(np.float32) / np.float32(255)


def _unit(normals: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-6), np.float32)
