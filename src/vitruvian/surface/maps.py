"""What the maps network says of a person pixel by pixel, and windows of the photograph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.normals import unit_normals
from vitruvian.networks.maps import PART_CLASSES, BodyMaps, MapsNetwork, PersonMaps
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

SIZE = 256
_BODY_M = 0.06  # sigma: relief of the body is what is finer
_RIM = (0.15, 0.7)  # of that, from the body's outline, where it is first taken out, and wholly
_GARMENTS = [PART_CLASSES.index(name) for name in ("top", "bottom", "dress", "coat")]
_SMALL = ((110, 128), (190, 192))  # figures below so many pixels: network's input


@dataclass(frozen=True)
class SurfaceMaps:
    """The normals of a person's nearest and farthest surface.

    Both are pictures of one window of the photograph. Beside the person they mean nothing.

    Attributes:
        camera: of the window (``Camera.window`` of the photograph's), W x H pixels.
        front_normals, back_normals: (H, W, 3) float32 unit normals in the camera frame (x right,
            y down, z forward) of the first and the last surface that the ray meets: the former
            have negative z, the latter positive.
        cloth: (H, W) float32, 1 where what is seen is a garment, else 0; None where that is not
            known.
    """

    camera: Camera
    front_normals: np.ndarray
    back_normals: np.ndarray
    cloth: np.ndarray | None = None

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


def normals_alone(
    found: PersonMaps,
    drawn: BodyMaps,
    body: Body,
    camera: Camera,
    hidden: np.ndarray | None = None,
) -> SurfaceMaps:
    """The network's normals; the body's own where they are finer, on the face and the hands.

    The network's mattes and depths are left out: they are no better than the person's matte and
    the fitted body (see ``docs/surface.md``).

    Args:
        found: what the network says; drawn: the body that it was shown; see ``network_maps``.
        body: the same.
        camera: the photograph's.
        hidden: (V,) 0..1, how far cloth hides the body's relief (``volume.drape.hidden_share``);
            as far, what the network has of it is taken out again.
    """
    normals = found.front_normals, found.back_normals
    cloth = np.isin(found.parts, _GARMENTS).astype(np.float32)
    maps = of_clothes(normals, found.crop.camera(camera), drawn, body, hidden)
    return replace(maps, cloth=cloth)


def of_clothes(
    normals: tuple[np.ndarray, np.ndarray],
    window: Camera,
    drawn: BodyMaps,
    body: Body,
    hidden: np.ndarray | None,
) -> SurfaceMaps:
    """``normals_alone`` of the network's front and back normals (H, W, 3) in a window."""
    model, regions = body.model, body.model.regions
    shares = np.zeros((len(regions.part), 2), np.float32)
    shares[:, 0] = np.maximum(regions.face, regions.hand)
    if hidden is not None:
        shares[:, 1] = hidden
    sigma = _BODY_M * window.focal_px / float(body.translation[2])
    front, back = (
        _of_side(ours, own, fragments.interpolate(shares, model.faces), sigma)
        for ours, own, fragments in (
            (normals[0], drawn.front_normals, drawn.front),
            (normals[1], drawn.back_normals, drawn.back),
        )
    )
    return SurfaceMaps(window, front, back)


@kernel(
    "Tuple((float64,float64))(float32[:,:,::1],float32[:,:,::1],float32[:,:,::1],float32[:,:,::1],"
    "float32[:,::1])"
)
def _repeated(
    ours: np.ndarray,
    own: np.ndarray,
    broad_ours: np.ndarray,
    broad_own: np.ndarray,
    hidden: np.ndarray,
) -> tuple[float, float]:
    """How much of the body's relief is in the network's normals, and how much there is, where
    ``hidden`` (H, W) weighs it."""
    told = power = 0.0
    for y in range(hidden.shape[0]):
        for x in range(hidden.shape[1]):
            weight = hidden[y, x]
            if weight > 0:
                for c in range(3):
                    theirs = own[y, x, c] - broad_own[y, x, c]
                    told += weight * theirs * (ours[y, x, c] - broad_ours[y, x, c])
                    power += weight * theirs * theirs
    return told, power


@kernel(
    "void(float32[:,:,::1],float32[:,:,::1],float32[:,:,::1],float32[:,::1],float32[:,::1],float32,"
    "float32[:,:,::1])"
)
def _combine(
    ours: np.ndarray,
    own: np.ndarray,
    broad_own: np.ndarray,
    hidden: np.ndarray,
    kept: np.ndarray,
    told: float,
    out: np.ndarray,
) -> None:
    """The network's normals without ``told`` of the body's relief where it is ``hidden`` (H, W),
    and the body's where those are ``kept`` (H, W); not yet of unit length."""
    for y in range(hidden.shape[0]):
        for x in range(hidden.shape[1]):
            for c in range(3):
                value = ours[y, x, c]
                value -= told * hidden[y, x] * (own[y, x, c] - broad_own[y, x, c])
                out[y, x, c] = value + kept[y, x] * (own[y, x, c] - value)


def _of_side(ours: np.ndarray, own: np.ndarray, shares: np.ndarray, sigma: float) -> np.ndarray:
    """The network's normals with the body's where ``shares`` (H, W, 2) has it in its first
    channel, and without the body's relief, as far as it is in them, where in its second."""
    kept, hidden = (np.ascontiguousarray(shares[..., channel]) for channel in (0, 1))
    broad_own, told, out = own, 0.0, np.empty_like(ours)
    if hidden.any():
        covered = np.asarray(own.any(2), np.uint8)
        # At the body's own outline its normals look sideways; what the network has there is cloth.
        inside = cv2.distanceTransform(covered, cv2.DIST_L2, 3) / np.float32(sigma)
        hidden *= np.clip((inside - _RIM[0]) / (_RIM[1] - _RIM[0]), 0, 1) * covered
        broad_own, broad_ours = (
            _broad(one, covered.astype(np.float32), sigma) for one in (own, ours)
        )
        # The network was shown the body, and how much of that it repeats differs with the picture.
        repeated, power = _repeated(ours, own, broad_ours, broad_own, hidden)
        told = min(max(repeated / power, 0.0), 1.0) if power > 0 else 0.0
    _combine(ours, own, broad_own, hidden, kept, told, out)
    return unit_normals(out)


def _broad(values: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    """A blur of values (H, W, 3) float32 within the mask (H, W)."""
    small = tuple(max(round(side / 4), 1) for side in mask.shape[::-1])
    sums, counts = (
        cv2.GaussianBlur(cv2.resize(one, small, interpolation=cv2.INTER_AREA), (0, 0), sigma / 4)
        for one in (values * mask[..., None], mask)
    )
    broad = sums / np.maximum(counts, 1e-6)[..., None]
    return np.asarray(cv2.resize(broad, mask.shape[::-1]), np.float32)


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
