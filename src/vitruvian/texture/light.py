"""Taking the photograph's light out of its colours: what is left is nearly the albedo.

Light on a matt surface is a smooth function of the surface's normal, nearly a quadratic one
(Ramamoorthi & Hanrahan, 2001; Basri & Jacobs, 2003). Here its logarithm is one, grey, without the
constant: eight coefficients b of the second-order spherical harmonics h, so that

    log luminance = log albedo + b . h(normal).

Albedo is unknown everywhere, and dark trousers are no shadow; but two points of one hue are often
of one cloth, and then their difference is of light alone. So b is fitted to differences within
random pairs of like chromaticity, robustly: pairs across the border of two cloths are outliers.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.color import srgb_decoded, srgb_encoded
from vitruvian.texture.view import View
from vitruvian.types.mesh import Mesh

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_PAIRS = 30_000
_SMOOTHING = 0.006  # of the figure's height, by which normals are: folds are light, too, but noisy
_REACH = 0.5  # of the figure's height, between the points of a pair
_HUE = 0.15  # greatest difference of log chromaticity within a pair
_SPREAD = 0.5  # of the Cauchy weights, in log luminance
_RIDGE = 0.005
_BENDS = np.array([1, 1, 1, 4, 4, 4, 4, 4.0])  # of the ridge: quadratic terms vary less
_LIMIT = 0.9  # of the correction, in log luminance: 2.5 times
_LEAST_PAIRS = 500
_FLOOR = 0.003  # linear luminance that is noise


def harmonics(normals: np.ndarray) -> np.ndarray:
    """Second-order spherical harmonics but the constant (N, 8), unnormalised: x, y, z, xy, yz,
    3z² - 1, xz, x² - y² of unit normals (N, 3)."""
    x, y, z = np.asarray(normals, np.float64).T
    return np.stack([x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)


def luminance_of(linear: np.ndarray) -> np.ndarray:
    """Luminance (...) of linear RGB (..., 3)."""
    return np.asarray(linear @ _LUMINANCE)


def estimate_light(
    linear: np.ndarray, normals: np.ndarray, places: np.ndarray, *, pairs: int = _PAIRS
) -> np.ndarray:
    """Coefficients (8,) float64 of log light over ``harmonics``, from points of one person.

    Args:
        linear: (N, 3) linear RGB, 0..1.
        normals: (N, 3) unit normals, in any frame.
        places: (N, 2) where the points are in the picture, in heights of the figure.
        pairs: how many are compared at most.

    Returns:
        Zeros where too little can be compared.
    """
    rng = np.random.default_rng(0)  # the same picture gives the same result
    luminance = luminance_of(linear)
    log = np.log(luminance + _FLOOR)
    hue = np.log((linear + _FLOOR) / (luminance + _FLOOR)[:, None])
    usable = np.flatnonzero((linear.max(1) < 0.95) & (luminance > 2 * _FLOOR))
    light = np.zeros(8)
    if len(usable) < _LEAST_PAIRS:
        return light
    one, other = usable[rng.integers(len(usable), size=(2, 3 * pairs))]
    alike = np.abs(hue[one] - hue[other]).max(1) < _HUE
    alike &= np.linalg.norm(places[one] - places[other], axis=1) < _REACH
    one, other = one[alike][:pairs], other[alike][:pairs]
    if len(one) < _LEAST_PAIRS:
        return light
    basis = harmonics(normals)
    turn, change = basis[one] - basis[other], log[one] - log[other]
    ridge = np.diag(_RIDGE * len(one) * _BENDS)
    for _ in range(6):  # iteratively reweighted least squares
        weights = 1 / (1 + ((change - turn @ light) / _SPREAD) ** 2)
        weighted = turn * weights[:, None]
        light = np.linalg.solve(weighted.T @ turn + ridge, weighted.T @ change)
    return light


def without_light(view: View, mesh: Mesh) -> View:
    """The window of the photograph with its light divided out where the person is.

    Brightness as a whole stays: how bright the light was, and how dark the cloth, no picture tells.

    Args:
        view: the person's window.
        mesh: that it shows, camera frame.
    """
    height, width = view.alpha.shape
    mask = (view.alpha > 127) & np.isfinite(view.depth)
    if not mask.any():
        return view
    rows = np.flatnonzero(mask.any(1))
    size = float(rows[-1] - rows[0] + 1)
    normals = _normals(view, mesh, _SMOOTHING * size)
    linear = linear_from_srgb(view.pixels)
    trusted = np.flatnonzero((view.alpha > 250) & np.isfinite(view.depth))
    points = np.stack(np.divmod(trusted, width), axis=1) / size
    light = estimate_light(linear.reshape(-1, 3)[trusted], normals.reshape(-1, 3)[trusted], points)
    bright = (harmonics(normals.reshape(-1, 3)) @ light).reshape(height, width)
    bright = np.clip(bright - np.median(bright[mask]), -_LIMIT, _LIMIT)
    albedo = linear / np.exp(bright)[..., None]
    # Beyond the mesh stays as it is; nothing looks there but the rim's interpolation.
    pixels = np.where(np.isfinite(view.depth)[..., None], srgb_from_linear(albedo), view.pixels)
    return replace(view, pixels=np.ascontiguousarray(pixels, np.uint8))


def _normals(view: View, mesh: Mesh, sigma: float) -> np.ndarray:
    """(H, W, 3) float32 unit normals of the mesh as the view sees it, smoothed; zero beyond it."""
    height, width = view.alpha.shape
    fragments = rasterize(
        view.camera.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, width, height
    )
    normals = fragments.interpolate(vertex_normals(mesh.vertices, mesh.faces), mesh.faces)
    normals = normals * fragments.mask[..., None].astype(np.float32)
    smooth = cv2.GaussianBlur(normals, (0, 0), max(sigma, 0.5))
    length = np.linalg.norm(smooth, axis=2, keepdims=True)
    return np.asarray(smooth / np.maximum(length, 1e-6) * fragments.mask[..., None], np.float32)


def linear_from_srgb(pixels: np.ndarray) -> np.ndarray:
    """Linear light 0..1, float32, of uint8 sRGB values of any shape."""
    return srgb_decoded(np.arange(256) / 255).astype(np.float32)[pixels]


def srgb_from_linear(linear: np.ndarray) -> np.ndarray:
    """uint8 sRGB values of linear light of any shape; what is out of 0..1 is clipped."""
    return (srgb_encoded(np.clip(linear, 0, 1)) * 255 + 0.5).astype(np.uint8)
