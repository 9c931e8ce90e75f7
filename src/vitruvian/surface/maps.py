"""What is known of a person pixel by pixel: the input of the clothed surface."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.networks.maps import BodyMaps, MapsNetwork, PersonMaps
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

SIZE = 256
_SMALL = ((110, 128), (190, 192))  # figures below so many pixels: network's input
_JUMP_M = 0.015


@dataclass(frozen=True)
class SurfaceMaps:
    """A person's matte, and the normals and depths of the nearest and farthest surface.

    All are pictures of one square window of the photograph. Beside the person they mean nothing.

    Attributes:
        camera: of the window (``Camera.window`` of the photograph's), S x S pixels.
        alpha: (S, S) float32 0..1, the share of the pixel that is this person, or None where
            the person's own matte has to do.
        front_normals, back_normals: (S, S, 3) float32 unit normals in the camera frame (x right,
            y down, z forward) of the first and the last surface that the ray meets: the former
            have negative z, the latter positive.
        front_depth, back_depth: (S, S) float32 z of those surfaces in metres, not finite where
            unknown; or None where the body's depth has to do.
        parts: (S, S) uint8 labels of what is seen, or None.
    """

    camera: Camera
    alpha: np.ndarray | None
    front_normals: np.ndarray
    back_normals: np.ndarray
    front_depth: np.ndarray | None = None
    back_depth: np.ndarray | None = None
    parts: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = self.camera.height, self.camera.width
        for name in ("alpha", "front_depth", "back_depth", "parts"):
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
        for name in ("front_normals", "back_normals"):
            if getattr(self, name).shape != (*shape, 3):
                raise ValueError(
                    f"{name} must have shape {(*shape, 3)}, got {getattr(self, name).shape}"
                )

    def depth_in(self, depth: np.ndarray, camera: Camera) -> np.ndarray:
        """A depth picture of this window as another window shows it, inf where it is unknown.

        Linear within a surface, nearest across jumps: there is nothing between a hem and the leg
        behind it.
        """
        known = np.isfinite(depth)
        near = self.resampled(np.where(known, depth, 0).astype(np.float32), camera, nearest=True)
        linear = self.resampled(np.where(known, depth, 1e6).astype(np.float32), camera)
        out = np.where(np.abs(linear - near) < _JUMP_M, linear, near)
        return np.where(near > 0.05, out, np.float32(np.inf)).astype(np.float32)

    def resampled(self, values: np.ndarray, camera: Camera, *, nearest: bool = False) -> np.ndarray:
        """One of the pictures, or any other of this window, as another window shows it.

        ``camera`` is of a window of the same photograph; 0 beyond this window.
        """
        return warped(values, self.camera, camera, nearest=nearest)


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


def maps_from_body(
    mesh: Mesh, alpha: Alpha, camera: Camera, *, size: int = 512, margin: float = 0.06
) -> SurfaceMaps:
    """The maps that a fitted body and the matte alone give: its normals and its depths.

    Args:
        mesh: the body, camera frame.
        alpha: the person's matte.
        camera: the photograph's.
        size: S, pixels along each side of the window.
        margin: room around body and matte, as a share of the window.
    """
    window = square_camera(mesh, alpha, camera, size, margin)
    pixels, depth = window.project(mesh.vertices), mesh.vertices[:, 2]
    front = rasterize(pixels, depth, mesh.faces, size, size)
    # Against the light: the farthest surface is the nearest one of the inverted depth.
    normals = vertex_normals(mesh.vertices, mesh.faces)
    turned = rasterize(pixels, 1 / np.maximum(depth, 0.05), mesh.faces, size, size)
    return SurfaceMaps(
        window,
        window_alpha(alpha, camera, window),
        _unit(front.interpolate(normals, mesh.faces)),
        _unit(turned.interpolate(normals, mesh.faces)),
        front.depth,
        np.where(turned.mask, 1 / turned.depth, np.float32(np.inf)).astype(np.float32),
    )


def maps_from_network(found: PersonMaps, body: Body, camera: Camera) -> SurfaceMaps:
    """What the network says of one person, in metres.

    Args:
        found: in the crop.
        body: the fitted body that the network was given.
        camera: the photograph's.
    """
    root = float(body.joints[0, 2])
    front, back = (
        (root + body.height_m * depth).astype(np.float32)
        for depth in (found.front_depth, found.back_depth)
    )
    return SurfaceMaps(
        found.crop.camera(camera),
        found.alpha,
        found.front_normals,
        found.back_normals,
        front,
        back,
        found.parts,
    )


def estimated_maps(
    photo: Photo, figure: Figure, body: Body, *, size: int | None = None
) -> SurfaceMaps | None:
    """The network's normals; the body's own where they are finer, on the face and the hands.

    None where the network's weights are absent. Its mattes and depths are left out: they are no
    better than the person's matte and the fitted body (see ``docs/surface.md``).

    Args:
        photo: the picture.
        figure: the person.
        body: fitted to them.
        size: S, pixels along each side of the window; by default 256, fewer for somebody who is
            small in the photograph.
    """
    seen = network_maps(photo, figure, body, size)
    return None if seen is None else normals_alone(*seen, body, photo.camera)


def network_maps(
    photo: Photo, figure: Figure, body: Body, size: int | None = None
) -> tuple[PersonMaps, BodyMaps] | None:
    """What the maps network says of a person, and the body it was shown; arguments as above."""
    if not MapsNetwork.available():
        return None
    mesh, root = body.as_mesh(), float(body.translation[2])
    if size is None:
        low, high = figure_box(mesh, figure.alpha, photo.camera)
        shown = float((high - low).max())
        size = next((small for below, small in _SMALL if shown < below), SIZE)
    return MapsNetwork().person(
        photo.pixels, photo.camera, figure.alpha.full(), mesh, root, body.height_m, size
    )


def normals_alone(found: PersonMaps, drawn: BodyMaps, body: Body, camera: Camera) -> SurfaceMaps:
    """The normals of ``found``, the drawn body's where they are finer; camera: the photograph's."""
    window = found.crop.camera(camera)
    fine = _fine_parts(body, window)
    front, back = (
        _unit(ours + share[..., None] * (own - ours))
        for ours, own, share in (
            (found.front_normals, drawn.front_normals, fine[0]),
            (found.back_normals, drawn.back_normals, fine[1]),
        )
    )
    return SurfaceMaps(window, None, front, back)


def _fine_parts(body: Body, window: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(S, S) float32 each, 1 where the nearest and the farthest surface are face or hand."""
    mesh, regions = body.as_mesh(), body.model.regions
    fine = np.maximum(regions.face, regions.hand)[:, None]
    pixels, depth = window.project(mesh.vertices), mesh.vertices[:, 2]
    out = []
    for values in (depth, 1 / np.maximum(depth, 0.05)):
        drawn = rasterize(pixels, values, mesh.faces, window.width, window.height)
        out.append(drawn.interpolate(fine, mesh.faces)[..., 0])
    return out[0], out[1]


def figure_box(mesh: Mesh, alpha: Alpha, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Left top and right bottom (2,) in pixels of everything that is body or matte."""
    pixels = camera.project(mesh.vertices)
    low, high = pixels.min(0), pixels.max(0)
    shown = alpha.values > 127
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    if len(rows):
        low = np.minimum(low, [alpha.x + columns[0], alpha.y + rows[0]])
        high = np.maximum(high, [alpha.x + columns[-1] + 1, alpha.y + rows[-1] + 1])
    return low, high


def square_camera(
    mesh: Mesh, alpha: Alpha, camera: Camera, size: int, margin: float = 0.06
) -> Camera:
    """A square window of ``size`` pixels around body and matte, with a share of it as margin."""
    low, high = figure_box(mesh, alpha, camera)
    side = float((high - low).max()) / (1 - 2 * margin)
    x, y = (low + high - side) / 2
    return camera.window(float(x), float(y), size / side, size, size)


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
